//! Where an execution goes, rule by rule (User Guide, automation-actions and -handling-timeouts; facts 3.2).

mod common;

use common::{Shell, at};
use fleetwright_engine::{AnswerStatus, StopType};

fn call(name: &str, settings: &str) -> String {
    format!(
        "  - name: {name}\n    action: aws:executeAwsApi\n{settings}    inputs: {{ Service: a, Api: b }}\n"
    )
}

/// Three steps, the first with these settings.
fn three(settings: &str) -> Shell {
    let steps = call("one", settings) + &call("two", "") + &call("three", "");
    Shell::rehearsal(&steps, &["one", "two", "three"])
}

const SUCCESS: AnswerStatus = AnswerStatus::Success;
const FAILED: AnswerStatus = AnswerStatus::Failed;
const TIMED_OUT: AnswerStatus = AnswerStatus::TimedOut;

/// (the first step's settings, how it ends, the steps that run, how the execution ends, the source of the rule)
const RULES: [(&str, AnswerStatus, &str, &str, &str); 24] = [
    ("", SUCCESS, "one two three", "Success", "3.2: sequential"),
    ("    nextStep: three\n", SUCCESS, "one three", "Success", "3.2: nextStep on success"),
    ("    nextStep: three\n", FAILED, "one", "Failed", "3.2: nextStep on success only"),
    ("    isEnd: true\n", SUCCESS, "one", "Success", "3.2: isEnd, whether it failed or succeeded"),
    ("    isEnd: true\n", FAILED, "one", "Failed", "3.2: isEnd, whether it failed or succeeded"),
    (
        "    isEnd: true\n    onFailure: Continue\n",
        FAILED,
        "one",
        "Success",
        "3.2: isEnd, whether it failed or succeeded",
    ),
    (
        "    isEnd: true\n    onFailure: step:three\n",
        FAILED,
        "one",
        "Failed",
        "3.2: isEnd taken literally, oracle D4",
    ),
    ("    isEnd: true\n    nextStep: three\n", SUCCESS, "one", "Success", "3.2: isEnd"),
    ("", FAILED, "one", "Failed", "3.2: onFailure, default Abort"),
    ("    onFailure: Abort\n", FAILED, "one", "Failed", "3.2: Abort"),
    ("    onFailure: Continue\n", FAILED, "one two three", "Success", "3.2: Continue is not critical"),
    (
        "    onFailure: Continue\n    nextStep: three\n",
        FAILED,
        "one three",
        "Success",
        "oracle D6: Continue follows nextStep",
    ),
    (
        "    onFailure: Continue\n    isCritical: true\n",
        FAILED,
        "one two three",
        "Failed",
        "3.2: isCritical if set",
    ),
    (
        "    onFailure: step:three\n",
        FAILED,
        "one three",
        "Failed",
        "3.2: a handled failure of a critical step",
    ),
    ("    onFailure: step:three\n", SUCCESS, "one two three", "Success", "3.2: step: on failure only"),
    ("    onFailure: step:three\n    isCritical: false\n", FAILED, "one three", "Success", "3.2: isCritical"),
    ("    isCritical: false\n", FAILED, "one", "Success", "3.2: isCritical"),
    ("    isCritical: true\n", SUCCESS, "one two three", "Success", "3.2: isCritical"),
    ("", TIMED_OUT, "one", "TimedOut", "UG handling-timeouts: the execution is TimedOut"),
    (
        "    isCritical: false\n",
        TIMED_OUT,
        "one",
        "Success",
        "UG handling-timeouts: unless isCritical is false",
    ),
    ("    onFailure: Continue\n", TIMED_OUT, "one two three", "Success", "3.2: a timeout is a failure"),
    ("    onFailure: step:three\n", TIMED_OUT, "one three", "TimedOut", "3.2: a timeout is a failure"),
    ("    maxAttempts: 2\n", FAILED, "one", "Failed", "3.2: fails only after all attempts fail"),
    ("    description: what it is for\n", SUCCESS, "one two three", "Success", "3.2: description"),
];

#[test]
fn where_an_execution_goes_after_a_step() {
    for (settings, first, ran, ends, source) in RULES {
        let mut shell = three(settings);
        shell.rehearse(|step| if step.name == *"one" { first } else { SUCCESS });
        let steps = shell.steps();
        let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names.join(" ").as_str(), shell.ended().0), (ran, ends), "{settings}: {source}");
    }
}

