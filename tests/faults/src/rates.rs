//! How often each thing goes wrong in a run, drawn from its seed.

use crate::dice::Dice;
use fleetwright_local::protocol::Service;
use fleetwright_local::{Call, Channel};
use std::time::Duration;

/// Calls that fail alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Send,
    /// Reads of what became of commands, and cancels.
    Ssm,
    /// What a start reads.
    Document,
    Commit,
    Write,
    Read,
    Message,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Send, Self::Ssm, Self::Document, Self::Commit, Self::Write, Self::Read, Self::Message];

    pub(crate) fn of(call: &Call<'_>) -> Self {
        match (call.service, call.operation) {
            (Service::Ssm, "SendCommand") => Self::Send,
            (Service::Ssm, "GetDocument" | "GetParameters") => Self::Document,
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
pub(crate) struct CallRates {
    pub(crate) crash_before: f64,
    pub(crate) crash_after: f64,
    pub(crate) fail_before: f64,
    pub(crate) fail_after: f64,
    pub(crate) slow: f64,
    pub(crate) slow_after: f64,
    pub(crate) refused: f64,
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

    /// One way of failing that stands out, for calls of which there are few in a run.
    fn draw_for_few(dice: &mut Dice) -> Self {
        let mut rates = Self::draw(dice);
        let rate = dice.rate_of_few();
        let one = match dice.index(7) {
            0 => &mut rates.crash_before,
            1 => &mut rates.crash_after,
            2 => &mut rates.fail_before,
            3 | 4 => &mut rates.fail_after,
            5 => &mut rates.slow,
            _ => &mut rates.refused,
        };
        *one = rate;
        rates
    }
}

/// How often each thing goes wrong with deliveries over one channel, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryRates {
    pub(crate) drop: f64,
    pub(crate) duplicate: f64,
    pub(crate) twin: f64,
    pub(crate) delay: f64,
    /// The longest delay.
    pub(crate) delay_max: Duration,
}

impl DeliveryRates {
    const NONE: Self =
        Self { drop: 0.0, duplicate: 0.0, twin: 0.0, delay: 0.0, delay_max: Duration::from_mins(1) };

    fn draw(dice: &mut Dice) -> Self {
        let minutes = *dice.of(&[1, 1, 5, 20, 90]);
        Self {
            drop: dice.rate(),
            duplicate: dice.rate(),
            twin: dice.rate_of_few(),
            delay: dice.rate(),
            delay_max: Duration::from_mins(minutes),
        }
    }
}

/// The rates of one run.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    pub(crate) calls: [CallRates; Kind::ALL.len()],
    pub(crate) topic: DeliveryRates,
    pub(crate) event: DeliveryRates,
    pub(crate) schedule: DeliveryRates,
    pub(crate) queue: DeliveryRates,
    /// Invocations that run out of time early.
    pub(crate) short: f64,
    pub(crate) skewed: bool,
}

impl Rates {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        // Some runs are calm but for a few kinds of call: where everything fails, little is reached.
        let calm = dice.hits(0.3);
        let mut calls = [CallRates::default(); Kind::ALL.len()];
        for (rates, kind) in calls.iter_mut().zip(Kind::ALL) {
            let is_rare = matches!(kind, Kind::Send | Kind::Ssm | Kind::Message);
            let drawn = if is_rare { CallRates::draw_for_few(dice) } else { CallRates::draw(dice) };
            if !calm || dice.hits(0.3) {
                *rates = drawn;
            }
        }
        let mut rates = Self {
            calls,
            topic: DeliveryRates::draw(dice),
            event: DeliveryRates::draw(dice),
            schedule: DeliveryRates::draw(dice),
            queue: DeliveryRates::draw(dice),
            short: dice.rate(),
            skewed: dice.hits(0.5),
        };
        match dice.between(0, 19) {
            0..=2 => rates.blind(dice),
            3..=6 => rates.throttle_sends(dice),
            _ => {}
        }
        rates
    }

    /// SSM takes commands without an answer, and then refuses to show any.
    fn blind(&mut self, dice: &mut Dice) {
        self.calls[Kind::Send as usize].fail_after = dice.per_mille(400, 900);
        self.calls[Kind::Ssm as usize] = CallRates { refused: 1.0, ..CallRates::default() };
    }

    /// SSM refuses commands again and again, and who tries them again is not alone and not fast.
    fn throttle_sends(&mut self, dice: &mut Dice) {
        self.calls[Kind::Send as usize].refused = dice.per_mille(400, 900);
        self.queue.twin = 1.0;
        self.calls[Kind::Write as usize].slow = dice.per_mille(200, 700);
    }

    /// Nothing goes wrong.
    pub(crate) fn none() -> Self {
        let none = DeliveryRates::NONE;
        let calls = [CallRates::default(); Kind::ALL.len()];
        Self { calls, topic: none, event: none, schedule: none, queue: none, short: 0.0, skewed: false }
    }

    /// Nothing goes wrong with calls, and no message of any kind arrives but the schedule's.
    pub(crate) fn everything_lost() -> Self {
        let lost = DeliveryRates { drop: 1.0, ..DeliveryRates::NONE };
        Self { topic: lost, event: lost, queue: lost, ..Self::none() }
    }

    pub(crate) fn of(&self, channel: Channel) -> DeliveryRates {
        match channel {
            Channel::Topic => self.topic,
            Channel::Event => self.event,
            Channel::Schedule => self.schedule,
            Channel::Queue => self.queue,
        }
    }
}
