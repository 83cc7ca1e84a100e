//! What people see while an execution runs.

use crate::args::Format;
use crate::bars::Bars;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::snapshot::{self, Snapshot};
use crate::view::StepView;
use fleetwright_local::Cloud;
use fleetwright_local::fleet::Fleet;
use jiff::{SignedDuration, Timestamp};
use std::io::{IsTerminal, stdout};

/// Something that shows an execution.
pub(crate) trait Display {
    /// Time has passed.
    fn tick(&mut self, now: Timestamp);
    /// Something has changed.
    fn show(&mut self, steps: &[StepView], now: Timestamp);
    /// The execution is over.
    fn finish(&mut self);
}

/// What suits whoever reads standard output.
pub(crate) fn display(format: Format) -> Box<dyn Display> {
    match format {
        Format::Json => Box::new(Nothing),
        Format::Text if stdout().is_terminal() => Box::new(Bars::new()),
        Format::Text => Box::new(Lines::new()),
    }
}

/// Shows nothing.
struct Nothing;

impl Display for Nothing {
    fn tick(&mut self, _now: Timestamp) {}
    fn show(&mut self, _steps: &[StepView], _now: Timestamp) {}
    fn finish(&mut self) {}
}

/// Watches one execution, and shows what changes.
pub(crate) struct Watch<'a> {
    fleet: &'a Fleet,
    id: &'a str,
    display: Box<dyn Display>,
    writes: u64,
    seen: Option<(usize, u64, bool)>,
    changed_at: Timestamp,
    failure: Option<Failure>,
}

impl<'a> Watch<'a> {
    /// A watch of an execution of that id, which begins now.
    pub(crate) fn new(fleet: &'a Fleet, id: &'a str, display: Box<dyn Display>, now: Timestamp) -> Self {
        Self { fleet, id, display, writes: 0, seen: None, changed_at: now, failure: None }
    }

    /// Looks, and shows what is new. Reads the table only after something was written to it.
    pub(crate) fn look(&mut self, cloud: &Cloud) {
        let now = cloud.now();
        let writes = snapshot::writes(cloud);
        if writes == self.writes || self.failure.is_some() {
            self.display.tick(now);
            return;
        }
        self.writes = writes;
        match Snapshot::take(cloud, self.fleet, self.id) {
            Ok(snapshot) => self.take(&snapshot, now),
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn take(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let finished =
            snapshot.steps.iter().filter_map(|sight| sight.counts).map(|counts| counts.total()).sum();
        let seen = (snapshot.steps.len(), finished, snapshot.is_over());
        if self.seen != Some(seen) {
            self.seen = Some(seen);
            self.changed_at = now;
        }
        let steps: Vec<StepView> = snapshot.steps.iter().map(StepView::from).collect();
        self.display.show(&steps, now);
    }

    /// How long nobody has seen anything happen.
    pub(crate) fn quiet_for(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.changed_at)
    }

    /// Ends the watch.
    ///
    /// # Errors
    /// The execution could not be read.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.display.finish();
        self.failure.map_or(Ok(()), Err)
    }
}
