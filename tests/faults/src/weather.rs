//! What goes wrong in a run: rates drawn from the seed, and the faults that follow from them.

use crate::Sometimes;
use crate::dice::Dice;
use fleetwright_local::protocol::Service;
use fleetwright_local::{Call, Channel, Delivery, DeliveryFault, Failure, Fault, Faults};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Hosts differ from true time by no more (protocols, P3).
const SKEW_MS_MAX: i64 = 10_000;

/// What is under way to a queue longer than this has been told to come later.
const ARRIVED_SINCE: SignedDuration = SignedDuration::from_secs(30);

/// Calls that fail alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Send,
    Ssm,
    Commit,
    Write,
    Read,
    Message,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Send, Self::Ssm, Self::Commit, Self::Write, Self::Read, Self::Message];

    fn of(call: &Call<'_>) -> Self {
        match (call.service, call.operation) {
            (Service::Ssm, "SendCommand") => Self::Send,
            (Service::Ssm, _) => Self::Ssm,
            (Service::DynamoDb, "TransactWriteItems") => Self::Commit,
            (Service::DynamoDb, "GetItem" | "BatchGetItem" | "Query") => Self::Read,
            (Service::DynamoDb, _) => Self::Write,
            (Service::Sns | Service::Sqs | Service::EventBridge, _) => Self::Message,
        }
    }
}

/// How often each thing goes wrong with calls of one kind, 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
struct CallRates {
    crash_before: f64,
    crash_after: f64,
    fail_before: f64,
    fail_after: f64,
    slow: f64,
    slow_after: f64,
    refused: f64,
}

impl CallRates {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            crash_before: dice.rate(),
            crash_after: dice.rate(),
            fail_before: dice.rate(),
            fail_after: dice.rate(),
            slow: dice.rate(),
            slow_after: dice.rate(),
            refused: dice.rate(),
        }
    }
}

/// How often each thing goes wrong with deliveries over one channel, 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
struct DeliveryRates {
    drop: f64,
    duplicate: f64,
    delay: f64,
    /// The longest delay.
    delay_max: Duration,
}

impl DeliveryRates {
    fn draw(dice: &mut Dice) -> Self {
        let minutes = *dice.of(&[1, 1, 5, 20, 90]);
        Self {
            drop: dice.rate(),
            duplicate: dice.rate(),
            delay: dice.rate(),
            delay_max: Duration::from_mins(minutes),
        }
    }
}

/// The rates of one run.
#[derive(Debug, Clone)]
struct Rates {
    calls: [CallRates; Kind::ALL.len()],
    topic: DeliveryRates,
    event: DeliveryRates,
    schedule: DeliveryRates,
    queue: DeliveryRates,
    /// Invocations that run out of time early.
    short: f64,
    skewed: bool,
}

impl Rates {
    fn draw(dice: &mut Dice) -> Self {
        // Some runs are calm but for a few kinds of call: where everything fails, little is reached.
        let calm = dice.hits(0.3);
        let mut calls = [CallRates::default(); Kind::ALL.len()];
        for rates in &mut calls {
            let drawn = CallRates::draw(dice);
            if !calm || dice.hits(0.3) {
                *rates = drawn;
            }
        }
        Self {
            calls,
            topic: DeliveryRates::draw(dice),
            event: DeliveryRates::draw(dice),
            schedule: DeliveryRates::draw(dice),
            queue: DeliveryRates::draw(dice),
            short: dice.rate(),
            skewed: dice.hits(0.5),
        }
    }

    /// Nothing goes wrong with calls, and no message of any kind arrives but the schedule's.
    fn everything_lost() -> Self {
        let lost = DeliveryRates { drop: 1.0, ..DeliveryRates::default() };
        Self {
            calls: [CallRates::default(); Kind::ALL.len()],
            topic: lost,
            event: lost,
            schedule: DeliveryRates::default(),
            queue: lost,
            short: 0.0,
            skewed: false,
        }
    }

