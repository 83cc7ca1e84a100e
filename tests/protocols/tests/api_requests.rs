//! What reaches the API: whom it serves where, what it makes of bodies, and what it tells of executions and their steps.

use fleetwright_local::fleet::Fleet;
use fleetwright_local::{Deployment, DeploymentError, DeploymentOptions};
use fleetwright_protocols::{Run, Story, deploy, runbooks};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ID: &str = "8f7c1a52-3a0e-4b8e-9c53-6d2f7a1b0c9d";
const READS: [&str; 6] = [
    "ListCommands",
    "ListCommandInvocations",
    "GetCommandInvocation",
    "GetAutomationExecution",
    "DescribeAutomationExecutions",
    "DescribeAutomationStepExecutions",
];
const CONTROLS: [&str; 5] = [
    "SendCommand",
    "CancelCommand",
    "StartAutomationExecution",
    "StopAutomationExecution",
    "SendAutomationSignal",
];

fn deployed() -> Deployment {
    deploy(Fleet::plain(3, 1), &DeploymentOptions::seeded(1)).expect("deploys")
}

/// A POST as a function URL delivers it.
fn request(operation: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": "/", "rawQueryString": "",
        "headers": { "x-amz-target": format!("AmazonSSM.{operation}"), "content-type": "application/x-amz-json-1.1" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "url", "requestId": "1", "routeKey": "$default",
            "stage": "$default", "time": "", "timeEpoch": 0, "http": { "method": "POST", "path": "/" },
        },
        "body": body, "isBase64Encoded": false,
    })
}

/// Invokes a function with an event; status and body.
fn invoke(deployment: &mut Deployment, function: &str, event: &Value) -> (u64, Value) {
    let answer = deployment.simulation.invoke(function, event.clone());
    let answer = answer.expect("time moves on").expect("an answer, whatever is asked");
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
    (answer["statusCode"].as_u64().expect("a status"), body.expect("a JSON body"))
}

/// The error's name, where the caller is told of a mistake of theirs.
fn refused(deployment: &mut Deployment, function: &str, event: &Value) -> String {
    let (status, body) = invoke(deployment, function, event);
    assert!((400..500).contains(&status), "{event} {body}");
    // The results API has no types of SSM's.
    body["__type"].as_str().or_else(|| body["Code"].as_str()).expect("an error's name").to_owned()
}

#[test]
fn each_endpoint_refuses_what_the_other_is_for_and_names_it() {
    let mut deployment = deployed();
    for (operations, serves, other) in [(&READS[..], "read", "control"), (&CONTROLS[..], "control", "read")] {
        for operation in operations {
            let event = request(
                operation,
                "{\"MaxResults\": 7.5, \"CommandId\": 1, \"AutomationExecutionId\": 1, \"DocumentName\": 1}",
            );
            let (status, body) = invoke(&mut deployment, &format!("api-{other}"), &event);
            assert_eq!((status, &body["__type"]), (400, &json!("AccessDeniedException")), "{operation}");
            let message = body["message"].as_str().expect("a message");
            assert!(message.contains(&format!("the {serves} endpoint")), "{message}");
            // Where it is served, the body is looked at.
            assert_eq!(refused(&mut deployment, &format!("api-{serves}"), &event), "SerializationException");
        }
    }
    let mut get = request("", "");
    get["headers"] = json!({});
    get["requestContext"]["http"]["method"] = json!("GET");
    get["rawPath"] = json!(format!("/executions/{ID}/steps"));
    assert_eq!(refused(&mut deployment, "api-control", &get), "AccessDeniedException");
    assert_eq!(refused(&mut deployment, "api-read", &get), "AutomationExecutionNotFoundException");
}

