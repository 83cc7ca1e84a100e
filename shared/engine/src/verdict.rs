//! Closing an attempt of a fleet step: its targets by outcome, its verdict, its outputs.

use crate::leave::{OUT_OF_TIME, StepEnd};
use crate::turn::{Moved, Turn};
use crate::{
    DoneSend, FleetWork, HaltCause, ListRef, Need, NodeList, Output, Rejection, SendEnd, Status,
    StepExecution, Stretch, Targets,
};
use fleetwright_fleet::{Counts, NodeId, Outcome, Partition, PatchSummary, Settlement, Terminal};
use fleetwright_runbook::Step;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everything an attempt came to.
#[derive(Default)]
struct AttemptResult {
    partition: Partition,
    patch: Option<PatchSummary>,
    /// SSM's own status details, per command.
    ssm_statuses: BTreeSet<Terminal>,
    /// Why sends were not executed.
    refusals: BTreeSet<String>,
    /// A query whose command nobody knows the outcome of.
    lost_query: bool,
    /// The invocation that speaks for the step: of the worst outcome the first by id.
    telling: Option<(Outcome, NodeId, i32, String)>,
}

impl Turn<'_> {
    /// All sends of an attempt are over.
    pub(crate) fn close_attempt(
        &mut self,
        mut step: StepExecution,
        definition: &Step,
        work: FleetWork,
    ) -> Result<Moved, Rejection> {
        let result = self.sum_up(&work)?;
        let counts = result.partition.counts();
        let end = verdict(&result, counts, &work);
        step.commands.extend(work.done.iter().filter_map(|done| done.command_id().cloned()));
        let failed = matches!(end.status, Status::Failed | Status::TimedOut);
        if failed && !work.forced && self.has_time() && step.attempt < self.attempts(definition) {
            return Ok(self.next_attempt(step, definition, work));
        }
        step.counts = Some(counts);
        step.without_command = without_command(&work);
        step.targets = match &work.targets {
            Targets::Nodes(list) => Some(list.clone()),
            Targets::Query(_) => None,
        };
        self.set_outputs(&mut step, &result, counts, end.status);
        self.leave(step, definition, end)
    }

    /// A further attempt goes to all original targets, as SSM's does.
    fn next_attempt(&mut self, mut step: StepExecution, definition: &Step, work: FleetWork) -> Moved {
        step.attempt += 1;
        step.deadline = self.attempt_deadline(definition);
        let fresh = FleetWork {
            given: 0,
            returned: Vec::new(),
            planned: 0,
            done: Vec::new(),
            errors: 0,
            rejected: false,
            forced: false,
            halting: None,
            ..work
        };
        self.changed();
        self.keep(step, fresh);
        Moved::On
    }

    fn sum_up(&self, work: &FleetWork) -> Result<AttemptResult, Rejection> {
        self.read_results(work)?;
        let mut result = AttemptResult::default();
        for done in &work.done {
            match &done.end {
                SendEnd::Command { command_id } => {
                    let report = self.report(command_id)?;
                    let settlement = report.settlement.as_ref();
                    result.partition.add(report.command.partition(settlement));
                    if let Some(settlement) = settlement {
                        result.take_settled(settlement);
                    }
                    if settlement.is_none_or(|settlement| settlement.status.is_none()) {
                        result.ssm_statuses.extend(&report.command.statuses);
                        // SSM never showed it, and nothing was reported either.
                        result.lost_query |= done.stretch.is_none() && report.command.statuses.is_empty();
                    }
                }
                SendEnd::NotRun { reason } => {
                    result.refusals.insert(reason.clone());
                    self.set_all(&mut result.partition, work, done.stretch, Outcome::NotRun)?;
                }
                SendEnd::Unknown => {
                    result.lost_query |= done.stretch.is_none();
                    self.set_all(&mut result.partition, work, done.stretch, Outcome::Unknown)?;
                }
                SendEnd::Replaced => {}
            }
        }
        for stretch in never_sent(work) {
            self.set_all(&mut result.partition, work, Some(stretch), Outcome::NotRun)?;
        }
        Ok(result)
    }

    /// Names all that is missing at once.
    fn read_results(&self, work: &FleetWork) -> Result<(), Rejection> {
        let commands = work.done.iter().filter_map(DoneSend::command_id);
        let unread = commands.filter(|id| !self.seen.reports.contains_key(*id));
        let mut needs: Vec<Need> = unread.map(|id| Need::Report(id.clone())).collect();
        let nameless = work.done.iter().any(|done| done.command_id().is_none());
        if let Targets::Nodes(list) = &work.targets
            && (nameless || !never_sent(work).is_empty())
            && self.nodes(list).is_none()
        {
            needs.push(Need::List(list.clone()));
        }
        if needs.is_empty() { Ok(()) } else { Err(Rejection::Needs(needs)) }
    }

    fn nodes(&self, list: &ListRef) -> Option<&[NodeId]> {
        let fresh = self.lists.iter().find(|known| known.reference == *list).map(|known| &known.nodes);
        fresh.or_else(|| self.seen.lists.get(&list.id)).map(Vec::as_slice)
    }

    fn set_all(
        &self,
        partition: &mut Partition,
        work: &FleetWork,
        stretch: Option<Stretch>,
        outcome: Outcome,
    ) -> Result<(), Rejection> {
        let (Targets::Nodes(list), Some(Stretch { offset, length })) = (&work.targets, stretch) else {
            return Ok(());
        };
        let nodes = self.nodes(list).ok_or_else(|| Rejection::Needs(vec![Need::List(list.clone())]))?;
        let from = nodes.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
        for node in from.take(usize::try_from(length).unwrap_or(0)) {
            partition.set(node.clone(), outcome);
        }
        Ok(())
    }

    fn set_outputs(
        &mut self,
        step: &mut StepExecution,
        result: &AttemptResult,
        counts: Counts,
        status: Status,
    ) {
        let mut set = |name: &str, value: Value| {
            step.outputs.insert(name.to_owned(), Output::Value(value));
        };
        set("Status", json!(status.as_str()));
        set("TargetCount", json!(counts.total()));
        set("SuccessCount", json!(counts.success));
        set("FailedCount", json!(counts.failed));
        set("TimedOutCount", json!(counts.timed_out));
        set("UnknownCount", json!(counts.unknown));
        set("NotRunCount", json!(counts.not_run));
        set("SuccessPercentage", json!(success_percentage(counts, status)));
        if let Some((_, _, code, output)) = &result.telling {
            set("ResponseCode", json!(code));
            set("Output", json!(output));
        }
        match step.commands.as_slice() {
            [] => {}
            [only] => set("CommandId", json!(only.as_str())),
            several => {
                let ids: Vec<_> = several.iter().map(fleetwright_fleet::CommandId::as_str).collect();
                set("CommandId", json!(ids));
            }
        }
        let lists = Outcome::ALL.map(|outcome| {
            (outcome_list(outcome), result.partition.nodes(outcome).cloned().collect::<Vec<_>>())
        });
        for (name, nodes) in lists {
            self.set_list(step, name, nodes);
        }
        if let Some(patch) = &result.patch {
            step.outputs.insert("MissingCount".to_owned(), Output::Value(json!(patch.missing_count)));
            self.set_list(step, "NonCompliantInstanceIds", patch.non_compliant.clone());
            self.set_list(step, "PendingRebootInstanceIds", patch.pending_reboot.clone());
            self.set_list(step, "PatchStateUnknownInstanceIds", patch.unknown.clone());
        }
    }

    /// Lists are written only where something reads them; all others can be had from the commands.
    fn set_list(&mut self, step: &mut StepExecution, name: &str, mut nodes: Vec<NodeId>) {
        let read = self.runbook.outputs_read(&step.name);
        if !read.contains(name) && !read.contains("*") {
            return;
        }
        nodes.sort_unstable();
        let list = NodeList::of(nodes);
        step.outputs.insert(name.to_owned(), Output::Nodes(list.reference.clone()));
        self.lists.push(list);
    }
}