    fn of(&self, channel: Channel) -> DeliveryRates {
        match channel {
            Channel::Topic => self.topic,
            Channel::Event => self.event,
            Channel::Schedule => self.schedule,
            Channel::Queue => self.queue,
        }
    }
}

/// A message that was put under way to a queue of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentMessage {
    pub(crate) queue: String,
    pub(crate) body: String,
    /// When its first copy is there; never, if it was lost.
    pub(crate) arrives_at: Option<Timestamp>,
}

/// The weather of a run: who decides what goes wrong, shared with whoever runs it.
#[derive(Debug, Clone)]
pub(crate) struct Weather(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    rates: Rates,
    dice: Dice,
    is_calm: bool,
    /// Chances for something to go wrong so far, and after how many nothing does any more.
    chances: u64,
    chances_max: u64,
    sometimes: Sometimes,
    sent: Vec<SentMessage>,
}

impl Weather {
    /// The weather of a seed. After `chances_max` chances nothing goes wrong any more.
    pub(crate) fn drawn(seed: u64, chances_max: u64) -> Self {
        let mut dice = Dice::new(seed, "weather");
        let rates = Rates::draw(&mut dice);
        Self::of(rates, dice, chances_max)
    }

    /// Every message is lost.
    pub(crate) fn everything_lost(seed: u64) -> Self {
        Self::of(Rates::everything_lost(), Dice::new(seed, "weather"), u64::MAX)
    }

