//! Messages and events between services: from SSM, topics, rules and clients to queues and functions.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::cloud::{Cloud, Pending};
use crate::faults::{Channel, Delivery, DeliveryFault};
use crate::queue::Message;
use crate::seed;
use crate::sns::{Payload, Publications, Target};
use crate::sqs::Sent;
use crate::ssm::Published;
use crate::trace::TraceLine;

/// How much later a duplicate arrives, at most.
const DUPLICATE_DELAY: Duration = Duration::from_mins(1);

/// How much later a twin arrives, at most.
const TWIN_DELAY: Duration = Duration::from_millis(40);

/// Something about to arrive at its receiver.
pub(crate) enum Arrival {
    Message { queue: String, message: Message },
    Invocation { function: String, payload: Payload },
}

impl Channel {
    fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Event => "event",
            Self::Schedule => "schedule",
            Self::Queue => "queue",
        }
    }
}

impl Cloud {
    /// What SSM publishes goes to a topic or to the bus.
    pub(crate) fn publish(&mut self, published: Published) {
        match published {
            Published::Sns { topic_arn, role_arn, .. }
                if !self.iam.lets("ssm.amazonaws.com", &role_arn, "sns:Publish", &topic_arn) =>
            {
                self.undeliverable(Channel::Topic, &topic_arn, "the role may not publish");
            }
            Published::Sns { topic_arn, message, at, role_arn: _ } => {
                match self.sns.publish(&topic_arn, None, &message, at) {
                    Some((_, publications)) => self.fan_out(&topic_arn, publications, at),
                    None => self.undeliverable(Channel::Topic, &topic_arn, "no such topic"),
                }
            }
            Published::Event { event, at } => self.route(&event, at),
        }
    }

    /// A topic's message goes to its subscribers.
    pub(crate) fn fan_out(&mut self, topic: &str, publications: Publications, at: Timestamp) {
        for (target, payload) in publications {
            self.dispatch(Channel::Topic, topic, &target, &payload, at);
        }
    }

    /// An event goes to the targets of the rules it matches.
    pub fn route(&mut self, event: &serde_json::Value, at: Timestamp) {
        for routed in self.eventbridge.route(event) {
            self.dispatch(Channel::Event, &routed.rule, &routed.target, &routed.payload, at);
        }
    }

    /// The schedule fires.
    pub(crate) fn run_schedule(&mut self, now: Timestamp) {
        for routed in self.eventbridge.scheduled(now) {
            self.dispatch(Channel::Schedule, &routed.rule, &routed.target, &routed.payload, now);
        }
    }

    /// A client's message goes to its queue. It keeps the id the client was told.
    pub(crate) fn send(&mut self, caller: &str, sent: Sent) {
        let Sent { queue, message, delay } = sent;
        let at = later(message.sent_at, delay);
        for extra in self.fate(Channel::Queue, caller, &queue, &message.body) {
            let arrival = Arrival::Message { queue: queue.clone(), message: message.clone() };
            self.schedule(later(at, extra), Pending::Arrival(arrival));
        }
    }

    fn dispatch(&mut self, channel: Channel, from: &str, target: &Target, payload: &Payload, at: Timestamp) {
        let text = match payload {
            Payload::Text(text) => text.clone(),
            Payload::Event(event) => event.to_string(),
        };
        // Copies of one publication share their message id.
        let message = self.sqs.message(text.clone(), at);
        for extra in self.fate(channel, from, target.name(), &text) {
            let latency =
                seed::between(&mut self.random, Duration::from_millis(10), Duration::from_millis(120));
            let arrival = match target {
                Target::Queue(queue) => Arrival::Message { queue: queue.clone(), message: message.clone() },
                Target::Function(function) => {
                    Arrival::Invocation { function: function.clone(), payload: payload.clone() }
                }
            };
            self.schedule(later(later(at, latency), extra), Pending::Arrival(arrival));
        }
    }

    /// When the copies of one delivery arrive, beyond the usual: none if it is lost.
    fn fate(&mut self, channel: Channel, from: &str, to: &str, body: &str) -> Vec<Duration> {
        let (index, now) = (self.deliveries, self.now());
        self.deliveries += 1;
        let fault = self.faults.on_delivery(&Delivery { channel, from, to, body, index, now });
        let copies = match fault {
            DeliveryFault::Deliver => vec![Duration::ZERO],
            DeliveryFault::Drop => Vec::new(),
            DeliveryFault::Delay(delay) => vec![delay],
            DeliveryFault::Twin => {
                vec![Duration::ZERO, seed::between(&mut self.random, Duration::ZERO, TWIN_DELAY)]
            }
            DeliveryFault::Duplicate(copies) => {
                let duplicates =
                    (0..copies).map(|_| seed::between(&mut self.random, Duration::ZERO, DUPLICATE_DELAY));
                std::iter::once(Duration::ZERO).chain(duplicates).collect()
            }
        };
        if copies.is_empty() {
            self.undeliverable(channel, to, "dropped");
        }
        let delivered = u64::try_from(copies.len()).unwrap_or(u64::MAX);
        self.counters.deliveries.entry(channel.name()).or_default().delivered += delivered;
        copies
    }

    /// Something reaches its receiver.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        let now = self.now();
        match arrival {
            Arrival::Message { queue, message } => {
                self.record_delivery("deliver", &queue, &message.id, "ok");
                if !self.sqs.arrive(&queue, message, now) {
                    self.undeliverable(Channel::Queue, &queue, "no such queue");
                }
            }
            Arrival::Invocation { function, payload } => {
                let event = match payload {
                    Payload::Event(event) => event,
                    Payload::Text(text) => serde_json::Value::String(text),
                };
                self.record_delivery("deliver", &function, "", "ok");
                self.asynchronous.add(function, event, now);
            }
        }
    }

    fn undeliverable(&mut self, channel: Channel, to: &str, outcome: &str) {
        self.counters.deliveries.entry(channel.name()).or_default().dropped += 1;
        self.record_delivery(channel.name(), to, "", outcome);
    }

    fn record_delivery(&mut self, actor: &str, to: &str, id: &str, outcome: &str) {
        self.trace.add(TraceLine {
            at: self.clock.now(),
            actor: actor.to_owned(),
            operation: "deliver".to_owned(),
            subject: format!("{to} {id}"),
            outcome: outcome.to_owned(),
        });
    }
}
