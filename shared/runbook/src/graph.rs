//! Which steps can follow which, and whether they ever lead back.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Action, Code, Diagnostic, Runbook, Step, StepName, outline::Outline};

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
pub(crate) fn cycles(outline: &Outline) -> Vec<Diagnostic> {
    let mut search = Search {
        outline,
        visits: vec![None; outline.steps.len()],
        seen: BTreeSet::new(),
        diagnostics: Vec::new(),
    };
    for at in 0..outline.steps.len() {
        if search.visits[at].is_none() {
            search.walk(at);
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
    outline: &'a Outline,
    visits: Vec<Option<Visit>>,
    seen: BTreeSet<BTreeSet<usize>>,
    diagnostics: Vec<Diagnostic>,
}

impl Search<'_> {
    /// Depth first with a stack of its own: a document may have thousands of steps in a row.
    fn walk(&mut self, start: usize) {
        self.visits[start] = Some(Visit::OnPath);
        let outline = self.outline;
        let mut path = vec![(start, outline.steps[start].next.iter())];
        while let Some((at, successors)) = path.last_mut() {
            let Some(next) = successors.next().copied() else {
                self.visits[*at] = Some(Visit::Done);
                path.pop();
                continue;
            };
            match self.visits[next] {
                Some(Visit::Done) => {}
                Some(Visit::OnPath) => {
                    let circle: Vec<usize> =
                        path.iter().map(|(at, _)| *at).skip_while(|at| *at != next).collect();
                    self.report(&circle);
                }
                None => {
                    self.visits[next] = Some(Visit::OnPath);
                    path.push((next, outline.steps[next].next.iter()));
                }
            }
        }
    }

    fn report(&mut self, circle: &[usize]) {
        let (Some(first), Some(last)) = (circle.first(), circle.last()) else { return };
        if self.diagnostics.len() == CIRCLES_MAX || !self.seen.insert(circle.iter().copied().collect()) {
            return;
        }
        let name = |at: &usize| self.outline.steps[*at].name.as_ref().map_or("?", StepName::as_str);
        let names: Vec<&str> = circle.iter().chain([first]).map(name).collect();
        let message = format!("steps lead back to themselves: {}", names.join(" -> "));
        let position = self.outline.steps[*last].position;
        self.diagnostics.push(
            Diagnostic::new(Code::Cycle, position, message)
                .hint("end the circle with isEnd, or repeat steps with maxAttempts or aws:loop"),
        );
    }
}

/// Which steps can have run before which.
pub(crate) struct Reach<'a> {
    outline: &'a Outline,
    /// What follows a step, for the steps that were asked about.
    known: BTreeMap<usize, Vec<bool>>,
}

impl<'a> Reach<'a> {
    pub(crate) fn new(outline: &'a Outline) -> Self {
        Self { outline, known: BTreeMap::new() }
    }

    /// Whether `later` can run after `earlier` has. Steps of one loop can, in its next round, and what
    /// follows a loop follows its steps.
    pub(crate) fn follows(&mut self, earlier: usize, later: usize) -> bool {
        let before = &self.outline.steps[earlier].loops;
        let after = &self.outline.steps[later].loops;
        // The loop itself asks its condition after each round.
        let shares_a_loop = !before.is_empty() && before.first() == after.first().or(Some(&later));
        if shares_a_loop || after.contains(&earlier) {
            return true;
        }
        let outermost = |at: usize, loops: &[usize]| loops.first().copied().unwrap_or(at);
        let (from, to) = (outermost(earlier, before), outermost(later, after));
        let outline = self.outline;
        self.known.entry(from).or_insert_with(|| reachable(outline, from))[to]
    }
}

fn reachable(outline: &Outline, from: usize) -> Vec<bool> {
    let mut reached = vec![false; outline.steps.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        let step = &outline.steps[at];
        if step.leads_anywhere {
            return vec![true; outline.steps.len()];
        }
        for next in &step.next {
            if !std::mem::replace(&mut reached[*next], true) {
                open.push(*next);
            }
        }
    }
    reached
}