    fn of(rates: Rates, dice: Dice, chances_max: u64) -> Self {
        let sometimes = Sometimes::default();
        let state =
            State { rates, dice, is_calm: false, chances: 0, chances_max, sometimes, sent: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm(&self) {
        self.lock().is_calm = true;
    }

    /// Chances for something to go wrong that there were.
    pub(crate) fn chances(&self) -> u64 {
        self.lock().chances
    }

    /// The faults that happened.
    pub(crate) fn sometimes(&self) -> Sometimes {
        self.lock().sometimes.clone()
    }

    /// When the last message arrives that is under way.
    pub(crate) fn last_arrival(&self) -> Timestamp {
        self.lock().sent.iter().filter_map(|message| message.arrives_at).max().unwrap_or(Timestamp::MIN)
    }

    /// Messages that have reached queues some time before `now`.
    pub(crate) fn arrived(&self, now: Timestamp) -> Vec<SentMessage> {
        let before = now - ARRIVED_SINCE;
        let state = self.lock();
        let arrived = |message: &&SentMessage| message.arrives_at.is_some_and(|at| at < before);
        state.sent.iter().filter(arrived).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether something may go wrong now. Counted whether or not it does, so that a run cut short is the same up to
    /// where it is cut.
    fn may_go_wrong(&mut self) -> bool {
        self.chances += 1;
        !self.is_calm && self.chances <= self.chances_max
    }

    fn fault(&mut self, call: &Call<'_>) -> Fault {
        let rates = self.rates.calls[Kind::of(call) as usize];
        let dice = &mut self.dice;
        let second = Duration::from_secs(1);
        let failure = *dice.of(&[Failure::Timeout, Failure::Reset, Failure::Reset, Failure::Http500]);
        let delay = dice.duration(second / 2, second * 15);
        let refusal = if Kind::of(call) == Kind::Commit && dice.hits(0.5) {
            Failure::TransactionConflict
        } else {
            Failure::Throttled
        };
        let drawn = [
            (rates.crash_before, Fault::CrashBefore),
            (rates.crash_after, Fault::CrashAfter),
            (rates.fail_before, Fault::FailBefore(failure)),
            (rates.fail_after, Fault::FailAfter(failure)),
            (rates.slow, Fault::Slow(delay)),
            (rates.slow_after, Fault::SlowAfter(delay)),
            (rates.refused, Fault::FailBefore(refusal)),
        ];
        drawn.into_iter().find(|(rate, _)| dice.hits(*rate)).map_or(Fault::None, |(_, fault)| fault)
    }

    fn fate(&mut self, channel: Channel) -> DeliveryFault {
        let rates = self.rates.of(channel);
        let dice = &mut self.dice;
        let copies = u32::try_from(dice.mostly_small(1, 4)).unwrap_or(1);
        let longest = dice.duration(Duration::from_secs(5), rates.delay_max);
        let delay = dice.duration(Duration::from_secs(1), longest);
        let drawn = [
            (rates.drop, DeliveryFault::Drop),
            (rates.duplicate, DeliveryFault::Duplicate(copies)),
            (rates.delay, DeliveryFault::Delay(delay)),
        ];
        drawn.into_iter().find(|(rate, _)| dice.hits(*rate)).map_or(DeliveryFault::Deliver, |(_, fault)| fault)
    }
}

impl Faults for Weather {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        let mut state = self.lock();
        // Whoever only looks at the simulation from outside is spared.
        if !state.may_go_wrong() {
            return Fault::None;
        }
        let fault = state.fault(call);
        if let Some(name) = fault_name(fault) {
            state.sometimes.count(name);
        }
        fault
    }

    fn on_delivery(&mut self, delivery: &Delivery<'_>) -> DeliveryFault {
        let mut state = self.lock();
        let fault = if state.may_go_wrong() { state.fate(delivery.channel) } else { DeliveryFault::Deliver };
        if delivery.channel != Channel::Schedule {
            let arrives_at = match fault {
                DeliveryFault::Drop => None,
                DeliveryFault::Delay(delay) => Some(delivery.now + delay),
                DeliveryFault::Deliver | DeliveryFault::Duplicate(_) => Some(delivery.now),
            };
            let (queue, body) = (delivery.to.to_owned(), delivery.body.to_owned());
            state.sent.push(SentMessage { queue, body, arrives_at });
        }
        match fault {
            DeliveryFault::Deliver => {}
            DeliveryFault::Drop => state.sometimes.count("fault: delivery dropped"),
            DeliveryFault::Duplicate(_) => state.sometimes.count("fault: delivery duplicated"),
            DeliveryFault::Delay(_) => state.sometimes.count("fault: delivery delayed"),
        }
        fault
    }

    fn skew(&mut self, _: &str) -> SignedDuration {
        let mut state = self.lock();
        if !state.may_go_wrong() || !state.rates.skewed {
            return SignedDuration::ZERO;
        }
        state.sometimes.count("fault: clock off");
        let span = u64::try_from(2 * SKEW_MS_MAX).unwrap_or(0);
        let drawn = i64::try_from(state.dice.between(0, span)).unwrap_or(0);
        SignedDuration::from_millis(drawn - SKEW_MS_MAX)
    }

    fn time_limit(&mut self, _: &str, limit: Duration) -> Duration {
        let mut state = self.lock();
        let short = state.rates.short;
        if !state.may_go_wrong() || !state.dice.hits(short) {
            return limit;
        }
        state.sometimes.count("fault: time ran out early");
        state.dice.duration(Duration::from_millis(5), limit)
    }
}

fn fault_name(fault: Fault) -> Option<&'static str> {
    let name = match fault {
        Fault::None => return None,
        Fault::FailBefore(Failure::Throttled) => "fault: throttled",
        Fault::FailBefore(Failure::TransactionConflict) => "fault: transaction conflict",
        Fault::FailBefore(Failure::Timeout) => "fault: no answer, not applied",
        Fault::FailBefore(Failure::Reset) => "fault: connection lost, not applied",
        Fault::FailBefore(Failure::Http500) => "fault: service's own error, not applied",
        Fault::FailAfter(Failure::Timeout) => "fault: no answer, applied",
        Fault::FailAfter(Failure::Http500) => "fault: service's own error, applied",
        Fault::FailAfter(Failure::Reset | Failure::Throttled | Failure::TransactionConflict) => {
            "fault: connection lost, applied"
        }
        Fault::Slow(_) => "fault: slow to apply",
        Fault::SlowAfter(_) => "fault: slow to answer",
        Fault::CrashBefore => "fault: crash before a call",
        Fault::CrashAfter => "fault: crash after a call",
    };
    Some(name)
}
