//! What a signal is for: one step, once, in its time (API reference, SendAutomationSignal).

mod common;

use common::{Shell, at, refusal};
use fleetwright_engine::{Rejection, Signal, SignalRequest};
use std::collections::BTreeMap;

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const INVALID: &str = "InvalidAutomationSignalException";

fn ask(name: &str) -> String {
    format!(
        "  - name: {name}\n    action: aws:approve\n    timeoutSeconds: 600\n    inputs: {{ Approvers: [alice] }}\n"
    )
}

fn hold() -> String {
    "  - name: hold\n    action: aws:pause\n    timeoutSeconds: 600\n    inputs: {}\n".to_owned()
}

fn waiting(steps: &str) -> Shell {
    let mut shell = Shell::new(steps, 0);
    shell.look().expect("decides");
    shell
}

fn said(signal: Signal, ordinal: Option<u32>, request_id: Option<&str>) -> SignalRequest {
    let request_id = request_id.map(str::to_owned);
    SignalRequest { signal, caller: ALICE.to_owned(), payload: BTreeMap::new(), ordinal, request_id }
}

fn is_stale(shell: &mut Shell, request: &SignalRequest) -> bool {
    let before = shell.execution.clone();
    let stale = matches!(shell.signal_request(request), Err(Rejection::Stale(_)));
    assert!(!stale || shell.execution == before, "nothing changes");
    stale
}

#[test]
fn the_same_request_twice_approves_one_of_two_steps() {
    let mut shell = waiting(&(ask("one") + &ask("two")));
    let approve = said(Signal::Approve, None, Some("r-1"));
    shell.signal_request(&approve).expect("counts");
    assert!(is_stale(&mut shell, &approve), "before the next step is open");
    shell.look().expect("decides");
    assert_eq!(shell.open().name, *"two");
    assert!(is_stale(&mut shell, &approve), "while it waits");
    shell.signal_request(&said(Signal::Approve, None, Some("r-2"))).expect("another request counts");
    shell.look().expect("decides");
    assert_eq!(shell.ended().0, "Success");
    assert!(is_stale(&mut shell, &said(Signal::Approve, None, Some("r-2"))), "after the end");
    assert_eq!(refusal(shell.signal_request(&approve)).0, INVALID, "only the last is known");
}

#[test]
fn a_signal_for_another_step_is_late() {
    let mut shell = waiting(&(ask("one") + &hold()));
    let approve = said(Signal::Approve, Some(0), None);
    assert!(is_stale(&mut shell, &said(Signal::Approve, Some(1), None)), "not begun");
    shell.signal_request(&approve).expect("counts");
    assert!(is_stale(&mut shell, &approve), "no step is open");
    shell.look().expect("decides");
    assert!(is_stale(&mut shell, &approve), "another step is open");
    shell.signal_request(&said(Signal::Resume, Some(1), None)).expect("goes on");
    shell.look().expect("decides");
    assert!(is_stale(&mut shell, &said(Signal::Resume, Some(1), None)), "it has ended");
}

/// Whoever names a step means no other, whatever signal it is.
#[test]
fn a_signal_that_names_another_step_is_refused() {
    for (step, signal) in
        [(ask("one"), Signal::Approve), (ask("one"), Signal::Reject), (hold(), Signal::Resume)]
    {
        let mut shell = waiting(&step);
        let mut named = said(signal, None, None);
        for name in ["other", "no-such-step"] {
            named.payload.insert("StepName".to_owned(), vec![name.to_owned()]);
            let (_, message) = refusal(shell.signal_request(&named));
            assert!(message.contains(name), "{message}");
        }
        named
            .payload
            .insert("StepName".to_owned(), vec![shell.execution.open_step().expect("open").name.to_string()]);
        shell.signal_request(&named).expect("its own step");
    }
}

/// What was refused was not accepted: the same request may be sent again.
#[test]
fn a_refused_request_is_not_remembered() {
    let mut shell = waiting(&(ask("one") + &hold()));
    let resume = said(Signal::Resume, None, Some("r-1"));
    assert_eq!(refusal(shell.signal_request(&resume)).0, INVALID);
    shell.signal_request(&said(Signal::Approve, None, None)).expect("counts");
    let (code, message) = refusal(shell.signal_request(&resume));
    assert_eq!(code, INVALID);
    assert!(message.contains("about to begin step hold, try again in a moment"), "{message}");
    shell.look().expect("decides");
    shell.signal_request(&resume).expect("goes on");
    assert_eq!(shell.execution.last_signal.as_deref(), Some("r-1"));
}

/// 3.2: timeoutSeconds. Nobody has looked since: the word comes too late all the same.
#[test]
fn nobody_can_approve_or_resume_after_the_time() {
    for (step, signal) in
        [(ask("one"), Signal::Approve), (ask("one"), Signal::Reject), (hold(), Signal::Resume)]
    {
        let mut shell = waiting(&step);
        shell.now = at(600);
        let (code, message) = refusal(shell.signal_request(&said(signal, Some(0), None)));
        assert_eq!(code, INVALID);
        assert!(message.contains("its time is over"), "{message}");
        shell.look().expect("decides");
        assert_eq!(shell.ended().0, "TimedOut");
        let mut shell = waiting(&step);
        shell.now = at(599);
        shell.signal_request(&said(signal, Some(0), None)).expect("in time");
    }
}

/// It is kept in the execution, which has room for so much.
#[test]
fn the_id_of_a_request_is_short() {
    let mut shell = waiting(&hold());
    let (code, _) = refusal(shell.signal_request(&said(Signal::Resume, None, Some(&"r".repeat(129)))));
    assert_eq!(code, "ValidationException");
    shell.signal_request(&said(Signal::Resume, None, Some(&"r".repeat(128)))).expect("goes on");
}