impl AttemptResult {
    fn take_settled(&mut self, settlement: &Settlement) {
        self.ssm_statuses.extend(settlement.status);
        if let Some(patch) = &settlement.patch {
            self.patch.get_or_insert_default().add(patch);
        }
        for (node, invocation) in &settlement.invocations {
            let outcome = invocation.outcome();
            let worse = self.telling.as_ref().is_none_or(|(worst, first, ..)| {
                (outcome, std::cmp::Reverse(node)) > (*worst, std::cmp::Reverse(first))
            });
            if worse {
                let output = invocation.telling().map_or_else(String::new, |plugin| plugin.output.clone());
                self.telling = Some((outcome, node.clone(), invocation.response_code(), output));
            }
        }
    }
}

/// Targets that no live or ended send stands for: errors or a halt stopped the step before.
fn never_sent(work: &FleetWork) -> Vec<Stretch> {
    let mut stretches = work.returned.clone();
    if let Targets::Nodes(list) = &work.targets {
        let length = list.count - work.given;
        if length > 0 {
            stretches.push(Stretch { offset: work.given, length });
        }
    }
    stretches
}

/// Stretches of targets whose outcome no command tells.
fn without_command(work: &FleetWork) -> Vec<(Stretch, Outcome)> {
    let done = work.done.iter().filter_map(|done| match &done.end {
        SendEnd::NotRun { .. } => Some((done.stretch?, Outcome::NotRun)),
        SendEnd::Unknown => Some((done.stretch?, Outcome::Unknown)),
        SendEnd::Command { .. } | SendEnd::Replaced => None,
    });
    done.chain(never_sent(work).into_iter().map(|stretch| (stretch, Outcome::NotRun))).collect()
}

