//! Which steps can follow which, and whether they ever lead back.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Action, Code, Diagnostic, Runbook, Step, StepName};

/// The steps that can come directly after a step. A failed step that continues goes where a successful one
/// goes, so `onFailure: Continue` adds none.
pub(crate) fn successors<'a>(runbook: &'a Runbook, step: &'a Step) -> Vec<&'a StepName> {
    let mut found: Vec<&StepName> = Vec::new();
    let mut add = |name: &'a StepName| {
        if !found.contains(&name) {
            found.push(name);
        }
    };
    let mut falls_through = true;
    if let Action::Branch(branch) = &step.action {
        branch.choices.iter().for_each(|choice| add(&choice.next_step));
        if let Some(default) = &branch.default {
            add(default);
            falls_through = false;
        }
    }
    if falls_through && let Some(next) = runbook.next(step) {
        add(&next.name);
    }
    if let Some(name) = step.on_failure().step() {
        add(name);
    }
    if let Some(name) = step.on_cancel.step() {
        add(name);
    }
    found
}

/// How many circles are shown: a tangle of thousands of steps has as many, each as long.
const CIRCLES_MAX: usize = 10;

/// One diagnostic per circle: "Before processing a runbook, the system verifies that the runbook doesn't
/// create an infinite loop" (SSM User Guide, automation-branching).
pub(crate) fn cycles(runbook: &Runbook) -> Vec<Diagnostic> {
    let mut search =
        Search { runbook, state: BTreeMap::new(), seen: BTreeSet::new(), diagnostics: Vec::new() };
    for step in runbook.all_steps() {
        if !search.state.contains_key(&step.name) {
            search.walk(&step.name);
        }
    }
    search.diagnostics
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    OnPath,
    Done,
}

struct Search<'a> {
    runbook: &'a Runbook,
    state: BTreeMap<&'a StepName, Visit>,
    seen: BTreeSet<BTreeSet<&'a StepName>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Search<'a> {
    /// Depth first with a stack of its own: a document may have thousands of steps in a row.
    fn walk(&mut self, start: &'a StepName) {
        self.state.insert(start, Visit::OnPath);
        let mut path = vec![(start, self.runbook.successors(start).into_iter())];
        while let Some((name, successors)) = path.last_mut() {
            let Some(next) = successors.next() else {
                self.state.insert(name, Visit::Done);
                path.pop();
                continue;
            };
            match self.state.get(next) {
                Some(Visit::Done) => {}
                Some(Visit::OnPath) => {
                    let names = path.iter().map(|(name, _)| *name);
                    let circle: Vec<&StepName> = names.skip_while(|name| *name != next).collect();
                    self.report(&circle);
                }
                None => {
                    self.state.insert(next, Visit::OnPath);
                    path.push((next, self.runbook.successors(next).into_iter()));
                }
            }
        }
    }

    fn report(&mut self, circle: &[&'a StepName]) {
        let (Some(first), Some(last)) = (circle.first(), circle.last()) else { return };
        if self.diagnostics.len() == CIRCLES_MAX || !self.seen.insert(circle.iter().copied().collect()) {
            return;
        }
        let Some(step) = self.runbook.step(last.as_str()) else { return };
        let names: Vec<&str> = circle.iter().chain([first]).map(|name| name.as_str()).collect();
        let message = format!("steps lead back to themselves: {}", names.join(" -> "));
        self.diagnostics.push(
            Diagnostic::new(Code::Cycle, step.position, message)
                .hint("end the circle with isEnd, or repeat steps with maxAttempts or aws:loop"),
        );
    }
}
