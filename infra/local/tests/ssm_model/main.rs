//! The model of SSM Run Command against what SSM's documents and recorded answers say.

mod cancels;
mod determinism;
mod documents;
mod fleets;
mod notifications;
mod patches;
mod rates;
mod reads;
mod requests;
mod statuses;
mod support;
mod timeouts;
