//! Runs futures on one thread, in the order they were woken, one poll at a time.
//!
//! The driver looks between any two polls, which is what lets a crash drop an invocation exactly where it stands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use futures::future::LocalBoxFuture;

/// Names one task of an [`Executor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

/// All tasks that have not ended, and those among them that were woken.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: BTreeMap<TaskId, Task>,
    ready: Arc<Ready>,
    next: u64,
}

struct Task {
    future: LocalBoxFuture<'static, ()>,
    signal: Arc<Signal>,
    waker: Waker,
}

/// Woken tasks, first woken first.
#[derive(Default)]
struct Ready(Mutex<VecDeque<TaskId>>);

/// Puts its task into the queue once per poll, however often it is woken.
struct Signal {
    task: TaskId,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.push(self.task);
        }
    }
}

impl Ready {
    fn push(&self, task: TaskId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
    }

    fn pop(&self) -> Option<TaskId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Executor {
    /// Takes a future over; it is polled first when its turn comes, not now.
    pub(crate) fn spawn(&mut self, future: LocalBoxFuture<'static, ()>) -> TaskId {
        let task = TaskId(self.next);
        self.next += 1;
        let signal =
            Arc::new(Signal { task, queued: AtomicBool::new(false), ready: Arc::clone(&self.ready) });
        let waker = Waker::from(Arc::clone(&signal));
        waker.wake_by_ref();
        self.tasks.insert(task, Task { future, signal, waker });
        task
    }

    /// Polls the task that was woken first. False if none is.
    pub(crate) fn poll_one(&mut self) -> bool {
        while let Some(id) = self.ready.pop() {
            // A task that has ended or was killed may still stand in the queue.
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            task.signal.queued.store(false, Ordering::Relaxed);
            let mut context = Context::from_waker(&task.waker);
            if task.future.as_mut().poll(&mut context).is_pending() {
                self.tasks.insert(id, task);
            }
            return true;
        }
        false
    }

    /// Drops a task where it stands.
    pub(crate) fn kill(&mut self, task: TaskId) {
        self.tasks.remove(&task);
    }
}
