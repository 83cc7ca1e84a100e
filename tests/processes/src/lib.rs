//! The functions as processes of their own, on an emulated Lambda that kills them.
//!
//! [`Lambda`] answers the Invoke API on one side and the Runtime API on the other, and keeps the processes. A process
//! that is killed takes its invocation with it, as an execution environment does that dies.

mod http;
mod invocations;
mod lambda;

pub use lambda::{Function, Killed, Lambda};
