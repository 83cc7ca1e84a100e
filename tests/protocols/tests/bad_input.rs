//! Bad input gets a clear error that names the thing and the place, and changes nothing (G8).

use fleetwright_local::fleet::Fleet;
use fleetwright_local::{ApiError, Deployment, DeploymentError, DeploymentOptions, TABLE};
use fleetwright_protocols::{Story, deploy, node_notification, runbooks, steady_fleet};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

const RUNBOOK: &str = r#"schemaVersion: "0.3"
parameters:
  Nodes:
    type: StringList
  Path:
    type: String
    default: /var
    allowedPattern: ^/[a-z/]+$
  Mode:
    type: String
    default: fast
    allowedValues: [fast, careful]
  Force:
    type: Boolean
    default: false
mainSteps:
  - name: look
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters:
        commands: ["ls {{ Path }}"]
"#;

/// A deployment with one runbook, `Look`.
fn deployed() -> Deployment {
    let deployment = deploy(Fleet::plain(3, 1), &DeploymentOptions::seeded(1)).expect("deploys");
    deployment.register_runbook("Look", RUNBOOK).expect("registers");
    deployment
}

fn items(deployment: &Deployment) -> Vec<Value> {
    deployment.simulation.cloud().dynamodb.items(TABLE).expect("the table is there")
}

/// The ids of the fleet's nodes.
fn nodes(deployment: &Deployment) -> Vec<String> {
    deployment.simulation.cloud().ssm.node_ids().map(str::to_owned).collect()
}

/// Makes a call that must be refused and leave no trace; the error.
fn refused(deployment: &mut Deployment, operation: &str, body: &Value) -> ApiError {
    let before = items(deployment);
    let error = match deployment.call(operation, body) {
        Err(DeploymentError::Api(error)) => error,
        other => panic!("{operation} {body} should have been refused: {other:?}"),
    };
    assert!(items(deployment) == before, "{operation} {body} left a trace");
    error
}

/// Holds that an error has this name, and a message that names all of these.
fn assert_says(error: &ApiError, code: &str, words: &[&str]) {
    assert_eq!(error.code, code, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{word:?} is not in {:?}", error.message);
    }
}

/// Sends a request as a function URL delivers it, body and target as they are.
fn raw(deployment: &mut Deployment, target: &str, body: &str) -> (u64, Value) {
    let function = if target.contains("Start") { "api-control" } else { "api-read" };
    let event = json!({
        "version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": { "x-amz-target": target },
        "requestContext": {
            "accountId": "123456789012", "apiId": "local", "domainName": "local", "domainPrefix": "local",
            "requestId": "local", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
            "http": { "method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1" }
        },
        "body": body, "isBase64Encoded": false
    });
    let answer = deployment.simulation.invoke(function, event).expect("time moves on").expect("an answer");
    let body = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("a JSON body");
    (answer["statusCode"].as_u64().expect("a status"), body)
}

#[test]
fn a_runbook_that_is_not_there_is_named() {
    let mut deployment = deployed();
    let error = refused(&mut deployment, "StartAutomationExecution", &json!({ "DocumentName": "Loook" }));
    assert_says(&error, "AutomationDefinitionNotFoundException", &["Loook"]);
    let body = json!({ "DocumentName": "Look", "DocumentVersion": "7" });
    let error = refused(&mut deployment, "StartAutomationExecution", &body);
    assert_says(&error, "AutomationDefinitionVersionNotFoundException", &["Look", "7"]);
}

#[test]
fn a_command_document_is_no_runbook() {
    let body = json!({ "DocumentName": "AWS-RunShellScript" });
    let error = refused(&mut deployed(), "StartAutomationExecution", &body);
    assert_says(&error, "AutomationDefinitionNotFoundException", &["AWS-RunShellScript", "Automation"]);
}

#[test]
fn each_wrong_parameter_is_named_with_what_is_wrong_and_never_with_its_value() {
    let mut deployment = deployed();
    let node = nodes(&deployment)[0].clone();
    let secret = "hunter2!";
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["Nodes", "required"]),
        (json!({ "Nodes": [node], "Nodez": [secret] }), &["Nodez", "no such parameter"]),
        (json!({ "Nodes": [node], "Path": [secret] }), &["Path", "allowedPattern", "^/[a-z/]+$"]),
        (json!({ "Nodes": [node], "Path": ["/a", secret] }), &["Path", "exactly one value", "2"]),
        (json!({ "Nodes": [node], "Mode": [secret] }), &["Mode", "allowedValues"]),
        (json!({ "Nodes": [node], "Force": [secret] }), &["Force", "Boolean"]),
        (json!({ "Path": [secret], "Mode": [secret] }), &["Nodes", "Path", "Mode"]),
    ];
    for (parameters, words) in cases {
        let body = json!({ "DocumentName": "Look", "Parameters": parameters });
        let error = refused(&mut deployment, "StartAutomationExecution", &body);
        assert_says(&error, "InvalidAutomationExecutionParametersException", words);
        assert!(!error.message.contains(secret), "{error}");
    }
}

