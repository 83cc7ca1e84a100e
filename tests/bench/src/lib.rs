//! What the budgets are measured with. What can be counted is counted here, over the production code in virtual time, and
//! held by this package's tests; `cargo xtask bench` measures times, memory and sizes beside it.

pub mod budgets;
pub mod burst;
pub mod memory;
pub mod onlooker;
pub mod programs;
pub mod report;
pub mod rivals;
pub mod simulation;
pub mod size;
pub mod start_up;
pub mod step_change;
pub mod summary;
pub mod targets;
pub mod throughput;
pub mod time;
pub mod warm_up;
