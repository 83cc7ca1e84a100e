//! The outputs of the document (User Guide, documents-syntax-data-elements-parameters: `outputs`).

use crate::execution::EXECUTION_BYTES_MAX;
use crate::leave::{MESSAGE_BYTES_MAX, shortened};
use crate::path::walk;
use crate::scope::{Unresolved, kept};
use crate::turn::Turn;
use crate::{Output, Rejection};
use fleetwright_runbook::{Reference, StepName};

/// What the item still takes on once its outputs are in it: the warning, and when it ended.
const LAST_BYTES: usize = MESSAGE_BYTES_MAX + 500;

impl Turn<'_> {
    /// What `outputs:` names of what was kept, in that order: `step.Output`, a path into it, or all of a step with
    /// `step.*`.
    pub(crate) fn document_outputs(&self) -> Result<Vec<(String, Output)>, Rejection> {
        let mut found = Vec::new();
        for reference in self.runbook.outputs.iter().filter_map(|wanted| wanted.reference.as_ref()) {
            let Reference::StepOutput { step, output } = reference else { continue };
            if output == "*" {
                let prefix = format!("{step}.");
                let all = self.execution.outputs.iter().filter(|(name, _)| name.starts_with(&prefix));
                found.extend(all.map(|(name, output)| (name.clone(), output.clone())));
            } else if let Some(output) = self.kept_output(step, output)? {
                found.push((reference.to_string(), output));
            }
        }
        Ok(found)
    }

    fn kept_output(&self, step: &StepName, output: &str) -> Result<Option<Output>, Rejection> {
        let Some((kept, path)) = kept(&self.execution.outputs, step, output) else { return Ok(None) };
        match kept {
            Output::Value(value) => Ok(walk(value, path).cloned().map(Output::Value)),
            Output::Nodes(_) if path.is_empty() => Ok(Some(kept.clone())),
            Output::Nodes(list) => match self.scope().nodes(list) {
                Ok(nodes) => Ok(walk(&nodes, path).cloned().map(Output::Value)),
                Err(Unresolved::Needs(need)) => Err(Rejection::Needs(vec![need])),
                Err(Unresolved::Missing(_)) => Ok(None),
            },
        }
    }

    /// Keeps the outputs of the document that there is room for, the first first: each had room once, but a document
    /// may name one several times, in whole and in parts. Names those left out: all the work is done, and the execution
    /// ends as it would.
    pub(crate) fn keep_document_outputs(&mut self, outputs: Vec<(String, Output)>) -> Option<String> {
        let mut room = (EXECUTION_BYTES_MAX - LAST_BYTES).saturating_sub(self.execution.item_bytes());
        let mut left_out = Vec::new();
        for (name, output) in outputs {
            // With a colon and a comma.
            let bytes = serde_json::to_vec(&(&name, &output)).map_or(usize::MAX, |text| text.len());
            if self.execution.document_outputs.contains_key(&name) || left_out.contains(&name) {
                continue;
            }
            match room.checked_sub(bytes) {
                None => left_out.push(name),
                Some(rest) => {
                    room = rest;
                    self.execution.document_outputs.insert(name, output);
                }
            }
        }
        let names = left_out.join(", ");
        (!left_out.is_empty()).then(|| shortened(&format!("There was no room for the outputs {names}")))
    }
}
