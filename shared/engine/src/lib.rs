//! What an execution does next: a pure decision.
//!
//! [`decide`] is given the state of an [`Execution`], its runbook and what the shell has read, and answers with the
//! state after it and the effects to perform once that state is committed. Where it lacks something it says so
//! ([`Rejection::Needs`]), the shell reads just that, and asks again. It looks at state, never at what woke it, so
//! events, wakes, reconcile and the API all end in the same question.
//!
//! The rules are those of `infra/protocols.md`: sends in `plan` and `attend` (P3), verdicts and
//! outputs (P3, P5), halting and deadlines (P6); and those of the SSM User Guide for everything else: where an execution
//! goes (`leave`), loops (`looping`), people's words (`waiting`, `approve`, `signal`), variables (`variable`), conditions
//! (`branch`), what the document gives back (`outputs`). In a rehearsal somebody answers for steps instead of their being
//! performed (`answer`).

mod answer;
mod approve;
mod attend;
mod bound;
mod branch;
mod check;
mod decide;
mod execution;
mod fleet_step;
mod id;
mod input;
mod inputs;
mod leave;
mod loop_frame;
mod looping;
mod open;
mod outputs;
mod path;
mod plan;
mod request;
mod room;
mod scope;
mod send;
mod signal;
mod start;
mod step;
mod stored;
mod turn;
mod variable;
mod verdict;
mod waiting;

pub use bound::{Bound, InvalidBound};
pub use decide::decide;
pub use execution::{Document, Ending, Execution, Pending, PendingKind, Phase, Place, Stop, StopType};
pub use id::{ExecutionId, ListId, ListRef, NodeList, SendToken};
pub use input::{
    Answer, AnswerStatus, Decision, Effect, Ended, Input, Need, Observations, Rejection, Report, SettleAgain,
    Signal, SignalRequest,
};
pub use inputs::{INPUT_ITEMS_MAX, input_lists, inputs};
pub use loop_frame::{LoopFrame, Rounds};
pub use send::{Refusal, Send, SendEnd, SendState, Slice, Stretch, WATCH_AFTER};
pub use start::{Start, start};
pub use step::{
    Approval, ApprovalDecision, ApproverDecision, DoneSend, FleetWork, HaltCause, Output, ParentStep,
    Request, Status, StepExecution, Target, Targets, Work,
};
pub use stored::stored_names;
