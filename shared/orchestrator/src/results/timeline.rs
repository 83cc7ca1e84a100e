//! An execution as it went.

use super::numbers::ids_under_way;
use crate::table::{CommandItem, RecentKey, SendItem, StepRow};
use crate::{Error, Orchestrator};
use fleetwright_engine::{ExecutionId, Phase, StepExecution, Work};
use fleetwright_fleet::{CommandId, Settlement};
use fleetwright_wire::results::{Timeline, TimelineEvent, TimelineKind};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Steps of one timeline.
const STEPS_MAX: u32 = 200;
/// Commands of one timeline: a fleet of 5,000 nodes by id.
const COMMANDS_MAX: usize = 100;

impl Orchestrator {
    /// What happened in an execution, the oldest first. Reads the first 200 of its steps, and the first 100 of their
    /// commands with their result items; says so where there are more.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution.
    pub async fn timeline(&self, id: &ExecutionId) -> Result<Timeline, Error> {
        let overview = self.overview(id, |begun| 0..begun.min(STEPS_MAX)).await?;
        let execution = &overview.loaded.execution;
        let mut sent: Vec<(&StepExecution, CommandId)> = Vec::new();
        for row in &overview.steps {
            sent.extend(commands(&row.step, &overview.sends).into_iter().map(|id| (&row.step, id)));
        }
        let truncated = execution.steps_begun > STEPS_MAX || sent.len() > COMMANDS_MAX;
        sent.truncate(COMMANDS_MAX);
        let ids: Vec<CommandId> = sent.iter().map(|(_, id)| id.clone()).collect();
        let items = self.table.bases(&ids).await?;
        let mark = |item: &CommandItem| Some((item.id.clone(), item.command.settled.clone()?));
        let settlements =
            self.table.settlements(&items.values().filter_map(mark).collect::<Vec<_>>()).await?;

        let mut events = vec![event(execution.started_at, TimelineKind::ExecutionStarted)];
        for StepRow { step, .. } in &overview.steps {
            events.push(began(step));
            for (_, id) in sent.iter().filter(|(of, _)| of.ordinal == step.ordinal) {
                events.extend(command_events(step, id, &items, &settlements));
            }
            events.extend(step.ended_at.map(|at| ended(step, at)));
        }
        if let Phase::Ended { ending, at } = &execution.phase {
            let status = Some(ending.status.as_str().to_owned());
            events.push(TimelineEvent { status, ..event(*at, TimelineKind::ExecutionEnded) });
        }
        // Stable: what happened at the same moment stays as it was written down.
        events.sort_by_key(|event| event.at);
        Ok(Timeline { execution_id: id.to_string(), events, truncated })
    }
}

fn commands(step: &StepExecution, sends: &[SendItem]) -> Vec<CommandId> {
    let under_way = match &step.work {
        Some(Work::Fleet(work)) => ids_under_way(step, work, sends),
        Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered) | None => Vec::new(),
    };
    step.commands.iter().cloned().chain(under_way).collect()
}

fn began(step: &StepExecution) -> TimelineEvent {
    TimelineEvent {
        step_name: Some(step.name.to_string()),
        nodes: step.targets.as_ref().map(|list| list.count),
        ..event(step.started_at, TimelineKind::StepStarted)
    }
}

fn ended(step: &StepExecution, at: Timestamp) -> TimelineEvent {
    TimelineEvent {
        step_name: Some(step.name.to_string()),
        nodes: step.counts.map(|counts| counts.total()),
        status: Some(step.status.as_str().to_owned()),
        ..event(at, TimelineKind::StepEnded)
    }
}

/// When SSM took a command, and when its first and last node ended: that is known once it is settled.
fn command_events(
    step: &StepExecution,
    id: &CommandId,
    items: &BTreeMap<CommandId, CommandItem>,
    settlements: &BTreeMap<CommandId, Settlement>,
) -> Vec<TimelineEvent> {
    let Some(item) = items.get(id) else { return Vec::new() };
    let about = |at, kind| TimelineEvent {
        step_name: Some(step.name.to_string()),
        command_id: Some(id.to_string()),
        ..event(at, kind)
    };
    let settlement = settlements.get(id);
    let place = item.place.as_deref().and_then(RecentKey::moment);
    let sent = place.or_else(|| settlement.map(|settlement| settlement.requested_at));
    let nodes = item.command.asked_count().or_else(|| settlement.map(|settlement| settlement.target_count));
    let mut events: Vec<_> =
        sent.map(|at| TimelineEvent { nodes, ..about(at, TimelineKind::CommandSent) }).into_iter().collect();
    let ends = || {
        let invocations = settlement.into_iter().flat_map(|settlement| settlement.invocations.values());
        invocations.filter_map(|said| {
            let at = said.plugins.iter().filter_map(|plugin| plugin.ended_at).max()?;
            Some((at, said.status.map(|status| status.as_str().to_owned())))
        })
    };
    if let Some((at, status)) = ends().min() {
        events.push(TimelineEvent { nodes: Some(1), status, ..about(at, TimelineKind::FirstNodeEnded) });
    }
    if let Some((at, _)) = ends().max() {
        let status = settlement.and_then(|settlement| settlement.status);
        events.push(TimelineEvent {
            nodes: Some(ends().count() as u64),
            status: status.map(|status| status.as_str().to_owned()),
            ..about(at, TimelineKind::LastNodeEnded)
        });
    }
    events
}

const fn event(at: Timestamp, kind: TimelineKind) -> TimelineEvent {
    TimelineEvent { at, kind, step_name: None, command_id: None, nodes: None, status: None }
}
