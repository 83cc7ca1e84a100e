//! Step executions page by page, as DescribeAutomationStepExecutions answers them.

use fleetwright_local::DeploymentError;
use fleetwright_protocols::{Run, Story};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Three rounds of two steps that need no fleet, and one step more.
const ROUNDS: &str = r#"
schemaVersion: "0.3"
variables:
  last: { type: String, default: none }
mainSteps:
  - name: rounds
    action: aws:loop
    inputs:
      Iterators: [one, two, three]
      Steps:
        - name: note
          action: aws:updateVariable
          inputs: { Name: "variable:last", Value: "{{ rounds.CurrentIteratorValue }}" }
        - name: rest
          action: aws:sleep
          inputs: { Duration: PT1M }
  - name: end
    action: aws:sleep
    inputs: { Duration: PT1S }
"#;

/// Everything that ran, in order.
const ALL: [&str; 8] = ["rounds", "note", "rest", "note", "rest", "note", "rest", "end"];

fn describe(run: &mut Run, more: &Value) -> Result<Value, DeploymentError> {
    let mut body = json!({ "AutomationExecutionId": run.id });
    for (member, value) in more.as_object().expect("an object") {
        body[member] = value.clone();
    }
    run.deployment.call("DescribeAutomationStepExecutions", &body)
}

fn names(page: &Value) -> Vec<String> {
    let steps = page["StepExecutions"].as_array().expect("steps");
    steps.iter().map(|step| step["StepName"].as_str().expect("a name").to_owned()).collect()
}

/// Goes through all pages.
fn paged(run: &mut Run, mut request: Value) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = describe(run, &request).expect("a page");
        all.extend(names(&page));
        if page["NextToken"].is_null() {
            return all;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
}

fn code(run: &mut Run, request: &Value) -> String {
    match describe(run, request) {
        Err(DeploymentError::Api(error)) => error.code,
        other => panic!("{request} should have been refused: {other:?}"),
    }
}

#[test]
fn pages_show_each_step_once_in_either_order() {
    let mut run = Story::new().runbook(ROUNDS).play();
    for most in [1, 3, 8, 50] {
        assert_eq!(paged(&mut run, json!({ "MaxResults": most })), ALL, "{most} a page");
    }
    let backwards: Vec<&str> = ALL.into_iter().rev().collect();
    assert_eq!(paged(&mut run, json!({ "MaxResults": 2, "ReverseOrder": true })), backwards);
}

#[test]
fn steps_that_begin_meanwhile_come_behind_those_that_were_shown() {
    let mut run = Story::new().runbook(ROUNDS).start();
    let first = describe(&mut run, &json!({ "MaxResults": 2 })).expect("a page");
    assert_eq!(names(&first), ["rounds", "note"]);
    run.end();
    let token = first["NextToken"].clone();
    assert_eq!(paged(&mut run, json!({ "MaxResults": 50, "NextToken": token })), &ALL[2..]);
}

#[test]
fn filters_find_the_steps_of_a_round() {
    let mut run = Story::new().runbook(ROUNDS).play();
    let filter = |key: &str, values: &[&str]| json!({ "Filters": [{ "Key": key, "Values": values }] });
    assert_eq!(paged(&mut run, filter("ParentStepIteratorValue", &["two"])), ["note", "rest"]);
    assert_eq!(paged(&mut run, filter("StepName", &["end", "rounds"])), ["rounds", "end"]);
    assert_eq!(paged(&mut run, filter("Action", &["aws:updateVariable"])), ["note", "note", "note"]);
    let both = json!({ "Filters": [{ "Key": "ParentStepIteration", "Values": ["3"] },
        { "Key": "StepName", "Values": ["rest"] }] });
    assert_eq!(paged(&mut run, both), ["rest"]);
    assert!(paged(&mut run, filter("StepExecutionStatus", &["Failed"])).is_empty());
    assert!(paged(&mut run, filter("StartTimeBefore", &["2020-01-01T00:00:00Z"])).is_empty());
    assert_eq!(paged(&mut run, filter("StartTimeAfter", &["2020-01-01T00:00:00Z"])), ALL);
}