#[test]
fn an_unreadable_runbook_is_refused_with_line_and_column() {
    let mut deployment = deployed();
    let cases: &[(&str, String, &[&str])] = &[
        (
            "Torn",
            RUNBOOK.replace("InstanceIds: \"{{ Nodes }}\"", "InstanceIds: \"{{ Nodes }}"),
            &["Torn", ":"],
        ),
        ("NoAction", RUNBOOK.replace("    action: aws:runCommand\n", ""), &["NoAction", "17:5", "action"]),
        (
            "BadJump",
            RUNBOOK.replace("    action:", "    nextStep: there\n    action:"),
            &["BadJump", "18:15", "there"],
        ),
        ("NotYaml", "{\"schemaVersion\": ".to_owned(), &["NotYaml", "1:"]),
    ];
    for (name, text, words) in cases {
        deployment.register_runbook(name, text).expect("SSM keeps what it is given");
        let error = refused(&mut deployment, "StartAutomationExecution", &json!({ "DocumentName": name }));
        assert_says(&error, "ValidationException", words);
    }
}

#[test]
fn a_runbook_with_an_action_that_cannot_run_here_names_step_action_and_place() {
    let mut deployment = deployed();
    let text = format!(
        "{RUNBOOK}  - name: describe\n    action: aws:executeAwsApi\n    inputs: {{ Service: ec2, Api: DescribeInstances }}\n  \
         - name: ask\n    action: aws:approve\n    inputs: {{ EnhancedApprovals: {{ Approvers: [] }} }}\n"
    );
    deployment.register_runbook("Calls", &text).expect("registers");
    let body = json!({ "DocumentName": "Calls", "Parameters": { "Nodes": nodes(&deployment) } });
    let error = refused(&mut deployment, "StartAutomationExecution", &body);
    let words = ["describe", "aws:executeAwsApi", "24:5", "ask", "aws:approve", "27:5"];
    assert_says(&error, "ValidationException", &words);
    assert!(deployment.simulation.cloud().ssm.ledger().commands().is_empty());
}

#[test]
fn an_ill_formed_node_id_makes_its_step_fail_and_is_named() {
    let mut deployment = deployed();
    let mut given = nodes(&deployment);
    given.push("i-nonsense-".to_owned());
    let body = json!({ "DocumentName": "Look", "Parameters": { "Nodes": given } });
    let answer = deployment.call("StartAutomationExecution", &body).expect("the runbook itself is fine");
    let id = answer["AutomationExecutionId"].as_str().expect("an id").to_owned();
    deployment.run_to_end(&id, Duration::from_secs(600)).expect("ends");
    let got =
        deployment.call("GetAutomationExecution", &json!({ "AutomationExecutionId": id })).expect("is there");
    let execution = &got["AutomationExecution"];
    assert_eq!(execution["AutomationExecutionStatus"], "Failed");
    let step = &execution["StepExecutions"][0];
    assert_eq!(step["StepStatus"], "Failed");
    for message in [&execution["FailureMessage"], &step["FailureMessage"]] {
        let message = message.as_str().expect("a message");
        assert!(message.contains("InstanceIds") && message.contains("i-nonsense-"), "{message}");
    }
    assert!(deployment.simulation.cloud().ssm.ledger().commands().is_empty(), "nothing was sent anywhere");
}

#[test]
fn an_execution_that_is_not_there_is_named() {
    let mut deployment = deployed();
    let id = "11111111-2222-4333-8444-555555555555";
    for operation in ["GetAutomationExecution", "StopAutomationExecution", "SendAutomationSignal"] {
        let body = json!({ "AutomationExecutionId": id, "SignalType": "Resume" });
        let error = refused(&mut deployment, operation, &body);
        assert_says(&error, "AutomationExecutionNotFoundException", &[id]);
    }
    for resource in ["steps", "summary"] {
        match deployment.get(&format!("/executions/{id}/{resource}")) {
            Err(DeploymentError::Api(error)) => {
                assert_says(&error, "AutomationExecutionNotFoundException", &[id]);
            }
            other => panic!("{resource}: {other:?}"),
        }
    }
    assert!(items(&deployment).is_empty());
}

