//! The checks. Each makes one finding, or one for each thing there is several of.

pub(super) mod clocks;
pub(super) mod events;
pub(super) mod functions;
pub(super) mod notifications;
pub(super) mod queues;
mod rules;
pub(super) mod schedule;
pub(super) mod table;
