//! Commands that callers send through our API, and those that others send past it: sent once, found again, listed.

use fleetwright_local::{ApiError, DeploymentError};
use fleetwright_protocols::{Failure, Run, Story, any_call, on};
use jiff::SignedDuration;
use serde_json::{Value, json};

const OPERATOR: &str = "arn:aws:iam::123456789012:user/operator";
const COLLEAGUE: &str = "arn:aws:iam::123456789012:user/colleague";
/// What an SDK calls its request, and each retry of it.
const REQUEST: &str = "3f6c5a0e-2f0b-4b7e-8a51-3d1c1c1b8a01";
/// Longer than SSM needs to show a command, and than an SDK waits between its tries.
const SOON: SignedDuration = SignedDuration::from_secs(15);
/// Longer than the last look for a request without an answer.
const LATER: SignedDuration = SignedDuration::from_hours(2);

fn story() -> Story {
    Story::new().nodes(3)
}

fn request(run: &Run) -> Value {
    json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": run.nodes(), "Comment": "reboot the canaries",
        "Parameters": { "commands": ["uptime"] } })
}

fn send_as(run: &mut Run, caller: &str, id: &str) -> Result<Value, DeploymentError> {
    let body = request(run);
    let answer = run.deployment.call_as(caller, id, "SendCommand", &body)?;
    Ok(answer["Command"].clone())
}

fn send(run: &mut Run) -> Result<Value, DeploymentError> {
    send_as(run, OPERATOR, REQUEST)
}

fn refusal(result: Result<Value, DeploymentError>) -> ApiError {
    match result {
        Err(DeploymentError::Api(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

fn list(run: &mut Run, operation: &str, body: &Value) -> Vec<Value> {
    let answer = run.deployment.call(operation, body).expect("a list");
    let member = if operation == "ListCommands" { "Commands" } else { "CommandInvocations" };
    answer[member].as_array().expect("a list").clone()
}

fn id(command: &Value) -> String {
    command["CommandId"].as_str().expect("an id").to_owned()
}

#[test]
fn an_sdks_own_retry_is_answered_with_the_command_it_sent() {
    let mut run = story().deploy();
    let first = send(&mut run).expect("sent");
    let again = send(&mut run).expect("the same");
    assert_eq!((id(&first), &first["Comment"]), (id(&again), &json!("reboot the canaries")));
    run.pass(SOON);
    assert_eq!(run.commands().len(), 1);

    let other_request = send_as(&mut run, OPERATOR, "another").expect("another one");
    let other_caller = send_as(&mut run, COLLEAGUE, REQUEST).expect("another one");
    assert_eq!(run.commands().len(), 3, "another request, and another caller's of the same name");
    assert_ne!(id(&other_request), id(&other_caller));
}

#[test]
fn a_request_that_ssm_did_not_answer_is_found_by_its_repetition() {
    let mut run = story().call(on("SendCommand").fail_after(Failure::Timeout)).deploy();
    let error = refusal(send(&mut run));
    assert_eq!(error.code, "InternalServerError");
    assert!(error.message.contains("fw:"), "it says how to recognise the command: {}", error.message);
    run.pass(SOON);
    let found = send(&mut run).expect("found");
    assert_eq!(found["Comment"], "reboot the canaries", "the caller's own, not our mark");
    assert_eq!(run.commands().len(), 1, "sent once");
}

#[test]
fn a_request_that_nobody_repeats_is_found_by_looking() {
    let mut run = story().call(on("SendCommand").fail_after(Failure::Reset)).deploy();
    assert_eq!(refusal(send(&mut run)).code, "InternalServerError");
    assert_eq!(list(&mut run, "ListCommands", &json!({})), [] as [Value; 0]);
    run.pass(LATER);
    let listed = list(&mut run, "ListCommands", &json!({}));
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["Status"], &listed[0]["CompletedCount"]), (&json!("Success"), &json!(3)));
    assert_eq!(run.commands().len(), 1, "never sent again");
}

#[test]
fn a_request_that_never_reached_ssm_is_not_sent_by_us_later() {
    let mut run = story().call(on("SendCommand").fail_before(Failure::Timeout)).deploy();
    assert_eq!(refusal(send(&mut run)).code, "InternalServerError");
    run.pass(LATER);
    assert_eq!(refusal(send(&mut run)).code, "InternalServerError", "still not known");
    assert_eq!(run.commands().len(), 0);
}

#[test]
fn a_throttled_request_may_be_repeated() {
    let mut run = story().call(on("SendCommand").throttle()).deploy();
    assert_eq!(refusal(send(&mut run)).code, "ThrottlingException");
    send(&mut run).expect("sent");
    assert_eq!(run.commands().len(), 1);
}

#[test]
fn what_ssm_refuses_is_refused_in_its_own_words() {
    let mut run = story().deploy();
    let body = json!({ "DocumentName": "No-Such-Document", "InstanceIds": run.nodes() });
    let error = refusal(run.deployment.call_as(OPERATOR, REQUEST, "SendCommand", &body));
    assert_eq!(error.code, "InvalidDocument");
    assert_eq!(run.commands().len(), 0);
}

/// Whatever dies between any two calls of a request, the caller who repeats it has one command at most, and it is listed.
#[test]
fn a_crash_anywhere_sends_no_second_command_and_loses_none() {
    for nth in 1..=12 {
        for after in [false, true] {
            let rule = any_call().by("api-control").nth(nth);
            let rule = if after { rule.crash_after() } else { rule.crash_before() };
            let mut run = story().call(rule).deploy();
            let mut answered = None;
            for _ in 0..3 {
                answered = answered.or_else(|| send(&mut run).ok());
                run.pass(SOON);
            }
            let fell = !run.has_idle_rules();
            run.calm();
            run.pass(LATER);
            let sent = run.commands();
            assert!(sent.len() <= 1, "call {nth}, after {after}: {} commands", sent.len());
            let listed: Vec<String> = list(&mut run, "ListCommands", &json!({})).iter().map(id).collect();
            let really: Vec<String> = sent.iter().map(|command| command.command_id.to_string()).collect();
            assert_eq!(listed, really, "call {nth}, after {after}");
            if let Some(command) = answered {
                assert_eq!(really, [id(&command)], "call {nth}, after {after}");
            }
            if !fell {
                assert!(nth > 5, "a request makes more than {nth} calls");
                return;
            }
        }
    }
    panic!("the sweep is too short");
}

#[test]
fn what_others_send_is_tracked_where_the_account_wide_rule_is_on() {
    let mut run = story().deployed(|options| options.invocation_events = true).deploy();
    let theirs = send_past_us(&run);
    run.pass(SignedDuration::from_mins(5));
    let listed = list(&mut run, "ListCommands", &json!({}));
    assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), std::slice::from_ref(&theirs));
    assert_eq!((&listed[0]["Status"], &listed[0]["Comment"]), (&json!("Success"), &json!("by hand")));
    let on_nodes = list(&mut run, "ListCommandInvocations", &json!({ "CommandId": theirs, "Details": true }));
    assert_eq!(on_nodes.len(), 3);
    assert!(on_nodes.iter().all(|one| one["CommandPlugins"][0]["ResponseCode"] == 0), "{on_nodes:#?}");
}

