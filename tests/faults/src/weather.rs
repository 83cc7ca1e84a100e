//! What goes wrong in a run: rates drawn from the seed, and the faults that follow from them.

use crate::Sometimes;
use crate::dice::Dice;
use crate::run::{Death, Wrong};
use crate::witness::Onlooker;
use fleetwright_local::protocol::Service;
use fleetwright_local::{Call, Channel, Delivery, DeliveryFault, Failure, Fault, Faults};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Hosts differ from true time by no more (protocols, P3).
const SKEW_MS_MAX: i64 = 10_000;

/// The queue behind the topic of people.
pub(crate) const PEOPLE: &str = "people";
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
            (Service::Sns | Service::Sqs | Service::EventBridge | Service::Iam | Service::Lambda, _) => {
                Self::Message
            }
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
#[derive(Debug, Clone, Copy)]
struct DeliveryRates {
    drop: f64,
    duplicate: f64,
    delay: f64,
    /// The longest delay.
    delay_max: Duration,
}

impl DeliveryRates {
    const NONE: Self = Self { drop: 0.0, duplicate: 0.0, delay: 0.0, delay_max: Duration::from_mins(1) };

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

    /// Nothing goes wrong.
    fn none() -> Self {
        let none = DeliveryRates::NONE;
        let calls = [CallRates::default(); Kind::ALL.len()];
        Self { calls, topic: none, event: none, schedule: none, queue: none, short: 0.0, skewed: false }
    }

    /// Nothing goes wrong with calls, and no message of any kind arrives but the schedule's.
    fn everything_lost() -> Self {
        let lost = DeliveryRates { drop: 1.0, ..DeliveryRates::NONE };
        Self { topic: lost, event: lost, queue: lost, ..Self::none() }
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
    /// Where functions die, whatever the weather.
    deaths: [Option<Death>; 2],
    /// Calls of functions that changed something, so far.
    changes: u64,
    is_calm: bool,
    /// Who knows what is due.
    onlooker: Onlooker,
    /// The answer to the next SendCommand is lost.
    loses_answer: bool,
    /// Chances for something to go wrong so far, and after how many nothing does any more.
    chances: u64,
    chances_max: u64,
    sometimes: Sometimes,
    sent: Vec<SentMessage>,
}

impl Weather {
    /// The weather of a seed.
    pub(crate) fn new(seed: u64, wrong: Wrong, onlooker: Onlooker) -> Self {
        let mut dice = Dice::new(seed, "weather");
        let (rates, chances_max, deaths) = match wrong {
            Wrong::Drawn(chances_max) => (Rates::draw(&mut dice), chances_max, [None; 2]),
            Wrong::EverythingLost => (Rates::everything_lost(), u64::MAX, [None; 2]),
            Wrong::Deaths(deaths) => (Rates::none(), u64::MAX, deaths),
        };
        let state = State {
            rates,
            dice,
            deaths,
            changes: 0,
            is_calm: false,
            onlooker,
            loses_answer: false,
            chances: 0,
            chances_max,
            sometimes: Sometimes::default(),
            sent: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm(&self) {
        self.lock().is_calm = true;
    }

    /// Whoever sends the next command gets no answer.
    pub(crate) fn lose_next_answer(&self) {
        self.lock().loses_answer = true;
    }

    /// Chances for something to go wrong that there were.
    pub(crate) fn chances(&self) -> u64 {
        self.lock().chances
    }

    /// Calls of functions that changed something.
    pub(crate) fn changes(&self) -> u64 {
        self.lock().changes
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

    /// Whether somebody dies at this call.
    fn death(&mut self, call: &Call<'_>) -> Option<Fault> {
        if !is_change(call) {
            return None;
        }
        self.changes += 1;
        let death = self.deaths.into_iter().flatten().find(|death| death.call == self.changes)?;
        Some(if death.after { Fault::CrashAfter } else { Fault::CrashBefore })
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
        drawn
            .into_iter()
            .find(|(rate, _)| dice.hits(*rate))
            .map_or(DeliveryFault::Deliver, |(_, fault)| fault)
    }
}

impl Faults for Weather {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        let mut state = self.lock();
        if let Some(death) = state.death(call) {
            return death;
        }
        if !state.may_go_wrong() {
            return Fault::None;
        }
        let mut fault = state.fault(call);
        if Kind::of(call) == Kind::Send && fault == Fault::None && std::mem::take(&mut state.loses_answer) {
            fault = Fault::FailAfter(Failure::Timeout);
        }
        if let Some(name) = fault_name(fault) {
            state.sometimes.count(name);
        }
        fault
    }

    fn on_delivery(&mut self, delivery: &Delivery<'_>) -> DeliveryFault {
        let mut state = self.lock();
        if state.is_calm
            && delivery.channel == Channel::Schedule
            && !state.onlooker.is_anything_due(delivery.now)
        {
            // A tick with nothing due is none; a run has more of them than of all other calls.
            return DeliveryFault::Drop;
        }
        // What comes after our last call is not ours to hold: whoever is told of ends receives it.
        let is_ours = delivery.to != PEOPLE;
        let fault = match state.may_go_wrong() && is_ours {
            true => state.fate(delivery.channel),
            false => DeliveryFault::Deliver,
        };
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

/// Whether a call changes something that outlives its caller. The word that a tick takes place says nothing else.
fn is_change(call: &Call<'_>) -> bool {
    match (call.service, call.operation) {
        (Service::DynamoDb, "UpdateItem") => call.body["Key"]["pk"]["S"] != "HEALTH",
        (Service::DynamoDb, "PutItem" | "TransactWriteItems" | "BatchWriteItem")
        | (Service::Ssm, "SendCommand" | "CancelCommand")
        | (Service::Sqs, "SendMessage")
        | (Service::Sns, "Publish") => true,
        _ => false,
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