#[test]
fn what_cannot_be_asked_is_refused_by_ssms_names() {
    let mut run = Story::new().runbook(ROUNDS).play();
    let token = describe(&mut run, &json!({ "MaxResults": 1 })).expect("a page")["NextToken"].clone();
    let elsewhere = json!({ "NextToken": token, "ReverseOrder": true });
    assert_eq!(code(&mut run, &elsewhere), "InvalidNextToken", "a token of another request");
    let altered = json!({ "MaxResults": 1, "NextToken": format!("{}A", token.as_str().expect("a token")) });
    assert_eq!(code(&mut run, &altered), "InvalidNextToken");
    let filter = |key: &str, values: Value| json!({ "Filters": [{ "Key": key, "Values": values }] });
    for (request, expected) in [
        (filter("Colour", json!(["red"])), "InvalidFilterKey"),
        (filter("StartTimeAfter", json!(["yesterday"])), "InvalidFilterValue"),
        (filter("StepName", json!([])), "ValidationException"),
        (json!({ "MaxResults": 51 }), "ValidationException"),
        (
            json!({ "AutomationExecutionId": "11111111-2222-4333-8444-555555555555" }),
            "AutomationExecutionNotFoundException",
        ),
    ] {
        assert_eq!(code(&mut run, &request), expected, "{request}");
    }
}

/// Starts a story's runbook again; the id.
fn start_again(run: &mut Run) -> String {
    let started = run.deployment.call("StartAutomationExecution", &json!({ "DocumentName": "Story" }));
    started.expect("it starts")["AutomationExecutionId"].as_str().expect("an id").to_owned()
}

fn executions(run: &mut Run, mut request: Value) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = run.deployment.call("DescribeAutomationExecutions", &request).expect("a page");
        let list = page["AutomationExecutionMetadataList"].as_array().expect("a list");
        all.extend(list.iter().map(|e| e["AutomationExecutionId"].as_str().expect("an id").to_owned()));
        if page["NextToken"].is_null() {
            return all;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
}

#[test]
fn executions_are_listed_the_newest_first_over_days_and_pages() {
    let mut run = Story::new().runbook(ROUNDS).play();
    let mut ids = vec![run.id.clone()];
    for hours in [0, 1, 22] {
        run.pass(SignedDuration::from_hours(hours));
        ids.push(start_again(&mut run));
    }
    ids.reverse();
    for most in [1, 2, 50] {
        assert_eq!(executions(&mut run, json!({ "MaxResults": most })), ids, "{most} a page");
    }
    let filter = |key: &str, value: &str| json!({ "Filters": [{ "Key": key, "Values": [value] }] });
    assert_eq!(executions(&mut run, filter("ExecutionStatus", "InProgress")), &ids[..1]);
    assert_eq!(executions(&mut run, filter("ExecutionStatus", "Success")), &ids[1..]);
    assert_eq!(executions(&mut run, filter("CurrentAction", "aws:sleep")), &ids[..1]);
    assert_eq!(executions(&mut run, filter("ExecutionId", &ids[2])), &ids[2..3]);
    let yesterday = (run.now() - SignedDuration::from_hours(12)).to_string();
    assert_eq!(executions(&mut run, filter("StartTimeAfter", &yesterday)), &ids[..1]);
    assert_eq!(executions(&mut run, filter("StartTimeBefore", &yesterday)), &ids[1..]);
    assert_eq!(executions(&mut run, filter("DocumentNamePrefix", "Sto")), ids);
    assert!(executions(&mut run, filter("DocumentNamePrefix", "Other")).is_empty());
    assert!(executions(&mut run, filter("TagKey", "Team")).is_empty());
}
