//! Which nodes are meant.

use crate::resource::Resource;

/// Those of a step, or of an outcome; all by default.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter<'a> {
    /// Only those of this step.
    pub(crate) step: Option<&'a str>,
    /// Only those of this outcome.
    pub(crate) outcome: Option<&'a str>,
}

impl Filter<'_> {
    /// A resource of these nodes only.
    pub(super) fn narrow(&self, resource: Resource) -> Resource {
        resource.with_some("step", self.step).with_some("status", self.outcome)
    }
}