#[test]
fn whatever_a_body_is_it_is_the_callers_mistake() {
    let mut deployment = deployed();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let nested = format!("{{\"Filters\": {deep}}}");
    for (body, code) in [
        ("{", "SerializationException"),
        ("[]", "SerializationException"),
        ("\"text\"", "SerializationException"),
        ("7", "SerializationException"),
        ("null", "SerializationException"),
        ("\u{fffd}", "SerializationException"),
        (nested.as_str(), "SerializationException"),
        ("{\"Filters\": 1}", "SerializationException"),
        ("{\"MaxResults\": 1e400}", "SerializationException"),
        ("{\"MaxResults\": 99999999999999999999}", "SerializationException"),
        ("{\"MaxResults\": 0}", "ValidationException"),
        ("{\"NextToken\": \"nonsense\"}", "InvalidNextToken"),
        ("{\"Filters\": [{\"Key\": \"Colour\", \"Values\": [\"red\"]}]}", "InvalidFilterKey"),
    ] {
        let event = request("DescribeAutomationExecutions", body);
        assert_eq!(refused(&mut deployment, "api-read", &event), code, "{body:.60}");
    }
    // No body, and one that came as base64, are bodies.
    for (body, encoded) in [("", false), ("{}", false), ("e30=", true)] {
        let mut event = request("DescribeAutomationExecutions", body);
        event["isBase64Encoded"] = json!(encoded);
        assert_eq!(invoke(&mut deployment, "api-read", &event).0, 200, "{body}");
    }
    let mut event = request("DescribeAutomationExecutions", "no base64!");
    event["isBase64Encoded"] = json!(true);
    assert_eq!(refused(&mut deployment, "api-read", &event), "SerializationException");
    for (member, value) in
        [("content-type", "text/xml"), ("x-amz-target", "AmazonSSM."), ("x-amz-target", "DynamoDB.GetItem")]
    {
        let mut event = request("DescribeAutomationExecutions", "{}");
        event["headers"][member] = json!(value);
        assert_eq!(refused(&mut deployment, "api-read", &event), "UnknownOperationException", "{value}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let mut event = request("DescribeAutomationExecutions", "{}");
        event["requestContext"]["http"]["method"] = json!(method);
        assert_eq!(refused(&mut deployment, "api-read", &event), "UnknownOperationException", "{method}");
    }
    for event in [json!({}), json!("text"), json!({ "headers": 7 })] {
        refused(&mut deployment, "api-read", &event);
    }
}

/// An input of a step: what its JSON text stands for.
fn input(run: &mut Run, step: &str, name: &str) -> Value {
    let text = run.step(step)["Inputs"][name].as_str().map(str::to_owned);
    serde_json::from_str(&text.unwrap_or_else(|| panic!("{step} has no input {name}"))).expect("JSON text")
}

const CHAIN: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
  Path: { type: String, default: /var }
variables:
  note: { type: String, default: before }
mainSteps:
  - name: look
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["df {{ Path }}", "echo {{ variable:note }}"] }
  - name: again
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: ["{{ look.SuccessInstanceIds }}"]
      Parameters: { commands: [uptime] }
  - name: change
    action: aws:updateVariable
    inputs: { Name: "variable:note", Value: after }
  - name: rounds
    action: aws:loop
    inputs:
      Iterators: [one, two]
      Steps:
        - name: rest
          action: aws:sleep
          inputs: { Duration: "PT{{ rounds.CurrentIteration }}S" }
"#;

#[test]
fn inputs_are_told_as_json_with_what_references_stand_for() {
    let mut run = Story::new().nodes(3).runbook(CHAIN).play();
    assert_eq!(run.status(), "Success");
    let nodes = json!(run.nodes());
    assert_eq!(input(&mut run, "look", "DocumentName"), "AWS-RunShellScript");
    assert_eq!(input(&mut run, "look", "InstanceIds"), nodes);
    // What the variable was then is not known any more.
    let commands = json!({ "commands": ["df /var", "echo {{ variable:note }}"] });
    assert_eq!(input(&mut run, "look", "Parameters"), commands);
    let mut again = input(&mut run, "again", "InstanceIds");
    again.as_array_mut().expect("a list").sort_by_key(Value::to_string);
    let mut all = nodes.clone();
    all.as_array_mut().expect("a list").sort_by_key(Value::to_string);
    assert_eq!(again, all, "spliced into one list");
    assert_eq!(input(&mut run, "change", "Value"), "after");
    assert_eq!(input(&mut run, "rest", "Duration"), "PT1S", "of the first round");
    assert!(run.step("rounds")["Inputs"]["Steps"].is_null(), "they are steps of their own");
    assert_eq!(run.execution()["Variables"], json!({ "note": ["after"] }));
}