#[test]
fn a_member_that_is_missing_or_of_another_type_or_no_choice_is_named() {
    let mut deployment = deployed();
    for (operation, body, code, word) in [
        ("StartAutomationExecution", json!({}), "ValidationException", "documentName"),
        ("GetAutomationExecution", json!({}), "ValidationException", "automationExecutionId"),
        ("StopAutomationExecution", json!({}), "ValidationException", "automationExecutionId"),
        (
            "StopAutomationExecution",
            json!({ "AutomationExecutionId": "11111111-2222-4333-8444-555555555555", "Type": "Maybe" }),
            "ValidationException",
            "Maybe",
        ),
        (
            "SendAutomationSignal",
            json!({ "AutomationExecutionId": "11111111-2222-4333-8444-555555555555", "SignalType": "Wave" }),
            "ValidationException",
            "Wave",
        ),
        (
            "StartAutomationExecution",
            json!({ "DocumentName": "Look", "Targets": [{ "Key": "tag:A", "Values": ["b"] }] }),
            "ValidationException",
            "Targets",
        ),
    ] {
        let error = refused(&mut deployment, operation, &body);
        assert_says(&error, code, &[word]);
    }
    let body = json!({ "DocumentName": "Look", "Parameters": { "Nodes": "i-1" } });
    let error = refused(&mut deployment, "StartAutomationExecution", &body);
    assert_eq!(error.code, "SerializationException");
}

#[test]
fn a_body_that_is_no_json_and_an_operation_that_does_not_exist_are_told_apart() {
    let mut deployment = deployed();
    let (status, body) =
        raw(&mut deployment, "AmazonSSM.StartAutomationExecution", "{\"DocumentName\": \"Look\",\n ]");
    assert_eq!((status, &body["__type"]), (400, &json!("SerializationException")));
    let message = body["message"].as_str().expect("a message");
    assert!(message.contains("line 2") && message.contains("column"), "{message}");
    for target in ["AmazonSSM.StartAutomation", "AmazonEC2.RunInstances", ""] {
        let (status, body) = raw(&mut deployment, target, "{}");
        assert_eq!((status, &body["__type"]), (400, &json!("UnknownOperationException")), "{target}");
        let name = target.rsplit('.').next().expect("a name");
        assert!(body["message"].as_str().expect("a message").contains(name), "{body}");
    }
    assert!(items(&deployment).is_empty());
}

#[test]
fn a_client_token_used_again_with_another_request_is_refused_and_with_the_same_is_the_same_execution() {
    let mut deployment = deployed();
    let token = "5a5a5a5a-1111-4222-8333-444444444444";
    let all = nodes(&deployment);
    let body = |document: &str, nodes: &[String]| json!({ "DocumentName": document, "ClientToken": token, "Parameters": { "Nodes": nodes } });
    let first = deployment.call("StartAutomationExecution", &body("Look", &all)).expect("starts");
    let id = first["AutomationExecutionId"].as_str().expect("an id").to_owned();
    deployment.run_to_end(&id, Duration::from_secs(600)).expect("ends");

    let again = deployment.call("StartAutomationExecution", &body("Look", &all)).expect("is answered again");
    assert_eq!(again, first);

    deployment.register_runbook("Other", &RUNBOOK.replace("ls ", "df ")).expect("registers");
    for other in [body("Look", &all[..1]), body("Other", &all)] {
        let error = refused(&mut deployment, "StartAutomationExecution", &other);
        assert_says(&error, "IdempotentParameterMismatch", &["ClientToken"]);
    }
    assert_eq!(deployment.simulation.cloud().ssm.ledger().runs().len(), all.len(), "each node ran once");
}

/// Messages that are none: what is wrong with each, and which queue somebody put it into.
fn poison(command: &str, node: &str) -> Vec<String> {
    let good = node_notification(command, node, "Success", "2026-03-14T02:00:00Z".parse().expect("a time"));
    let without = |member: &str| {
        let mut message = good.clone();
        message.as_object_mut().expect("an object").remove(member);
        envelope(&message.to_string())
    };
    let with = |member: &str, value: Value| {
        let mut message = good.clone();
        message[member] = value;
        envelope(&message.to_string())
    };
    vec![
        "{\"commandId\": ".to_owned(),
        "[]".to_owned(),
        json!({ "hello": "world" }).to_string(),
        json!({ "fleetwright": "wake" }).to_string(),
        envelope("no JSON"),
        without("status"),
        without("eventTime"),
        with("commandId", json!("17")),
        with("instanceId", json!("web-1")),
        with("eventTime", json!("yesterday")),
        with("status", json!(7)),
        json!({ "detail-type": "EC2 Command Status-change Notification", "time": "2026-03-14T02:00:00Z" }).to_string(),
        json!({ "detail-type": "EC2 Command Invocation Status-change Notification", "time": "2026-03-14T02:00:00Z",
            "detail": { "command-id": command, "status": "Success" } })
        .to_string(),
    ]
}