#[test]
fn what_others_send_is_left_alone_where_it_is_off() {
    let mut run = story().deploy();
    send_past_us(&run);
    run.pass(LATER);
    assert_eq!(list(&mut run, "ListCommands", &json!({})), [] as [Value; 0]);
}

fn send_past_us(run: &Run) -> String {
    let mut body = request(run);
    body["Comment"] = json!("by hand");
    let now = run.now();
    let sent = run.cloud().ssm.handle("SendCommand", &body, now).expect("SSM takes it");
    id(&sent["Command"])
}

#[test]
fn the_output_of_a_node_is_read_from_ssm_once() {
    let mut run = story().deploy();
    let command = id(&send(&mut run).expect("sent"));
    run.pass(SignedDuration::from_mins(2));
    let body = json!({ "CommandId": command, "InstanceId": run.nodes()[0] });
    let before = run.applied("ssm:GetCommandInvocation");
    let first = run.deployment.call("GetCommandInvocation", &body).expect("an invocation");
    let again = run.deployment.call("GetCommandInvocation", &body).expect("an invocation");
    assert_eq!(first, again);
    assert_eq!((&first["Status"], &first["Comment"]), (&json!("Success"), &json!("reboot the canaries")));
    assert_eq!(run.applied("ssm:GetCommandInvocation") - before, 1, "kept after the first time");
}

