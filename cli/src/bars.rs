//! Progress as bars, for a terminal: one for each step, its nodes by outcome.

use crate::progress::Display;
use crate::sheet::coloured;
use crate::text::{self, OUTCOMES};
use crate::view::StepView;
use console::style;
use fleetwright_fleet::Counts;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Cells of a bar.
const CELLS: u64 = 36;
/// Where steps of usual names line up.
const NAME_CHARS: usize = 16;

/// Bars on standard output.
pub(crate) struct Bars {
    all: MultiProgress,
    clock: ProgressBar,
    /// Bars of steps under way.
    open: BTreeMap<u32, ProgressBar>,
    /// Steps that are over. Their lines scroll away: a loop has more of them than a screen has lines.
    over: BTreeSet<u32>,
}

impl Bars {
    /// A clock, and no step yet.
    pub(crate) fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let clock = all.add(plain());
        Self { all, clock, open: BTreeMap::new(), over: BTreeSet::new() }
    }

    /// Prints a step's last line above the bars, once.
    fn end(&mut self, step: &StepView) {
        if !self.over.insert(step.ordinal) {
            return;
        }
        if let Some(bar) = self.open.remove(&step.ordinal) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        // Whoever closed the terminal is told when the result cannot be written either.
        let _ = self.all.println(line(step));
    }
}

/// A line whose text we make ourselves: a bar of several colours is more than a template can say.
fn plain() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new_spinner().with_style(style)
}

impl Display for Bars {
    fn tick(&mut self, now: Timestamp) {
        self.clock.set_message(style(text::clock(now)).dim().to_string());
    }

    fn show(&mut self, steps: &[StepView], now: Timestamp) {
        self.tick(now);
        for step in steps {
            if step.is_over() {
                self.end(step);
                continue;
            }
            let bar = self.open.entry(step.ordinal).or_insert_with(|| {
                // The clock stays below the steps.
                self.all.insert_before(&self.clock, plain())
            });
            bar.set_message(line(step));
        }
    }

    fn finish(&mut self) {
        // What is still open stays as it was last seen.
        self.open.values().for_each(ProgressBar::abandon);
        self.clock.finish_and_clear();
        println!();
    }
}

fn line(step: &StepView) -> String {
    let name = format!("{:NAME_CHARS$}", step.name);
    let Some(counts) = step.counts else {
        let what = match &step.next_step {
            Some(next) => format!("→ {next}"),
            None if step.is_over() => step.status.clone(),
            None => format!("{} {}", step.action, step.status),
        };
        return format!("{name}  {}", style(what).dim());
    };
    let total = step.total.unwrap_or(0).max(counts.total());
    let done = format!("{:>6}/{total:<6}", counts.total());
    format!("{}  {}{done}  {}", style(name).bold(), cells(counts, total), words(counts))
}

/// The bar: a stretch of each outcome, and what is still to come.
fn cells(counts: Counts, total: u64) -> String {
    let mut bar = String::new();
    let (mut nodes, mut drawn) = (0, 0);
    for outcome in OUTCOMES {
        nodes += counts.of(outcome);
        let until = (nodes * CELLS).checked_div(total).unwrap_or(0);
        if until > drawn {
            bar.push_str(&coloured(outcome, "█".repeat(width(until - drawn))).to_string());
        }
        drawn = until;
    }
    bar.push_str(&style("░".repeat(width(CELLS - drawn))).dim().to_string());
    bar
}

fn words(counts: Counts) -> String {
    let some = OUTCOMES.into_iter().filter(|outcome| counts.of(*outcome) > 0);
    let word =
        |outcome| coloured(outcome, format!("{} {}", counts.of(outcome), text::word(outcome))).to_string();
    some.map(word).collect::<Vec<_>>().join("  ")
}

fn width(cells: u64) -> usize {
    usize::try_from(cells).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_always_of_one_width() {
        for (success, failed, total) in [(0, 0, 0), (0, 0, 120), (1, 1, 120), (60, 7, 120), (113, 7, 120)] {
            let counts = Counts { success, failed, ..Counts::default() };
            assert_eq!(
                console::measure_text_width(&cells(counts, total)),
                width(CELLS),
                "{counts:?} of {total}"
            );
        }
    }
}