/// An SNS message as a queue gets it.
fn envelope(message: &str) -> String {
    json!({ "Type": "Notification", "MessageId": "1", "Message": message }).to_string()
}

#[test]
fn messages_that_cannot_be_read_fail_alone_and_end_in_the_dead_letter_queue() {
    let mut run = Story::new().fleet(steady_fleet(40, 30)).start();
    let (command, node) = (run.commands()[0].command_id.to_string(), run.nodes()[0].clone());
    let bad = poison(&command, &node);
    // Into one batch with the true ones, which come in when the nodes end.
    run.until(|cloud| cloud.sqs.queue("facts").is_some_and(|queue| !queue.is_empty()));
    for message in &bad {
        run.put("facts", message);
    }
    run.put("prompt", &bad[0]);
    let put = run.now();
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "SuccessCount"), 40);
    assert!(run.now() < put + SignedDuration::from_secs(30), "nobody waited for what cannot be read");

    // Five receives and the visibility timeout between them; the last true ones are in by then.
    run.pass(SignedDuration::from_mins(1));
    let (execution, items) = (run.execution(), run.items());
    run.pass(SignedDuration::from_mins(40));
    assert_eq!(run.messages("facts-dead"), bad.len());
    assert_eq!(run.messages("prompt-dead"), 1);
    assert_eq!(run.messages("facts") + run.messages("prompt"), 0);
    for message in run.cloud().sqs.queue("facts-dead").expect("a queue").messages() {
        assert!(bad.contains(&message.body), "{}", message.body);
        assert_eq!(message.receives, 5);
    }
    assert_eq!(run.execution(), execution);
    assert!(run.items() == items, "they left a trace");
}

#[test]
fn messages_that_concern_nobody_are_taken_and_change_nothing() {
    let mut run = Story::new().play();
    run.pass(SignedDuration::from_mins(2));
    let (command, node) = (run.commands()[0].command_id.to_string(), run.nodes()[0].clone());
    let items = run.items();
    run.put("facts", &envelope(&node_notification(&command, &node, "InProgress", run.now()).to_string()));
    run.put(
        "prompt",
        &json!({ "detail-type": "EC2 Instance State-change Notification", "time": "2026-03-14T02:00:00Z",
        "detail": { "state": "running" } })
        .to_string(),
    );
    run.put(
        "prompt",
        &json!({ "fleetwright": "wake", "execution": "11111111-2222-4333-8444-555555555555" }).to_string(),
    );
    run.put("prompt", &json!({ "fleetwright": "wake", "execution": run.id }).to_string());
    run.pass(SignedDuration::from_mins(1));
    assert!(run.items() == items, "something changed");
    run.check();
}

#[test]
fn a_reference_that_stands_for_nothing_makes_its_step_fail_and_is_named() {
    let text = in_the_second_step("{{ variable:unset }}") + "variables: { unset: { type: String } }\n";
    let mut run = Story::new().runbook(&text).play();
    assert_eq!(run.status(), "Failed");
    let message = run.step("second")["FailureMessage"].as_str().expect("a message").to_owned();
    assert!(message.contains("variable:unset"), "{message}");
    assert_eq!(run.commands().len(), 1, "the first step's alone");
    run.check();
}

/// Two steps, of which the second runs this.
fn in_the_second_step(command: &str) -> String {
    let (before, after) = runbooks::TWO_STEPS.rsplit_once("commands: [\"uptime\"]").expect("two steps");
    format!("{before}commands: [\"{command}\"]{after}")
}

#[test]
fn a_reference_to_an_output_that_does_not_exist_refuses_the_start_with_its_place() {
    let mut deployment = deployed();
    deployment.register_runbook("Typo", &in_the_second_step("{{ first.SuccesCount }}")).expect("registers");
    let body = json!({ "DocumentName": "Typo", "Parameters": { "Nodes": nodes(&deployment) } });
    let error = refused(&mut deployment, "StartAutomationExecution", &body);
    assert_says(&error, "ValidationException", &["first", "SuccesCount", "17:32"]);
}
