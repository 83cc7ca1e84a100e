use jiff::{SignedDuration, Timestamp};

use crate::{OrReference, Template};

/// `aws:sleep` (SSM User Guide, automation-action-sleep).
#[derive(Clone, Debug, PartialEq)]
pub enum Sleep {
    /// For that long, at most [`SLEEP_MAX`](crate::SLEEP_MAX).
    Duration(OrReference<SignedDuration>),
    /// Until then; not at all if that is past.
    Timestamp(OrReference<Timestamp>),
}

impl Sleep {
    /// The template, if the moment is known only when its references are.
    pub fn template(&self) -> Option<&Template> {
        match self {
            Self::Duration(duration) => duration.template(),
            Self::Timestamp(timestamp) => timestamp.template(),
        }
    }
}