#[test]
fn commands_of_a_node_are_listed_while_they_run_and_after() {
    let mut run = Story::new().fleet(fleetwright_protocols::steady_fleet(3, 300)).deploy();
    let node = run.nodes()[0].clone();
    let one = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": [node],
        "Parameters": { "commands": ["uptime"] } });
    let all = id(&send(&mut run).expect("sent"));
    let only = run.deployment.call_as(OPERATOR, "one", "SendCommand", &one).expect("sent");
    let only = id(&only["Command"]);
    let by_node = |run: &mut Run, node: &str| -> Vec<(String, String)> {
        let listed = list(run, "ListCommands", &json!({ "InstanceId": node }));
        listed.iter().map(|c| (id(c), c["Status"].as_str().expect("a status").to_owned())).collect()
    };
    let status = |of: &str, status: &str| (of.to_owned(), status.to_owned());
    assert_eq!(by_node(&mut run, &node), [status(&only, "InProgress"), status(&all, "InProgress")]);
    let another = run.nodes()[1].clone();
    assert_eq!(by_node(&mut run, &another), [status(&all, "InProgress")]);
    run.pass(SignedDuration::from_mins(10));
    assert_eq!(by_node(&mut run, &node), [status(&only, "Success"), status(&all, "Success")]);
    let invocations = list(&mut run, "ListCommandInvocations", &json!({ "InstanceId": another }));
    assert_eq!(invocations.iter().map(id).collect::<Vec<_>>(), [all]);
}

#[test]
fn times_in_which_nothing_can_be_have_nothing_in_them() {
    let mut run = story().deploy();
    let command = id(&send(&mut run).expect("sent"));
    run.pass(SignedDuration::from_mins(2));
    let node = run.nodes()[0].clone();
    let filter = |key: &str, value: &str| json!({ "key": key, "value": value });
    let (past, future) = ("2018-07-07T00:00:00Z", "2100-01-01T00:00:00Z");
    for (filters, found) in [
        (json!([filter("InvokedBefore", past)]), 0),
        (json!([filter("InvokedAfter", future)]), 0),
        (json!([filter("InvokedAfter", future), filter("InvokedBefore", past)]), 0),
        (json!([filter("InvokedAfter", past), filter("InvokedBefore", future)]), 1),
    ] {
        for operation in ["ListCommands", "ListCommandInvocations"] {
            for more in [
                json!({}),
                json!({ "InstanceId": node }),
                json!({ "CommandId": command, "InstanceId": node }),
            ] {
                let mut body = more;
                body["Filters"] = filters.clone();
                let each = if body["InstanceId"].is_null() && operation != "ListCommands" { 3 } else { 1 };
                assert_eq!(list(&mut run, operation, &body).len(), found * each, "{operation} {body}");
            }
        }
    }
}

#[test]
fn pages_by_node_give_every_command_once_whatever_is_settled_between_them() {
    let mut run = Story::new().fleet(fleetwright_protocols::steady_fleet(2, 40)).deploy();
    let mut sent = Vec::new();
    for nth in 0..12 {
        sent.push(id(&send_as(&mut run, OPERATOR, &format!("request {nth}")).expect("sent")));
        run.pass(SignedDuration::from_secs(7));
    }
    sent.reverse();
    let node = run.nodes()[0].clone();
    for (operation, member) in
        [("ListCommands", "Commands"), ("ListCommandInvocations", "CommandInvocations")]
    {
        let (mut listed, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut body = json!({ "InstanceId": node, "MaxResults": 5 });
            if !next.is_null() {
                body["NextToken"] = next;
            }
            let page = run.deployment.call(operation, &body).expect("a page");
            listed.extend(page[member].as_array().expect("a list").iter().map(id));
            next = page["NextToken"].clone();
            if next.is_null() {
                break;
            }
            run.pass(SignedDuration::from_secs(20));
        }
        assert_eq!(listed, sent, "{operation}");
    }
}

#[test]
fn a_cancelled_command_is_shown_as_such() {
    let mut run = Story::new().fleet(fleetwright_protocols::steady_fleet(3, 3_000)).deploy();
    let command = id(&send(&mut run).expect("sent"));
    run.pass(SOON);
    run.deployment.call("CancelCommand", &json!({ "CommandId": command })).expect("cancelled");
    assert_eq!(list(&mut run, "ListCommands", &json!({ "CommandId": command }))[0]["Status"], "Cancelling");
    run.pass(SignedDuration::from_mins(5));
    let listed = list(&mut run, "ListCommands", &json!({ "CommandId": command }));
    assert_eq!(listed[0]["StatusDetails"], "Cancelled", "{listed:#?}");
}