/// Success if the targets that are not Success are at most MaxErrors and at least one is Success, or there were none;
/// else TimedOut if all the others timed out, Cancelled after a stop, else Failed.
fn verdict(result: &AttemptResult, counts: Counts, work: &FleetWork) -> StepEnd {
    let halted_by = work.halting;
    if counts.total() == 0 && halted_by.is_none() {
        return verdict_without_nodes(result);
    }
    let allowed = work.errors_allowed(counts.total());
    if counts.not_success() <= allowed && counts.success > 0 {
        return StepEnd::success();
    }
    let message = message(result, counts);
    match halted_by {
        Some(HaltCause::Stopped) => StepEnd::cancelled(),
        Some(HaltCause::TimedOut) => StepEnd::timed_out(OUT_OF_TIME),
        None if counts.not_success() == counts.timed_out => StepEnd::timed_out(message),
        None => StepEnd::failed(message),
    }
}

/// A step without nodes ends as SSM's command did; one that never had a target, well.
fn verdict_without_nodes(result: &AttemptResult) -> StepEnd {
    if let Some(reason) = result.refusals.first() {
        return StepEnd::failed(reason.clone());
    }
    if result.lost_query {
        return StepEnd::failed("SendCommand was answered by nobody, and no command was found");
    }
    match result.ssm_statuses.iter().find(|status| **status != Terminal::Success) {
        None => StepEnd::success(),
        Some(Terminal::TimedOut | Terminal::ExecutionTimedOut | Terminal::DeliveryTimedOut) => {
            StepEnd::timed_out("the command timed out")
        }
        Some(status) => StepEnd::failed(format!("the command ended {}", status.as_str())),
    }
}

/// Counts by outcome, the worst first, and why nodes were not sent to.
fn message(result: &AttemptResult, counts: Counts) -> String {
    let mut parts: Vec<String> = Outcome::ALL
        .iter()
        .rev()
        .filter(|outcome| **outcome != Outcome::Success && counts.of(**outcome) > 0)
        .map(|outcome| format!("{} {}", counts.of(*outcome), outcome_word(*outcome)))
        .collect();
    parts.extend(result.refusals.iter().take(3).cloned());
    format!("{} of {} nodes did not succeed: {}", counts.not_success(), counts.total(), parts.join(", "))
}

/// 100 where a step without nodes succeeded, else 0 (protocols, P5).
const fn success_percentage(counts: Counts, status: Status) -> u64 {
    match (counts.total(), status) {
        (0, Status::Success) => 100,
        (0, _) => 0,
        _ => counts.success_percentage(),
    }
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "succeeded",
        Outcome::NotRun => "not run",
        Outcome::Unknown => "unknown (may have run)",
        Outcome::TimedOut => "timed out",
        Outcome::Failed => "failed",
    }
}

const fn outcome_list(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "SuccessInstanceIds",
        Outcome::NotRun => "NotRunInstanceIds",
        Outcome::Unknown => "UnknownInstanceIds",
        Outcome::TimedOut => "TimedOutInstanceIds",
        Outcome::Failed => "FailedInstanceIds",
    }
}