#[test]
fn a_long_list_of_nodes_is_told_by_its_beginning_and_how_many_more_there_are() {
    let mut run = Story::new().nodes(50).runbook(CHAIN).play();
    assert_eq!(input(&mut run, "again", "InstanceIds").as_array().map(Vec::len), Some(50));
    let by_tag = CHAIN
        .replace(
            "      InstanceIds: \"{{ Nodes }}\"\n",
            "      Targets: [{ Key: \"tag-key\", Values: [Name] }]\n",
        )
        .replace("  Nodes: { type: StringList }\n", "");
    let mut run = Story::new().nodes(300).runbook(&by_tag).play();
    let shown = input(&mut run, "again", "InstanceIds");
    let shown = shown.as_array().expect("a list");
    assert_eq!((shown.len(), shown.last()), (51, Some(&json!("... and 250 more"))));
}

#[test]
fn a_step_that_failed_tells_where_and_how() {
    let mut run =
        Story::new().nodes(3).runbook(&CHAIN.replace("AWS-RunShellScript", "No-Such-Document")).play();
    let details = run.step("look")["FailureDetails"].clone();
    assert_eq!((&details["FailureStage"], &details["FailureType"]), (&json!("Invocation"), &json!("Action")));
    assert_eq!(details["Details"]["NotRunCount"], json!(["3"]));
    let mut run = Story::new().runbook(CHAIN).parameter("Nodes", &["web-1"]).play();
    assert_eq!(run.step("look")["FailureDetails"]["FailureStage"], "InputValidation");
    let mut run = Story::new().nodes(3).runbook(CHAIN).play();
    assert!(run.step("look")["FailureDetails"].is_null());
}

#[test]
fn who_starts_and_who_approves_is_whom_iam_says() {
    let (starter, approver) = ("arn:aws:iam::123456789012:user/bob", "arn:aws:iam::123456789012:user/alice");
    let text = "schemaVersion: \"0.3\"\nmainSteps:\n  - name: ask\n    action: aws:approve\n    inputs:\n      \
                Approvers: [arn:aws:iam::123456789012:user/alice]\n";
    let mut run = Story::new().runbook(text).deploy();
    let start = json!({ "DocumentName": "Story" });
    let answer = run.deployment.call_as(starter, "1", "StartAutomationExecution", &start).expect("it starts");
    run.id = answer["AutomationExecutionId"].as_str().expect("an id").to_owned();
    let approve = json!({ "AutomationExecutionId": run.id, "SignalType": "Approve" });
    let refused = run.deployment.call_as(starter, "2", "SendAutomationSignal", &approve);
    assert!(refused.is_err(), "the starter is no approver");
    run.deployment.call_as(approver, "3", "SendAutomationSignal", &approve).expect("it is taken");
    run.end();
    assert_eq!(run.execution()["ExecutedBy"], starter);
    let decisions = run.output("ask", "ApproverDecisions").join(" ");
    assert!(decisions.contains(approver), "{decisions}");
}

#[test]
fn executions_are_found_by_their_tags() {
    let mut run = Story::new().runbook(runbooks::ONE_STEP).play();
    let start = |tags: Value| json!({ "DocumentName": "Story", "Parameters": { "Nodes": [] }, "Tags": tags });
    let tagged = start(json!([{ "Key": "Team", "Value": "web" }, { "Key": "Night", "Value": "" }]));
    let answer = run.deployment.call("StartAutomationExecution", &tagged).expect("it starts");
    run.pass(SignedDuration::from_mins(1));
    for (keys, found) in [(json!(["Team"]), 1), (json!(["Nobody", "Night"]), 1), (json!(["Day"]), 0)] {
        let filter = json!({ "Filters": [{ "Key": "TagKey", "Values": keys }] });
        let page = run.deployment.call("DescribeAutomationExecutions", &filter).expect("a page");
        let list = page["AutomationExecutionMetadataList"].as_array().expect("a list");
        assert_eq!(list.len(), found, "{keys}");
        assert!(list.iter().all(|one| one["AutomationExecutionId"] == answer["AutomationExecutionId"]));
    }
    let many: Vec<Value> = (0..6).map(|n| json!({ "Key": format!("k{n}"), "Value": "v" })).collect();
    for tags in [json!(many), json!([{ "Key": "a", "Value": "1" }, { "Key": "a", "Value": "2" }])] {
        match run.deployment.call("StartAutomationExecution", &start(tags)) {
            Err(DeploymentError::Api(error)) => {
                assert_eq!(error.code, "ValidationException");
                assert!(error.message.contains("Tags"), "{error}");
            }
            other => panic!("should have been refused: {other:?}"),
        }
    }
}
