//! What changes executions, and what happens when that fails.

use crate::sample::{ID, ok};
use crate::stub::{Asked, Reply, Stub};
use crate::{fleetwright, tells, text};
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::Problem;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An operation of SSM's API.
fn operation(asked: &Asked) -> &str {
    asked.headers.get("x-amz-target").map_or("", |target| target.trim_start_matches("AmazonSSM."))
}

#[test]
fn a_start_is_repeated_until_it_is_answered_and_is_one_start() {
    let tries = AtomicUsize::new(0);
    let stub = Stub::start(move |asked| {
        assert_eq!(operation(asked), "StartAutomationExecution");
        match tries.fetch_add(1, Ordering::SeqCst) {
            // The connection breaks, then the service is busy, then it answers.
            0 => None,
            1 => Some(Reply::new(400, ServiceError::throttling("Rate exceeded").body().to_string())),
            _ => ok(json!({ "AutomationExecutionId": ID })),
        }
    });
    let given = ["--param", "Ids=a", "--param", "Ids=b", "--document-version", "$LATEST"];
    let output = fleetwright(&stub, &[&["start", "patch-fleet"], &given[..]].concat());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), format!("{ID}\n")), "{output:?}");
    let asked = stub.asked();
    assert_eq!(asked.len(), 3);
    let same = |of: &dyn Fn(&Asked) -> String| asked.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(same(&|asked| asked.headers["amz-sdk-invocation-id"].clone()), 1);
    assert_eq!(same(&|asked| asked.body.clone()), 1);
    assert_eq!(asked[0].headers["content-type"], "application/x-amz-json-1.1");
    let mut body: Value = serde_json::from_str(&asked[0].body).expect("JSON");
    let token = body["ClientToken"].take();
    assert_eq!(token.as_str().map(str::len), Some(36));
    let expected = json!({ "DocumentName": "patch-fleet", "DocumentVersion": "$LATEST", "ClientToken": null,
        "Parameters": { "Ids": ["a", "b"] } });
    assert_eq!(body, expected);
}

#[test]
fn stops_and_signals_are_answered_in_a_line() {
    let stub = Stub::start(|_| ok(json!({})));
    for (arguments, told, asked) in [
        (&["stop", ID][..], "it ends as Cancelled", json!({ "AutomationExecutionId": ID, "Type": "Cancel" })),
        (
            &["stop", ID, "--complete"],
            "it ends as Success",
            json!({ "AutomationExecutionId": ID, "Type": "Complete" }),
        ),
        (
            &["signal", ID, "approve", "--comment", "go"],
            "Approved",
            json!({ "AutomationExecutionId": ID, "SignalType": "Approve", "Payload": { "Comment": ["go"] } }),
        ),
        (
            &["signal", ID, "resume", "--step", "wait"],
            "Resumed",
            json!({ "AutomationExecutionId": ID, "SignalType": "Resume", "Payload": { "StepName": ["wait"] } }),
        ),
        (
            &["signal", ID, "stop-step"],
            "Stopped the step of",
            json!({ "AutomationExecutionId": ID, "SignalType": "StopStep" }),
        ),
    ] {
        let page = tells(&fleetwright(&stub, arguments), 0, &[told, ID]);
        assert_eq!(page.lines().count(), 1, "{page}");
        let last = stub.asked().pop().expect("a request");
        assert_eq!(serde_json::from_str::<Value>(&last.body).expect("JSON"), asked);
    }
}

#[test]
fn errors_keep_the_services_words_and_say_whose_they_are() {
    let stub = Stub::start(|asked| {
        let refused = |error: ServiceError| Some(Reply::new(error.http_status(), error.body().to_string()));
        match operation(asked) {
            "StopAutomationExecution" => {
                refused(ServiceError::automation_execution_not_found("no such execution"))
            }
            "SendAutomationSignal" => refused(ServiceError::internal_server_error("see the function's log")),
            _ => {
                let problem = Problem { code: "ValidationException".to_owned(), message: "no id".to_owned() };
                Some(Reply::new(400, serde_json::to_string(&problem).expect("JSON")))
            }
        }
    });
    for (arguments, status, told) in [
        (&["stop", "nobody"][..], 2, "error: AutomationExecutionNotFoundException: no such execution\n"),
        (&["signal", ID, "resume"], 1, "error: InternalServerError: see the function's log\n"),
        (&["results", "nobody"], 2, "error: ValidationException: no id\n"),
        (&["watch", "nobody"], 2, "error: ValidationException: no id\n"),
    ] {
        let output = fleetwright(&stub, arguments);
        assert_eq!(
            (output.status.code(), text(&output.stderr).as_str()),
            (Some(status), told),
            "{arguments:?}"
        );
    }
    assert_eq!(stub.asked().len(), 4, "none of these is tried again");
}

#[test]
fn where_nobody_answers_it_says_what_could() {
    let port =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address").port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    let output = command.args(["results", "--endpoint", &endpoint]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = text(&output.stderr);
    for word in [&format!("no answer from {endpoint}"), "refused", "fleetwright local", "fleetwright proxy"] {
        assert!(told.contains(word), "no `{word}` in {told}");
    }
}

#[test]
fn what_is_no_fleetwright_is_not_taken_for_one() {
    let stub = Stub::start(|_| Some(Reply::new(200, "<html>")));
    let output = fleetwright(&stub, &["results"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("no API of Fleetwright"), "{output:?}");
}
