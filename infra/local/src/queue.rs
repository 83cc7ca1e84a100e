//! One standard queue: at least once, in no promised order, with a visibility timeout and a redrive policy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;

/// How a queue is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// How long messages are kept: 4 days is the service's default, 14 its maximum.
    pub retention: Duration,
}

/// A redrive policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub dead_letter_queue: String,
    /// How often a message may be received before it goes there.
    pub maximum_receives: u32,
}

impl Default for QueueOptions {
    fn default() -> Self {
        let retention = Duration::from_secs(4 * 24 * 3600);
        Self { visibility_timeout: Duration::from_secs(30), redrive: None, retention }
    }
}

/// A queue and what is in it.
#[derive(Clone, Debug)]
pub struct Queue {
    /// How it is set up.
    pub options: QueueOptions,
    messages: BTreeMap<u64, Message>,
    /// Messages by when they can be received (again).
    order: BTreeSet<(Timestamp, u64)>,
    next: u64,
}

/// One copy of a message. Copies of one message share its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id its sender was told.
    pub id: String,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was received first.
    pub first_received_at: Option<Timestamp>,
    /// How often it was received.
    pub receives: u32,
    visible_at: Timestamp,
}

/// A message that was received and not yet deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Names this receipt; void once the message is received again.
    pub handle: String,
    /// The message as it was received.
    pub message: Message,
}

impl Message {
    /// A message that has never been received.
    pub fn new(id: String, body: String, sent_at: Timestamp) -> Self {
        Self { id, body, sent_at, first_received_at: None, receives: 0, visible_at: sent_at }
    }

    /// Whether nobody can receive it at `now`.
    pub fn is_hidden(&self, now: Timestamp) -> bool {
        self.visible_at > now
    }
}

impl Queue {
    /// An empty queue.
    pub fn new(options: QueueOptions) -> Self {
        Self { options, messages: BTreeMap::new(), order: BTreeSet::new(), next: 0 }
    }

    /// Adds a message that can be received from `visible_at`.
    pub fn add(&mut self, mut message: Message, visible_at: Timestamp) {
        message.visible_at = visible_at;
        self.order.insert((visible_at, self.next));
        self.messages.insert(self.next, message);
        self.next += 1;
    }

    /// Receives up to `limit` visible messages, and takes out those that were received too often already.
    pub fn receive(&mut self, limit: usize, now: Timestamp) -> (Vec<Received>, Vec<Message>) {
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        let hidden_until = later(now, self.options.visibility_timeout);
        let limit_of_receives =
            self.options.redrive.as_ref().map_or(u32::MAX, |redrive| redrive.maximum_receives);
        while received.len() < limit {
            let Some((visible_at, key)) = self.order.first().copied().filter(|(at, _)| *at <= now) else {
                break;
            };
            self.order.remove(&(visible_at, key));
            let Some(mut message) = self.messages.remove(&key) else { continue };
            if later(message.sent_at, self.options.retention) <= now {
                continue;
            }
            if message.receives >= limit_of_receives {
                dead.push(message);
                continue;
            }
            message.receives += 1;
            message.first_received_at.get_or_insert(now);
            message.visible_at = hidden_until;
            received
                .push(Received { handle: format!("{key}#{}", message.receives), message: message.clone() });
            self.order.insert((hidden_until, key));
            self.messages.insert(key, message);
        }
        (received, dead)
    }

    /// Deletes by receipt. A void receipt deletes nothing, as in a standard queue.
    pub fn delete(&mut self, handle: &str) -> bool {
        let Some((key, message)) = self.by_handle(handle) else { return false };
        let visible_at = message.visible_at;
        self.order.remove(&(visible_at, key));
        self.messages.remove(&key).is_some()
    }

    /// Makes a received message visible `after` from now.
    pub fn change_visibility(&mut self, handle: &str, after: Duration, now: Timestamp) -> bool {
        let Some((key, message)) = self.by_handle(handle) else { return false };
        let visible_at = message.visible_at;
        self.order.remove(&(visible_at, key));
        self.order.insert((later(now, after), key));
        self.messages.entry(key).and_modify(|message| message.visible_at = later(now, after));
        true
    }

    fn by_handle(&self, handle: &str) -> Option<(u64, &Message)> {
        let (key, receives) = handle.split_once('#')?;
        let key = key.parse().ok()?;
        let message = self.messages.get(&key)?;
        (receives.parse() == Ok(message.receives)).then_some((key, message))
    }

    /// When the next message can be received; in the past if one can be already.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// All messages, visible or not, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    /// How many messages are in the queue, visible or not.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing is in the queue.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;

    fn queue_of(texts: &[&str]) -> Queue {
        let redrive = Redrive { dead_letter_queue: "dead".to_owned(), maximum_receives: 2 };
        let mut queue = Queue::new(QueueOptions { redrive: Some(redrive), ..QueueOptions::default() });
        for text in texts {
            queue.add(Message::new((*text).to_owned(), (*text).to_owned(), START), START);
        }
        queue
    }

    #[test]
    fn a_received_message_is_hidden_until_its_timeout() {
        let mut queue = queue_of(&["a"]);
        assert_eq!(queue.receive(10, START).0.len(), 1);
        assert_eq!(queue.receive(10, later(START, Duration::from_secs(29))).0.len(), 0);
        assert_eq!(queue.receive(10, later(START, Duration::from_secs(30))).0.len(), 1);
    }

    #[test]
    fn the_receipt_of_an_earlier_receive_deletes_nothing() {
        let mut queue = queue_of(&["a"]);
        let first = queue.receive(1, START).0.remove(0);
        let second = queue.receive(1, later(START, Duration::from_secs(30))).0.remove(0);
        assert!(!queue.delete(&first.handle));
        assert!(queue.delete(&second.handle));
        assert!(queue.is_empty() && queue.next_at().is_none());
    }

    #[test]
    fn a_message_received_too_often_is_dead() {
        let mut queue = queue_of(&["a", "b"]);
        let mut now = START;
        for _ in 0..2 {
            assert_eq!(queue.receive(10, now).0.len(), 2);
            now = later(now, Duration::from_secs(30));
        }
        let (received, dead) = queue.receive(10, now);
        assert_eq!((received.len(), dead.len(), queue.len()), (0, 2, 0));
    }

    #[test]
    fn a_message_older_than_the_retention_is_gone() {
        let mut queue = queue_of(&["a"]);
        let (received, dead) = queue.receive(10, later(START, Duration::from_secs(5 * 24 * 3600)));
        assert_eq!((received.len(), dead.len(), queue.len()), (0, 0, 0));
    }
}
