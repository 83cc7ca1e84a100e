//! Which invocation waits for a process, and which process works on which.

use axum::body::Bytes;
use futures::channel::oneshot;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names a process for as long as it lives; the next one in its place has another.
pub(crate) type ProcessId = u64;

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// What the function answered.
    Answered(Bytes),
    /// What it, or its end, says of why it did not.
    Failed(Bytes),
}

/// What a process is given.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) id: String,
    pub(crate) event: Bytes,
}

/// An invocation that waits for a process.
struct Waiting {
    given: Given,
    caller: oneshot::Sender<Outcome>,
}

/// A process that lives.
struct Process {
    function: &'static str,
    /// It asks for the next invocation.
    asks: Option<oneshot::Sender<Given>>,
    /// It works on this one, for this caller.
    works: Option<(String, oneshot::Sender<Outcome>)>,
}

/// All of them.
#[derive(Default)]
struct Books {
    processes: BTreeMap<ProcessId, Process>,
    waiting: BTreeMap<&'static str, VecDeque<Waiting>>,
    invocations: u64,
}

/// The books, as both sides of Lambda share them.
#[derive(Clone, Default)]
pub(crate) struct Invocations(Arc<Mutex<Books>>);

impl Invocations {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process lives.
    pub(crate) fn begin(&self, id: ProcessId, function: &'static str) {
        let mut books = self.books();
        books.waiting.entry(function).or_default();
        books.processes.insert(id, Process { function, asks: None, works: None });
    }

    /// A process is dead. True if an invocation died with it.
    pub(crate) fn end(&self, id: ProcessId) -> bool {
        let process = self.books().processes.remove(&id);
        let Some((invocation, caller)) = process.and_then(|process| process.works) else { return false };
        let message = format!("RequestId: {invocation} Error: Runtime exited with error: signal: killed");
        let error = serde_json::json!({ "errorType": "Runtime.ExitError", "errorMessage": message });
        // Whoever waits no longer has given the invocation up already.
        let _ = caller.send(Outcome::Failed(error.to_string().into()));
        true
    }

    /// Whether a process is in the middle of an invocation.
    pub(crate) fn is_at_work(&self, id: ProcessId) -> bool {
        self.books().processes.get(&id).is_some_and(|process| process.works.is_some())
    }

    /// Invokes a function. Nothing if there is none of that name.
    pub(crate) fn invoke(&self, function: &str, event: Bytes) -> Option<oneshot::Receiver<Outcome>> {
        let (caller, outcome) = oneshot::channel();
        let mut books = self.books();
        let id = format!("00000000-0000-4000-8000-{:012}", books.invocations);
        let waiting = books.waiting.iter_mut().find(|(name, _)| **name == function);
        let (name, waiting) = waiting.map(|(name, waiting)| (*name, waiting))?;
        waiting.push_back(Waiting { given: Given { id, event }, caller });
        books.invocations += 1;
        books.hand_out(name);
        Some(outcome)
    }

    /// A process asks for the next invocation. Nothing if it is dead.
    pub(crate) fn next(&self, id: ProcessId) -> Option<oneshot::Receiver<Given>> {
        let (asks, given) = oneshot::channel();
        let mut books = self.books();
        let process = books.processes.get_mut(&id)?;
        process.asks = Some(asks);
        let function = process.function;
        books.hand_out(function);
        Some(given)
    }

    /// A process has ended an invocation. False if it was not its own.
    pub(crate) fn answer(&self, id: ProcessId, invocation: &str, outcome: Outcome) -> bool {
        let mut books = self.books();
        let Some(process) = books.processes.get_mut(&id) else { return false };
        match process.works.take_if(|(own, _)| own == invocation) {
            Some((_, caller)) => {
                let _ = caller.send(outcome);
                true
            }
            None => false,
        }
    }
}

impl Books {
    /// Gives what waits to those who ask.
    fn hand_out(&mut self, function: &'static str) {
        let Some(waiting) = self.waiting.get_mut(function) else { return };
        let asking = self.processes.values_mut().filter(|process| process.function == function);
        for process in asking {
            // What its caller has given up nobody needs to begin.
            while waiting.front().is_some_and(|first| first.caller.is_canceled()) {
                waiting.pop_front();
            }
            if waiting.is_empty() {
                return;
            }
            let Some(asks) = process.asks.take() else { continue };
            let Some(Waiting { given, caller }) = waiting.pop_front() else { return };
            let id = given.id.clone();
            match asks.send(given) {
                Ok(()) => process.works = Some((id, caller)),
                // Its connection is gone: it asks again, or is about to be found dead.
                Err(given) => waiting.push_front(Waiting { given, caller }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn text(outcome: Option<Outcome>) -> String {
        match outcome {
            Some(Outcome::Answered(body) | Outcome::Failed(body)) => {
                String::from_utf8_lossy(&body).into_owned()
            }
            None => "nothing".to_owned(),
        }
    }

    fn now<T>(receiver: &mut oneshot::Receiver<T>) -> Option<T> {
        receiver.now_or_never().and_then(Result::ok)
    }

    #[test]
    fn a_process_works_on_one_invocation_and_the_next_waits() {
        let lambda = Invocations::default();
        lambda.begin(1, "f");
        let mut first = lambda.invoke("f", Bytes::from_static(b"1")).expect("a function");
        let mut second = lambda.invoke("f", Bytes::from_static(b"2")).expect("a function");
        let given = now(&mut lambda.next(1).expect("alive")).expect("an invocation");
        assert_eq!(given.event.as_ref(), b"1");
        assert!(lambda.answer(1, &given.id, Outcome::Answered(Bytes::from_static(b"one"))));
        assert_eq!(text(now(&mut first)), "one");
        let given = now(&mut lambda.next(1).expect("alive")).expect("an invocation");
        assert_eq!((given.event.as_ref(), text(now(&mut second)).as_str()), (&b"2"[..], "nothing"));
        assert!(lambda.is_at_work(1));
    }

    #[test]
    fn what_a_dead_process_worked_on_has_failed_and_what_waited_goes_to_another() {
        let lambda = Invocations::default();
        lambda.begin(1, "f");
        let mut next = lambda.next(1).expect("alive");
        let mut first = lambda.invoke("f", Bytes::new()).expect("a function");
        let mut second = lambda.invoke("f", Bytes::from_static(b"2")).expect("a function");
        let given = now(&mut next).expect("an invocation");
        assert!(lambda.end(1), "in the middle of it");
        assert!(text(now(&mut first)).contains("Runtime.ExitError"));
        assert!(!lambda.answer(1, &given.id, Outcome::Answered(Bytes::new())), "the dead say nothing");
        assert!(lambda.next(1).is_none());
        lambda.begin(2, "f");
        assert!(now(&mut lambda.next(2).expect("alive")).is_some());
        assert!(lambda.invoke("g", Bytes::new()).is_none(), "there is no such function");
        assert_eq!(text(now(&mut second)), "nothing");
    }
}
