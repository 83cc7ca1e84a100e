//! What an execution does next: a pure decision.
//!
//! [`decide`] is given the state of an [`Execution`], its runbook and what the shell has read, and answers with the
//! state after it and the effects to perform once that state is committed. Where it lacks something it says so
//! ([`Rejection::Needs`]), the shell reads just that, and asks again. It looks at state, never at what woke it, so
//! events, wakes, reconcile and the API all end in the same question.
//!
//! The rules are those of `infra/protocols.md`: sends in `plan` and `attend` (P3), verdicts and
//! outputs (P3, P5), halting and deadlines (P6).

mod attend;
mod bound;
mod branch;
mod decide;
mod execution;
mod fleet_step;
mod id;
mod input;
mod leave;
mod open;
mod plan;
mod request;
mod scope;
mod send;
mod start;
mod step;
mod turn;
mod verdict;

pub use bound::{Bound, InvalidBound};
pub use decide::decide;
pub use execution::{
    Document, EXECUTION_AGE_MAX, EXECUTION_BYTES_MAX, Ending, Execution, LIVE_SENDS_MAX, Pending,
    PendingKind, Phase, Place, STEP_BYTES_MAX, Stop, StopType, UNSETTLED_MAX,
};
pub use id::{ExecutionId, ListId, ListRef, NodeList, SendToken, TOKEN_CHARS};
pub use input::{Decision, Effect, Ended, Input, Need, Observations, Rejection, Report, SettleAgain, Signal};
pub use plan::{CONCURRENCY_DEFAULT, NODES_PER_SEND_MAX};
pub use send::{
    FIRST_LOOK_AFTER, LOOKS_TO_ABSENT, Refusal, Send, SendEnd, SendState, Slice, Stretch, WATCH_AFTER,
};
pub use start::{Start, start};
pub use step::{
    DoneSend, FleetWork, HaltCause, Halting, Output, Request, Status, StepExecution, Target, Targets, Work,
};
pub use turn::STEPS_PER_COMMIT_MAX;
