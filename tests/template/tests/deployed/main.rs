//! `template.yaml` held against the code: `cargo xtask template` expands it and runs these.

mod alarms;
mod calls;
mod endpoints;
mod environment;
mod events;
mod permissions;
mod queues;
mod table;
