//! Room in the execution item: what does not fit fails its step, and never the execution's own check.

use crate::execution::EXECUTION_BYTES_MAX;
use crate::leave::StepEnd;
use crate::turn::Turn;
use crate::{Execution, Output, Status, StepExecution};
use fleetwright_runbook::output_and_path;

/// What an execution needs beside parameters, variables, outputs and loops: live sends and commands still to be settled
/// (120 of 71 bytes, 20 of 50), what marked it and its ending (2,000 bytes of message each), and the rest of its head
/// (1,000).
const RESERVED_BYTES: usize = 15_000;
/// The outputs of one step: they are written with it, and one item holds it.
const STEP_OUTPUT_BYTES_MAX: usize = 250_000;

/// What is wrong with the size of an execution's item, if anything.
pub(crate) fn lacks_room(execution: &Execution) -> Option<String> {
    let (size, most) = (execution.item_bytes(), EXECUTION_BYTES_MAX - RESERVED_BYTES);
    (size > most).then(|| format!("too large: the execution would hold {size} bytes, it has room for {most}"))
}

impl Turn<'_> {
    /// What is wrong with the size of the execution's item, if anything.
    pub(crate) fn lacks_room(&self) -> Option<String> {
        lacks_room(&self.execution)
    }

    /// Keeps what later steps read of a step, if there is room; otherwise the step fails.
    ///
    /// What an earlier round of a loop left of the same step goes: it is not this round's answer.
    pub(crate) fn keep_outputs(&mut self, step: &mut StepExecution, end: &mut StepEnd) {
        self.forget_outputs(step);
        if step.outputs.is_empty() {
            return;
        }
        let kept = self.read_outputs(step);
        let keeps = !kept.is_empty();
        self.execution.outputs.extend(kept);
        let bytes = serde_json::to_vec(&step.outputs).map_or(usize::MAX, |text| text.len());
        let wrong = if bytes > STEP_OUTPUT_BYTES_MAX {
            Some(format!("too large: {bytes} bytes, a step has room for {STEP_OUTPUT_BYTES_MAX}"))
        } else if keeps {
            self.lacks_room()
        } else {
            None
        };
        if let Some(wrong) = wrong {
            self.forget_outputs(step);
            step.outputs.clear();
            refuse(end, &format!("its outputs are {wrong}"));
        }
    }

    fn forget_outputs(&mut self, step: &StepExecution) {
        let prefix = format!("{}.", step.name);
        self.execution.outputs.retain(|name, _| !name.starts_with(&prefix));
    }

    /// The outputs of a step that anything in the runbook reads, by `step.Output`.
    fn read_outputs(&self, step: &StepExecution) -> Vec<(String, Output)> {
        let read = self.runbook.outputs_read(&step.name);
        let is_read = |name: &str| read.contains("*") || read.contains(output_and_path(name).0);
        let outputs = step.outputs.iter().filter(|(name, _)| is_read(name));
        outputs.map(|(name, output)| (format!("{}.{name}", step.name), output.clone())).collect()
    }
}

fn refuse(end: &mut StepEnd, message: &str) {
    if end.status == Status::Success {
        *end = StepEnd::failed(message);
    } else {
        let before = end.failure_message.take().map(|before| format!("{before}; ")).unwrap_or_default();
        end.failure_message = Some(format!("{before}{message}"));
    }
}
