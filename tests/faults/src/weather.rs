//! What goes wrong in a run: the faults that follow from its rates.

use crate::Sometimes;
use crate::dice::Dice;
use crate::rates::{Kind, Rates};
use crate::run::{Death, Wrong};
use crate::witness::Onlooker;
use fleetwright_local::protocol::Service;
use fleetwright_local::{Call, Channel, Delivery, DeliveryFault, Failure, Fault, Faults};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Hosts differ from true time by no more (protocols, P3).
const SKEW_MS_MAX: i64 = 10_000;

/// The queues of those who are told of ends: people behind their topic, and programs behind a rule.
pub(crate) const TOLD: [&str; 2] = ["people", "programs"];
/// When a message is there with all its copies.
const COPIES_TAKE: SignedDuration = SignedDuration::from_secs(62);

/// A message that was put under way to a queue of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentMessage {
    pub(crate) queue: String,
    pub(crate) body: String,
    /// How often it arrives; not at all, if it was lost.
    pub(crate) copies: u32,
    /// When its first copy is there; the last a minute later at the latest.
    pub(crate) arrives_at: Timestamp,
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
    send_calls: u64,
    slow_tries: Vec<String>,
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
            send_calls: 0,
            slow_tries: Vec::new(),
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

    /// Whether a copy of a message is under way to a queue.
    pub(crate) fn is_any_under_way(&self, now: Timestamp) -> bool {
        self.lock().sent.iter().any(|message| message.copies > 0 && message.arrives_at + COPIES_TAKE > now)
    }

    /// Messages that were put under way to the queues that functions work off.
    pub(crate) fn messages(&self) -> Vec<SentMessage> {
        let is_ours = |message: &&SentMessage| message.queue == "facts" || message.queue == "prompt";
        self.lock().sent.iter().filter(is_ours).cloned().collect()
    }

    /// SendCommand calls that left so far.
    pub(crate) fn send_calls(&self) -> u64 {
        self.lock().send_calls
    }

    /// The execution whose send the so manyth slow write is about that begins a further try: who makes it has seen no
    /// stop.
    pub(crate) fn slow_try(&self, so_manyth: usize) -> Option<String> {
        self.lock().slow_tries.get(so_manyth).cloned()
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
            (rates.twin, DeliveryFault::Twin),
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
        if Kind::of(call) == Kind::Send {
            state.send_calls += 1;
            state.onlooker.send_leaves(call);
        }
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
        if let (Fault::Slow(_), Some(execution)) = (fault, tried_again(call)) {
            state.slow_tries.push(execution);
        }
        for name in [fault_name(fault), told_by_kind(call, fault)].into_iter().flatten() {
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
        let is_ours = !TOLD.contains(&delivery.to);
        let fault = match state.may_go_wrong() && is_ours {
            true => state.fate(delivery.channel),
            false => DeliveryFault::Deliver,
        };
        if delivery.channel != Channel::Schedule {
            let (delay, copies) = match fault {
                DeliveryFault::Drop => (Duration::ZERO, 0),
                DeliveryFault::Delay(delay) => (delay, 1),
                DeliveryFault::Deliver => (Duration::ZERO, 1),
                DeliveryFault::Twin => (Duration::ZERO, 2),
                DeliveryFault::Duplicate(copies) => (Duration::ZERO, 1 + copies),
            };
            let (queue, body) = (delivery.to.to_owned(), delivery.body.to_owned());
            state.sent.push(SentMessage { queue, body, copies, arrives_at: delivery.now + delay });
        }
        match fault {
            DeliveryFault::Deliver => {}
            DeliveryFault::Drop => state.sometimes.count("fault: delivery dropped"),
            DeliveryFault::Duplicate(_) => state.sometimes.count("fault: delivery duplicated"),
            DeliveryFault::Twin => state.sometimes.count("fault: delivery twice at once"),
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
        | (Service::Sns, "Publish")
        | (Service::EventBridge, "PutEvents") => true,
        _ => false,
    }
}

/// The execution of which a call writes that a send is tried again.
fn tried_again(call: &Call<'_>) -> Option<String> {
    let names = call.body["ExpressionAttributeNames"].as_object()?;
    let tried = call.operation == "UpdateItem" && names.values().any(|name| name == "last_try_at");
    let key = call.body["Key"]["pk"]["S"].as_str()?;
    key.strip_prefix("EXEC#").filter(|_| tried).map(str::to_owned)
}

/// Faults of the two calls that matter most.
fn told_by_kind(call: &Call<'_>, fault: Fault) -> Option<&'static str> {
    match (call.operation, fault) {
        ("SendCommand", Fault::FailAfter(_)) => Some("a SendCommand: applied, and no answer"),
        ("SendCommand", Fault::FailBefore(failure)) if !failure.is_refusal() => {
            Some("a SendCommand: not applied, and no answer")
        }
        ("SendCommand", Fault::CrashBefore | Fault::CrashAfter) => Some("a SendCommand: its caller died"),
        ("CancelCommand", Fault::FailBefore(_) | Fault::FailAfter(_)) => Some("a CancelCommand that failed"),
        _ => None,
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
