//! Faults by script: which call or delivery, and what happens to it. A rule that never applied makes its story worthless,
//! so [`Run::check`](crate::Run::check) holds that each did.

use fleetwright_local::{Call, Channel, Delivery, DeliveryFault, Failure, Fault, Faults};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Which of the matching calls or deliveries a rule applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrences {
    /// Only this one, from 1.
    Nth(u64),
    /// The first so many.
    First(u64),
    /// All.
    Each,
}

impl Occurrences {
    const fn covers(self, count: u64) -> bool {
        match self {
            Self::Nth(nth) => count == nth,
            Self::First(first) => count <= first,
            Self::Each => true,
        }
    }
}

type CallCondition = Box<dyn FnMut(&Call<'_>) -> bool + Send>;
type DeliveryFate = Box<dyn FnMut(&Delivery<'_>) -> DeliveryFault + Send>;

/// What happens to some AWS calls of the functions.
pub struct CallRule {
    operation: Option<String>,
    function: Option<String>,
    about: Option<String>,
    condition: Option<CallCondition>,
    occurrences: Occurrences,
    fault: Fault,
}

/// The first call of this operation by any function, unless said otherwise.
#[must_use]
pub fn on(operation: &str) -> CallRule {
    CallRule { operation: Some(operation.to_owned()), ..any_call() }
}

/// The first call of any operation by any function, unless said otherwise.
#[must_use]
pub fn any_call() -> CallRule {
    CallRule {
        operation: None,
        function: None,
        about: None,
        condition: None,
        occurrences: Occurrences::Nth(1),
        fault: Fault::None,
    }
}

impl CallRule {
    /// Only calls of this function.
    #[must_use]
    pub fn by(self, function: &str) -> Self {
        Self { function: Some(function.to_owned()), ..self }
    }

    /// Only calls whose request contains this text, such as `SEND#`.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self { about: Some(text.to_owned()), ..self }
    }

    /// Only calls for which this holds.
    #[must_use]
    pub fn when(self, condition: impl FnMut(&Call<'_>) -> bool + Send + 'static) -> Self {
        Self { condition: Some(Box::new(condition)), ..self }
    }

    /// The n-th of these calls, from 1.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { occurrences: Occurrences::Nth(nth), ..self }
    }

    /// The first so many of these calls.
    #[must_use]
    pub fn first(self, count: u64) -> Self {
        Self { occurrences: Occurrences::First(count), ..self }
    }

    /// Each of these calls.
    #[must_use]
    pub fn each(self) -> Self {
        Self { occurrences: Occurrences::Each, ..self }
    }

    /// The function dies before the call leaves.
    #[must_use]
    pub fn crash_before(self) -> Self {
        self.fault(Fault::CrashBefore)
    }

    /// The function dies the moment the call is applied.
    #[must_use]
    pub fn crash_after(self) -> Self {
        self.fault(Fault::CrashAfter)
    }

    /// The call is not applied and fails like this.
    #[must_use]
    pub fn fail_before(self, failure: Failure) -> Self {
        self.fault(Fault::FailBefore(failure))
    }

    /// The call is applied, and its caller sees this.
    #[must_use]
    pub fn fail_after(self, failure: Failure) -> Self {
        self.fault(Fault::FailAfter(failure))
    }

    /// The call is refused for the rate of calls.
    #[must_use]
    pub fn throttle(self) -> Self {
        self.fail_before(Failure::Throttled)
    }

    /// The call is applied so much later.
    #[must_use]
    pub fn slow(self, more: Duration) -> Self {
        self.fault(Fault::Slow(more))
    }

    /// The call is applied in time, its answer takes so much longer.
    #[must_use]
    pub fn slow_answer(self, more: Duration) -> Self {
        self.fault(Fault::SlowAfter(more))
    }

    /// What happens to these calls.
    #[must_use]
    pub fn fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    fn matches(&mut self, call: &Call<'_>) -> bool {
        self.operation.as_deref().is_none_or(|operation| operation == call.operation)
            && self.function.as_deref().is_none_or(|function| function == call.function)
            && self.about.as_deref().is_none_or(|text| call.body.to_string().contains(text))
            && self.condition.as_mut().is_none_or(|condition| condition(call))
    }
}

impl fmt::Debug for CallRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, function, about, occurrences, fault, .. } = self;
        write!(f, "{fault:?} on {operation:?} by {function:?} about {about:?}, {occurrences:?}")
    }
}

/// What happens to some deliveries.
pub struct DeliveryRule {
    channels: &'static [Channel],
    about: Option<String>,
    occurrences: Occurrences,
    fate: DeliveryFate,
}

/// Each notification and event of SSM, unless said otherwise.
#[must_use]
pub fn events() -> DeliveryRule {
    deliveries(&[Channel::Topic, Channel::Event])
}

/// Each message of any kind that queues get, wakes included, unless said otherwise.
#[must_use]
pub fn messages() -> DeliveryRule {
    deliveries(&[Channel::Topic, Channel::Event, Channel::Queue])
}

/// Each wake, unless said otherwise.
#[must_use]
pub fn wakes() -> DeliveryRule {
    deliveries(&[Channel::Queue])
}

