//! How a command goes through its nodes: ramp-up, MaxConcurrency, MaxErrors, timeouts.

use super::Ssm;
use super::agenda::Happening;
use super::chance;
use super::ledger::{Run, RunEnd};
use super::outcome::{Outcome, Plan, RunsAnyway};
use super::status::{CommandStatus, StatusDetails};
use super::time::timestamp;
use crate::fleet::{Agent, Behaviour};
use fleetwright_wire::Parameters;
use std::sync::Arc;

/// Exit code the agent reports for a run it stopped, at its timeout (a recorded answer: 137) or for a cancel.
pub(super) const STOPPED: i32 = 137;

impl Ssm {
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Begin(c) => self.begin(c),
            Happening::Ramp(c) => self.ramp(c),
            Happening::Arrive(c, i) => self.arrive(c, i),
            Happening::Report(c, i) => self.report(c, i),
            Happening::RunEnds(c, i) => self.end_run(c, i, None),
            Happening::Cancel(c, invocations) => self.cancel_now(c, &invocations),
            Happening::DeliveryDeadline(c) => self.give_up(c, |details| details == StatusDetails::Pending),
            Happening::Expire(c) => self.give_up(c, |_| true),
            Happening::Publish(published) => self.outbox.push(*published),
        }
    }

    /// Targets become nodes, and the first node is sent to.
    fn begin(&mut self, c: usize) {
        let Some(command) = self.commands.get(c) else { return };
        if command.cancelled {
            return;
        }
        if let Some(targets) = command.request.targets.as_ref().filter(|targets| !targets.is_empty()) {
            let nodes = self.resolve(targets);
            if self.options.pending_invocation_limit.is_some_and(|limit| nodes.len() > limit) {
                return self.conclude_as(c, CommandStatus::LimitExceeded);
            }
            self.spread(c, &nodes);
            self.note_command(c);
        }
        self.go_on(c);
        self.schedule_ramp(c);
    }

    /// "It exponentially sends to more nodes until max-concurrency": 1, then 2 more, then 4 more, …
    fn ramp(&mut self, c: usize) {
        let Some(command) = self.commands.get_mut(c) else { return };
        command.window = command.window.saturating_mul(2).saturating_add(1);
        self.go_on(c);
        self.schedule_ramp(c);
    }

    fn schedule_ramp(&mut self, c: usize) {
        let at = self.now + self.options.acknowledge_lag.draw(&mut self.rng);
        let Some(command) = self.commands.get_mut(c) else { return };
        let waiting = command.next < command.invocations.len() && !command.cancelled;
        if waiting && command.window < command.concurrency() && !command.status.terminal() {
            command.slots.push(self.agenda.enter(at, Happening::Ramp(c)));
        }
    }

    /// Stops sending after too many errors, else sends to as many nodes as may be; ends the command when all have.
    pub(super) fn go_on(&mut self, c: usize) {
        let Some(command) = self.commands.get_mut(c) else { return };
        if command.tally.errors() > command.tolerated() {
            let all = command.invocations.len();
            for i in std::mem::replace(&mut command.next, all)..all {
                self.finish(c, i, StatusDetails::Terminated);
            }
        }
        while let Some(i) = self.next_to_send(c) {
            self.send_to(c, i);
        }
        self.conclude(c);
    }

    fn next_to_send(&mut self, c: usize) -> Option<usize> {
        let command = self.commands.get_mut(c)?;
        let may = command.window.min(command.concurrency());
        if command.cancelled || command.in_flight >= may || self.now > command.begins_until {
            return None;
        }
        let open = |invocation: &super::command::Invocation| {
            !invocation.cancel_requested && !invocation.details.terminal()
        };
        let waiting = command.invocations.get(command.next..)?;
        let i = command.next + waiting.iter().position(open)?;
        command.next = i + 1;
        Some(i)
    }

    fn send_to(&mut self, c: usize, i: usize) {
        let Some(plan) = self.plan(c, i) else { return };
        let outcome = plan.outcome;
        let at = self.now + self.options.delivery_lag.draw(&mut self.rng);
        let Some(command) = self.commands.get_mut(c) else { return };
        let Some(invocation) = command.invocations.get_mut(i) else { return };
        let Some(node) = self.nodes.get(invocation.node).map(|node| &node.node) else { return };
        let (supported, online) = (command.document.supports(node.platform), node.agent == Agent::Online);
        invocation.sent = true;
        invocation.plan = Some(plan);
        command.in_flight += 1;
        if command.status == CommandStatus::Pending {
            self.change_command(c, CommandStatus::InProgress);
        }
        if !supported {
            self.finish(c, i, StatusDetails::InvalidPlatform);
        } else if outcome == Outcome::AccessDenied {
            self.finish(c, i, StatusDetails::AccessDenied);
        } else if online && outcome != (Outcome::DeliveryTimedOut { runs: false }) {
            let slot = self.agenda.enter(at, Happening::Arrive(c, i));
            self.hold(c, i, slot);
        }
    }

    /// Draws what this run comes to: by node, document and how often it ran there, not by what else happened.
    fn plan(&mut self, c: usize, i: usize) -> Option<Plan> {
        let command = self.commands.get(c)?;
        let node_index = command.invocations.get(i)?.node;
        let node = &self.nodes.get(node_index)?.node;
        let document = Arc::clone(&command.document.name);
        let none = Parameters::new();
        let parameters = command.request.parameters.as_ref().unwrap_or(&none);
        let position = node.behaviours.iter().position(|behaviour| behaviour.covers(&document, parameters));
        let usual = Behaviour::default();
        let behaviour = position.and_then(|position| node.behaviours.get(position)).unwrap_or(&usual);
        let forced = self.forced(&node.id, &document);
        let runs = self.runs.entry((node_index, Arc::clone(&document))).or_default();
        let mut rng = chance::for_run(self.seed, &node.id, &document, runs.all);
        let covered = runs.by_behaviour.entry(position).or_default();
        let anyway = RunsAnyway {
            undeliverable: self.options.undeliverable_runs_anyway,
            delivery_timed_out: self.options.delivery_timed_out_runs_anyway,
        };
        let plan = Plan::draw(behaviour, position, *covered, forced, &anyway, &mut rng);
        *covered += 1;
        runs.all += 1;
        Some(plan)
    }

    /// The node's agent, or what stands between, answers.
    fn arrive(&mut self, c: usize, i: usize) {
        let Some(command) = self.commands.get_mut(c) else { return };
        let (late, limit) = (self.now > command.begins_until, command.execution_timeout);
        let Some(invocation) = command.invocations.get_mut(i) else { return };
        invocation.slot = None;
        let Some(plan) = invocation.plan.clone() else { return };
        if late || invocation.details.terminal() {
            return;
        }
        let ends = self.now + plan.duration.min(limit);
        match plan.outcome {
            Outcome::Success | Outcome::Failed(_) => self.start(c, i, Happening::Report(c, i), ends),
            Outcome::ExecutionTimedOut => self.start(c, i, Happening::Report(c, i), self.now + limit),
            Outcome::DeliveryTimedOut { .. } => self.start(c, i, Happening::RunEnds(c, i), ends),
            Outcome::Undeliverable { runs } => {
                if runs {
                    self.begin_run(c, i);
                    self.agenda.enter(ends, Happening::RunEnds(c, i));
                }
                self.finish(c, i, StatusDetails::Undeliverable);
                self.go_on(c);
            }
            Outcome::Cancelled => {
                self.finish(c, i, StatusDetails::Cancelled);
                self.go_on(c);
            }
            Outcome::AccessDenied => {}
        }
    }

    /// It runs on the node from now until `ends`.
    fn start(&mut self, c: usize, i: usize, then: Happening, ends: i64) {
        self.begin_run(c, i);
        let slot = self.agenda.enter(ends, then);
        self.hold(c, i, slot);
        let Some(invocation) = self.commands.get(c).and_then(|command| command.invocations.get(i)) else {
            return;
        };
        if !invocation.cancel_requested {
            self.change(c, i, StatusDetails::InProgress);
        }
    }

    fn begin_run(&mut self, c: usize, i: usize) {
        let Some(command) = self.commands.get_mut(c) else { return };
        let Some(invocation) = command.invocations.get_mut(i) else { return };
        let Some(node) = self.nodes.get(invocation.node) else { return };
        invocation.began = Some(self.now);
        invocation.run = Some(self.ledger.begin(Run {
            command_id: Arc::clone(&command.id),
            node: Arc::clone(&node.node.id),
            document: Arc::clone(&command.document.name),
            began: timestamp(self.now),
            end: None,
        }));
    }

    /// The agent tells how it ended.
    fn report(&mut self, c: usize, i: usize) {
        let Some(command) = self.commands.get_mut(c) else { return };
        let limit = command.execution_timeout;
        let Some(invocation) = command.invocations.get_mut(i) else { return };
        let Some(plan) = &invocation.plan else { return };
        let too_long = plan.duration >= limit || plan.outcome == Outcome::ExecutionTimedOut;
        let (details, exit_code, end) = match (too_long, plan.outcome) {
            (true, _) => (StatusDetails::ExecutionTimedOut, STOPPED, RunEnd::TimedOut),
            (false, Outcome::Failed(code)) => (StatusDetails::Failed, code, RunEnd::Failed(code)),
            (false, _) => (StatusDetails::Success, 0, RunEnd::Succeeded),
        };
        invocation.exit_code = exit_code;
        self.end_run(c, i, Some(end));
        self.finish(c, i, details);
        self.go_on(c);
    }

    /// The run on the node ends: with a known end, or as a run ends that nobody hears of.
    pub(super) fn end_run(&mut self, c: usize, i: usize, end: Option<RunEnd>) {
        let Some(invocation) = self.commands.get_mut(c).and_then(|command| command.invocations.get_mut(i))
        else {
            return;
        };
        invocation.slot = None;
        let unheard = match invocation.plan.as_ref().map(|plan| plan.outcome) {
            Some(Outcome::Failed(code)) => RunEnd::Failed(code),
            Some(Outcome::ExecutionTimedOut) => RunEnd::TimedOut,
            _ => RunEnd::Succeeded,
        };
        let end = end.unwrap_or(unheard);
        if let Some(run) = invocation.run {
            self.ledger.end(run, timestamp(self.now), end);
            self.apply(c, i, end);
        }
    }

    /// What has not ended becomes DeliveryTimedOut; what runs, runs on unheard.
    fn give_up(&mut self, c: usize, which: impl Fn(StatusDetails) -> bool) {
        let Some(command) = self.commands.get(c) else { return };
        let open = |details: StatusDetails| !details.terminal() && which(details);
        let all = command.invocations.iter().enumerate();
        let ended: Vec<usize> = all.filter(|(_, one)| open(one.details)).map(|(i, _)| i).collect();
        for i in ended {
            let invocation = self.commands.get_mut(c).and_then(|command| command.invocations.get_mut(i));
            let running = invocation.as_ref().is_some_and(|one| one.began.is_some());
            if let Some(slot) = invocation.and_then(|one| one.slot.take()) {
                let at = slot.at();
                self.agenda.strike(slot);
                if running {
                    self.agenda.enter(at, Happening::RunEnds(c, i));
                }
            }
            self.finish(c, i, StatusDetails::DeliveryTimedOut);
        }
        self.go_on(c);
    }
}
