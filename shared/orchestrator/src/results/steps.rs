//! Steps page by page.

use super::numbers::ids_under_way;
use super::round;
use crate::table::{Overview, StepRow};
use crate::{Error, Orchestrator};
use fleetwright_engine::{ExecutionId, Work};
use fleetwright_wire::results;

impl Orchestrator {
    /// At most `limit` steps of an execution from an ordinal on, and where the next page begins. Reads these steps, the
    /// node lists in their outputs, and of one that runs its commands.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution.
    pub async fn result_steps(
        &self,
        id: &ExecutionId,
        from: u32,
        limit: u32,
    ) -> Result<(Vec<results::Step>, Option<u32>), Error> {
        let end = from.saturating_add(limit);
        let Overview { loaded, steps, sends } =
            self.overview(id, |begun| from.min(begun)..end.min(begun)).await?;
        let outputs = steps.iter().map(|row| (id, &row.step.outputs)).collect::<Vec<_>>();
        let outputs = self.output_views(&outputs).await?;
        let mut shown = Vec::new();
        for (StepRow { step, contradicted_by }, outputs) in steps.into_iter().zip(outputs) {
            let counts = self.numbers(&step, &sends).await?.map(|numbers| numbers.counts);
            let under_way = match &step.work {
                Some(Work::Fleet(work)) => ids_under_way(&step, work, &sends),
                Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered) | None => vec![],
            };
            shown.push(results::Step {
                ordinal: step.ordinal,
                step_name: step.name.to_string(),
                action: step.action.clone(),
                status: step.status.as_str().to_owned(),
                started_at: step.started_at,
                ended_at: step.ended_at,
                round: step.parent.as_ref().map(round),
                attempt: step.attempt,
                next_step: step.next_step.as_ref().map(ToString::to_string),
                failure_message: step.failure_message.clone(),
                counts,
                command_ids: step.commands.iter().chain(&under_way).map(ToString::to_string).collect(),
                contradicted_by,
                outputs,
            });
        }
        Ok((shown, (end < loaded.execution.steps_begun).then_some(end)))
    }
}