/// Each tick of reconcile, unless said otherwise.
#[must_use]
pub fn ticks() -> DeliveryRule {
    deliveries(&[Channel::Schedule])
}

fn deliveries(channels: &'static [Channel]) -> DeliveryRule {
    let fate: DeliveryFate = Box::new(|_| DeliveryFault::Deliver);
    DeliveryRule { channels, about: None, occurrences: Occurrences::Each, fate }
}

impl DeliveryRule {
    /// Only what contains this text.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self { about: Some(text.to_owned()), ..self }
    }

    /// The n-th of these, from 1.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { occurrences: Occurrences::Nth(nth), ..self }
    }

    /// The first so many of these.
    #[must_use]
    pub fn first(self, count: u64) -> Self {
        Self { occurrences: Occurrences::First(count), ..self }
    }

    /// They never arrive.
    #[must_use]
    pub fn lost(self) -> Self {
        self.with(|_| DeliveryFault::Drop)
    }

    /// They arrive so many times more, each some time within a minute.
    #[must_use]
    pub fn repeated(self, copies: u32) -> Self {
        self.with(move |_| DeliveryFault::Duplicate(copies))
    }

    /// They arrive so much later.
    #[must_use]
    pub fn late(self, delay: Duration) -> Self {
        self.with(move |_| DeliveryFault::Delay(delay))
    }

    /// Whatever this says.
    #[must_use]
    pub fn with(self, fate: impl FnMut(&Delivery<'_>) -> DeliveryFault + Send + 'static) -> Self {
        Self { fate: Box::new(fate), ..self }
    }
}

impl fmt::Debug for DeliveryRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deliveries over {:?} about {:?}, {:?}", self.channels, self.about, self.occurrences)
    }
}

/// The rules of a story, in order: the first that applies decides.
#[derive(Debug, Default)]
pub(crate) struct Script {
    calls: Vec<(CallRule, u64)>,
    deliveries: Vec<(DeliveryRule, u64)>,
    pub(crate) record: Record,
}

/// What a script came to, for whoever set it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    /// Somebody looks at the story from outside: nothing goes wrong with that, and it counts for nothing.
    paused: bool,
    /// AWS calls of functions.
    calls: u64,
    /// Rules, and how often each applied.
    applied: Vec<(String, u64)>,
}

impl Record {
    fn with<T>(&self, change: impl FnOnce(&mut Recorded) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// AWS calls that functions made so far.
    pub(crate) fn calls(&self) -> u64 {
        self.with(|recorded| recorded.calls)
    }

    pub(crate) fn pause(&self, paused: bool) {
        self.with(|recorded| recorded.paused = paused);
    }

    fn is_paused(&self) -> bool {
        self.with(|recorded| recorded.paused)
    }

    /// Rules that never applied.
    pub(crate) fn idle_rules(&self) -> Vec<String> {
        self.with(|recorded| {
            let idle = recorded.applied.iter().filter(|(_, times)| *times == 0);
            idle.map(|(rule, _)| rule.clone()).collect()
        })
    }
}

impl Script {
    pub(crate) fn call(&mut self, rule: CallRule) {
        self.calls.push((rule, 0));
    }

    pub(crate) fn delivery(&mut self, rule: DeliveryRule) {
        self.deliveries.push((rule, 0));
    }

    /// To be called once the rules stand.
    pub(crate) fn ready(self) -> Self {
        // A rule that only watches need not see anything.
        let calls =
            self.calls.iter().map(|(rule, _)| (format!("{rule:?}"), u64::from(rule.fault == Fault::None)));
        let deliveries = self.deliveries.iter().map(|(rule, _)| (format!("{rule:?}"), 0));
        let applied = calls.chain(deliveries).collect();
        self.record.with(|recorded| recorded.applied = applied);
        self
    }
}

impl Faults for Script {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        if self.record.is_paused() {
            return Fault::None;
        }
        self.record.with(|recorded| recorded.calls += 1);
        // Every rule counts every call that it is about, also those another rule decides.
        let mut decided = Fault::None;
        for (index, (rule, count)) in self.calls.iter_mut().enumerate() {
            if rule.matches(call) {
                *count += 1;
                if decided == Fault::None && rule.occurrences.covers(*count) {
                    decided = rule.fault;
                    self.record.with(|recorded| recorded.applied[index].1 += 1);
                }
            }
        }
        decided
    }

    fn on_delivery(&mut self, delivery: &Delivery<'_>) -> DeliveryFault {
        if self.record.is_paused() {
            return DeliveryFault::Deliver;
        }
        let calls = self.calls.len();
        let mut decided = DeliveryFault::Deliver;
        for (index, (rule, count)) in self.deliveries.iter_mut().enumerate() {
            let about = rule.about.as_deref().is_none_or(|text| delivery.body.contains(text));
            if about && rule.channels.contains(&delivery.channel) {
                *count += 1;
                if decided == DeliveryFault::Deliver && rule.occurrences.covers(*count) {
                    decided = (rule.fate)(delivery);
                    self.record.with(|recorded| recorded.applied[calls + index].1 += 1);
                }
            }
        }
        decided
    }
}