/// 3.2: "critical step fails -> automation Failed even if other steps succeed"; ours: the first that fails speaks.
#[test]
fn the_first_failure_of_a_critical_step_is_what_the_execution_ends_with() {
    let steps = call("one", "    onFailure: step:two\n")
        + &call("two", "    onFailure: Continue\n    isCritical: true\n")
        + &call("three", "");
    let mut shell = Shell::rehearsal(&steps, &["one", "two", "three"]);
    shell.rehearse(|step| match step.name.as_str() {
        "one" => TIMED_OUT,
        "two" => FAILED,
        _ => SUCCESS,
    });
    assert_eq!(shell.ended(), ("TimedOut", Some("Step one TimedOut: it timed out")));
}

/// (the stopped step's settings, the stop, how the clean-up ends, the steps that run, how the execution ends, the source)
const STOPS: [(&str, StopType, AnswerStatus, &str, &str, &str); 6] = [
    ("", StopType::Cancel, SUCCESS, "one=Cancelled", "Cancelled", "3.2: onCancel, default Abort"),
    ("    onCancel: Abort\n", StopType::Cancel, SUCCESS, "one=Cancelled", "Cancelled", "3.2: onCancel"),
    (
        "    onCancel: step:two\n",
        StopType::Cancel,
        SUCCESS,
        "one=Cancelled two=Success three=Success",
        "Cancelled",
        "3.2: onCancel",
    ),
    (
        "    onCancel: step:two\n",
        StopType::Cancel,
        FAILED,
        "one=Cancelled two=Failed",
        "Cancelled",
        "3.2: onFailure of the clean-up",
    ),
    (
        "    onCancel: step:two\n",
        StopType::Complete,
        SUCCESS,
        "one=Cancelled",
        "Success",
        "API: Complete stops without clean-up",
    ),
    (
        "    onFailure: step:two\n",
        StopType::Cancel,
        SUCCESS,
        "one=Cancelled",
        "Cancelled",
        "3.2: a stop is no failure",
    ),
];

#[test]
fn where_an_execution_goes_after_a_stop() {
    for (settings, kind, cleans, ran, ends, source) in STOPS {
        let mut shell = three(settings);
        shell.look().expect("decides");
        shell.stop(kind).expect("stops");
        shell.rehearse(|_| cleans);
        let steps = shell.steps();
        let steps: Vec<String> = steps.iter().map(|(name, status)| format!("{name}={status}")).collect();
        assert_eq!((steps.join(" ").as_str(), shell.ended().0), (ran, ends), "{settings}: {source}");
    }
}

/// 3.2: "cancellation workflow runs at most 2 minutes".
#[test]
fn a_clean_up_has_two_minutes_in_all() {
    // Each has longer than that by itself.
    let time = "    timeoutSeconds: 600\n";
    let steps = call("one", "    onCancel: step:two\n") + &call("two", time) + &call("three", time);
    let mut shell = Shell::rehearsal(&steps, &["one", "two", "three"]);
    shell.look().expect("decides");
    shell.stop(StopType::Cancel).expect("stops");
    shell.look().expect("decides");
    shell.now = at(119);
    let answer = shell.reply(SUCCESS);
    shell.answer(&answer).expect("is taken");
    shell.look().expect("decides");
    shell.now = at(120);
    shell.look().expect("decides");
    let steps = shell.steps();
    assert_eq!(steps[1..], [("two".to_owned(), "Success"), ("three".to_owned(), "TimedOut")]);
    assert_eq!(shell.ended().0, "Cancelled");
}

/// (seconds it sleeps for, or until, and after how many seconds it goes on, the source of the rule)
const SLEEPS: [(&str, i64, &str); 5] = [
    ("Duration: PT10M", 600, "3.4: ISO 8601"),
    ("Duration: PT0S", 0, "3.4: not negative"),
    ("Duration: PT604799S", 604_799, "3.4: at most 604,799 s"),
    ("Timestamp: '2026-03-14T02:30:00Z'", 1_800, "3.4: Timestamp"),
    ("Timestamp: '2020-01-01T00:00:00Z'", 0, "3.4: past = go on at once"),
];

#[test]
fn a_sleep_takes_its_time() {
    for (input, seconds, source) in SLEEPS {
        let steps = format!("  - name: rest\n    action: aws:sleep\n    inputs: {{ {input} }}\n");
        let mut shell = Shell::new(&steps, 0);
        shell.look().expect("decides");
        if seconds > 0 {
            shell.now = at(seconds - 1);
            shell.look().expect("decides");
            assert!(shell.closed.is_empty(), "{input}: {source}");
            shell.now = at(seconds);
            shell.look().expect("decides");
        }
        assert_eq!(shell.ended().0, "Success", "{input}: {source}");
    }
}
