//! Virtual time. The clock moves only when the driver moves it, so a run never depends on how fast it is computed.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep as SdkSleep};
use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};

/// When every simulation begins unless told otherwise: 2026-03-14T02:00:00Z, a Saturday, in the hour people patch.
pub const START: Timestamp = Timestamp::constant(1_773_453_600, 0);

/// A handle on one virtual clock; clones share it.
///
/// It is the SDK's time source and sleep at the same time, so that signatures, timeouts and back-off of every client
/// are virtual as well.
#[derive(Clone)]
pub struct VirtualClock {
    timers: Arc<Mutex<Timers>>,
    skew: SignedDuration,
}

/// The moment, and who waits for which. Timers of one moment fire in the order they were made.
struct Timers {
    now: Timestamp,
    next: u64,
    waiting: BTreeMap<(Timestamp, u64), Option<Waker>>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        let timers = Timers { now: start, next: 0, waiting: BTreeMap::new() };
        Self { timers: Arc::new(Mutex::new(timers)), skew: SignedDuration::ZERO }
    }

    /// The moment this handle shows: the true one plus the handle's skew.
    pub fn now(&self) -> Timestamp {
        shift(self.lock().now, self.skew)
    }

    /// A handle on the same clock that shows a time `skew` later (earlier when negative): a host whose clock is off.
    /// Waiting takes as long as for everybody else.
    pub fn skewed(&self, skew: SignedDuration) -> Self {
        Self { timers: Arc::clone(&self.timers), skew }
    }

    /// Completes when `duration` of virtual time has passed.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.wait_for(|now| later(now, duration))
    }

    /// Completes when this handle shows `moment`; at once if it already has.
    pub fn sleep_until(&self, moment: Timestamp) -> Sleep {
        let at = shift(moment, -self.skew);
        self.wait_for(|_| at)
    }

    fn wait_for(&self, at: impl FnOnce(Timestamp) -> Timestamp) -> Sleep {
        let mut timers = self.lock();
        let key = (at(timers.now), timers.next);
        timers.next += 1;
        timers.waiting.insert(key, None);
        Sleep { timers: Arc::clone(&self.timers), key }
    }

    /// When the earliest sleeper wants to be woken.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.lock().waiting.keys().next().map(|(at, _)| *at)
    }

    /// Moves to `moment` and wakes all whose time has come. The clock never goes back.
    pub(crate) fn advance(&self, moment: Timestamp) {
        let due = {
            let mut timers = self.lock();
            timers.now = timers.now.max(moment);
            let now = timers.now;
            let later = timers.waiting.split_off(&(now, u64::MAX));
            std::mem::replace(&mut timers.waiting, later)
        };
        // Outside the lock: a waker may drop what it wakes, and with it a sleep.
        due.into_values().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Timers> {
        lock(&self.timers)
    }
}

fn lock(timers: &Mutex<Timers>) -> MutexGuard<'_, Timers> {
    timers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A moment `by` later; the end of time if there is none.
pub(crate) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn shift(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("VirtualClock").field("now", &self.now()).finish()
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new(START)
    }
}

impl TimeSource for VirtualClock {
    fn now(&self) -> SystemTime {
        Self::now(self).into()
    }
}

impl AsyncSleep for VirtualClock {
    fn sleep(&self, duration: Duration) -> SdkSleep {
        SdkSleep::new(Self::sleep(self, duration))
    }
}

/// A wait in virtual time. Dropping it gives the timer back.
#[derive(Debug)]
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Sleep {
    timers: Arc<Mutex<Timers>>,
    key: (Timestamp, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timers = lock(&self.timers);
        if timers.now >= self.key.0 {
            timers.waiting.remove(&self.key);
            return Poll::Ready(());
        }
        timers.waiting.insert(self.key, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.timers).waiting.remove(&self.key);
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Timers")
            .field("now", &self.now)
            .field("waiting", &self.waiting.len())
            .finish()
    }
}
