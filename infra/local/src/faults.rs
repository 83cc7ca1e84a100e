//! What may go wrong, decided by whoever runs the simulation. Without a say of theirs, nothing does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::protocol::Service;

/// Decides the faults of a run. All methods are called in an order that is a function of the seed.
pub trait Faults: Send {
    /// Asked once for each AWS call, when the request leaves the caller.
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        let _ = call;
        Fault::None
    }

    /// Asked once for each message or event on its way to one receiver.
    fn on_delivery(&mut self, delivery: &Delivery<'_>) -> DeliveryFault {
        let _ = delivery;
        DeliveryFault::Deliver
    }

    /// How far the clock of a new execution environment is off.
    fn skew(&mut self, function: &str) -> SignedDuration {
        let _ = function;
        SignedDuration::ZERO
    }

    /// How long one invocation may take, `limit` being what its function is configured with. Shorter models a
    /// function that runs out of time.
    fn time_limit(&mut self, function: &str, limit: Duration) -> Duration {
        let _ = function;
        limit
    }
}

/// Nothing ever goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}

/// One AWS call on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The calling function, or the name of the client outside any function.
    pub function: &'a str,
    /// The service called.
    pub service: Service,
    /// The operation, as the API names it.
    pub operation: &'a str,
    /// The decoded request.
    pub body: &'a Value,
    /// How many calls left before this one, in the whole simulation.
    pub index: u64,
    /// True virtual time.
    pub now: Timestamp,
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It goes through.
    #[default]
    None,
    /// It fails and was not applied.
    FailBefore(Failure),
    /// It was applied, but the caller sees a failure. A [`Failure::is_refusal`] is never applied, here neither.
    FailAfter(Failure),
    /// It takes this much longer until it is applied. It is, even if the caller has given up by then.
    Slow(Duration),
    /// It is applied in time, but the answer takes this much longer.
    SlowAfter(Duration),
    /// The caller dies before the request leaves. For a client outside any function: a reset connection.
    CrashBefore,
    /// The caller dies the moment the request was applied. For a client outside any function: a reset connection.
    CrashAfter,
}

/// How a call fails, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer within the connector's patience ([`crate::connector::PATIENCE`]).
    Timeout,
    /// The connection breaks.
    Reset,
    /// The service answers 500 InternalServerError.
    Http500,
    /// The service refuses for the rate of requests, by the name it uses for that.
    Throttled,
    /// DynamoDB refuses because another transaction holds the item. Other services answer as if throttled.
    TransactionConflict,
}

impl Failure {
    /// Whether the caller may know from the answer that nothing was applied.
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Throttled | Self::TransactionConflict => true,
            Self::Timeout | Self::Reset | Self::Http500 => false,
        }
    }
}

/// What carries a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// A topic to one of its subscriptions.
    Topic,
    /// A rule with a pattern to its target.
    Event,
    /// A rule with a schedule to its target.
    Schedule,
    /// A message sent to a queue by a client.
    Queue,
}

/// One message or event on its way to one receiver.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// What carries it.
    pub channel: Channel,
    /// The topic's ARN, the rule's name, or the calling function for a queue.
    pub from: &'a str,
    /// The queue or function that is to receive it.
    pub to: &'a str,
    /// What the receiver gets: a message's text, or an event as JSON.
    pub body: &'a str,
    /// How many deliveries were decided before this one.
    pub index: u64,
    /// True virtual time.
    pub now: Timestamp,
}

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeliveryFault {
    /// It arrives once.
    #[default]
    Deliver,
    /// It never arrives.
    Drop,
    /// It arrives, and then this many times again, each with a delay of its own of up to a minute.
    Duplicate(u32),
    /// It arrives, and once more some milliseconds later: two receivers have it at the same time.
    Twin,
    /// It arrives this much later.
    Delay(Duration),
}
