//! A whole run in the embedded cloud, each call of which the template's roles have to allow.

use fleetwright_local::fleet::Fleet;
use fleetwright_local::names::{ACCOUNT, REGION, queue_arn, queue_url, rule_arn};
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::{Applied, Deployment, DeploymentOptions, Witness};
use fleetwright_template::{Ask, FUNCTIONS, Stack, text};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const RUNBOOK: &str = include_str!("../../../../examples/patch-fleet.yaml");
const FLEET: &str = include_str!("../../../../examples/fleet.yaml");
const SEED: u64 = 7;
const LIMIT: Duration = Duration::from_secs(6 * 3600);

/// Something a call needs to be allowed, with the condition keys IAM would have for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    function: String,
    action: String,
    resource: String,
    context: Vec<(&'static str, String)>,
}

/// Writes down what every call of a function needs.
struct Needs {
    /// What is called otherwise in the template than in the embedded cloud.
    names: BTreeMap<String, String>,
    seen: Arc<Mutex<BTreeSet<Need>>>,
}

impl Witness for Needs {
    fn on_applied(&mut self, applied: &Applied<'_>) {
        if FUNCTIONS.iter().any(|(name, _)| *name == applied.caller) {
            let mut seen = self.seen.lock().expect("one thread");
            seen.extend(self.of(applied.caller, applied.request));
        }
    }
}

impl Needs {
    fn of(&self, function: &str, request: &Request) -> Vec<Need> {
        let (body, operation) = (&request.body, request.operation.as_str());
        let action = format!("{}:{operation}", request.service.prefix());
        let need = |resource: String| Need {
            function: function.to_owned(),
            action: action.clone(),
            resource,
            context: Vec::new(),
        };
        match (request.service, operation) {
            (Service::DynamoDb, _) => self.of_table(function, operation, body),
            (Service::Ssm, "SendCommand") => {
                let mut needs = vec![need(document(text(&body["DocumentName"])))];
                let tagged = |node| Need {
                    context: vec![("ssm:resourceTag/Fleetwright", "true".to_owned())],
                    ..need(node)
                };
                needs.extend(nodes(body).into_iter().map(tagged));
                needs.extend(body["ServiceRoleArn"].as_str().map(|role| Need {
                    action: "iam:PassRole".to_owned(),
                    context: vec![("iam:PassedToService", "ssm.amazonaws.com".to_owned())],
                    ..need(self.name(role))
                }));
                needs
            }
            (Service::Ssm, "DescribeInstancePatchStates") => nodes(body).into_iter().map(need).collect(),
            (Service::Ssm, "GetDocument") => vec![need(document(text(&body["Name"])))],
            (Service::Ssm, _) => vec![need("*".to_owned())],
            (Service::EventBridge, "PutEvents") => body["Entries"]
                .as_array()
                .expect("events")
                .iter()
                .map(|event| Need {
                    context: vec![("events:source", text(&event["Source"]).to_owned())],
                    ..need(format!(
                        "arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{}",
                        text(&event["EventBusName"])
                    ))
                })
                .collect(),
            (Service::Sns, "Publish") => vec![need(self.name(text(&body["TopicArn"])))],
            (Service::Sqs, "SendMessage") => {
                let url = self.name(text(&body["QueueUrl"]));
                vec![need(queue_arn(url.rsplit('/').next().unwrap_or_default()))]
            }
            (service, _) => panic!("{function} calls {service:?} {operation}"),
        }
    }

    fn of_table(&self, function: &str, operation: &str, body: &Value) -> Vec<Need> {
        let table = |name: &str| format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{}", self.name(name));
        let need = |operation: &str, resource: String, key: Option<&str>| Need {
            function: function.to_owned(),
            action: format!("dynamodb:{operation}"),
            resource,
            // The kind of an item is enough: ids differ from run to run.
            context: key
                .map(|key| {
                    ("dynamodb:LeadingKeys", key.split_inclusive('#').next().unwrap_or(key).to_owned())
                })
                .into_iter()
                .collect(),
        };
        let key = |body: &Value| {
            let key = body["Item"].get("pk").or_else(|| body["Key"].get("pk")).cloned().unwrap_or_default();
            key["S"].as_str().map(str::to_owned)
        };
        match operation {
            "TransactWriteItems" => {
                let items = body["TransactItems"].as_array().expect("actions");
                let actions = items.iter().flat_map(|item| item.as_object().expect("an action"));
                let single = |(kind, body): (&String, &Value)| {
                    need(&format!("{kind}Item"), table(text(&body["TableName"])), key(body).as_deref())
                };
                actions.map(single).collect()
            }
            "BatchGetItem" | "BatchWriteItem" => {
                let tables = body["RequestItems"].as_object().expect("tables").keys();
                tables.map(|name| need(operation, table(name), None)).collect()
            }
            _ => {
                let table = table(text(&body["TableName"]));
                let resource = match body["IndexName"].as_str() {
                    Some(index) => format!("{table}/index/{index}"),
                    None => table,
                };
                vec![need(operation, resource, key(body).as_deref())]
            }
        }
    }

    fn name(&self, local: &str) -> String {
        self.names.get(local).cloned().unwrap_or_else(|| local.to_owned())
    }
}

/// The ARN of a document: AWS's own belong to no account.
fn document(name: &str) -> String {
    let account = if name.starts_with("AWS-") { "" } else { ACCOUNT };
    format!("arn:aws:ssm:{REGION}:{account}:document/{name}")
}

/// The nodes a request names; where it names their tags, any.
fn nodes(body: &Value) -> Vec<String> {
    let ids = body["InstanceIds"].as_array().cloned().unwrap_or_else(|| vec![json!("i-any")]);
    let arn = |id: &Value| match text(id) {
        id if id.starts_with("mi-") => format!("arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{id}"),
        id => format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}"),
    };
    ids.iter().map(arn).collect()
}

/// What the embedded cloud's functions are told, by what the template's are.
fn names(deployment: &Deployment, stack: &Stack) -> BTreeMap<String, String> {
    let asked = json!({ "FunctionName": "fleetwright-reconcile" });
    let answer = deployment.simulation.cloud().lambda.handle("GetFunctionConfiguration", &asked).body;
    let theirs = answer["Environment"]["Variables"].as_object().expect("variables").clone();
    let ours = stack.environment("Reconcile");
    theirs
        .into_iter()
        .filter_map(|(name, value)| Some((text(&value).to_owned(), ours.get(&name)?.clone())))
        .collect()
}

/// A patch night, and somebody who looks at all of it.
fn play(deployment: &mut Deployment) {
    deployment.register_runbook("patch-fleet", RUNBOOK).expect("a document");
    let id = deployment.start("patch-fleet", &BTreeMap::new()).expect("it starts");
    deployment.run_to_end(&id, LIMIT).expect("it ends");
    for path in [
        "/health".to_owned(),
        "/executions".to_owned(),
        format!("/executions/{id}"),
        format!("/executions/{id}/steps"),
        format!("/executions/{id}/summary"),
        format!("/executions/{id}/nodes"),
        format!("/executions/{id}/groups"),
        format!("/executions/{id}/timeline"),
    ] {
        deployment.get(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    for operation in ["ListCommands", "ListCommandInvocations", "DescribeAutomationExecutions"] {
        deployment.call(operation, &json!({})).unwrap_or_else(|error| panic!("{operation}: {error}"));
    }
    let listed = deployment.call("ListCommandInvocations", &json!({})).expect("invocations");
    let one = &listed["CommandInvocations"][0];
    deployment.get(&format!("/nodes/{}", text(&one["InstanceId"]))).expect("a node");
    deployment.get(&format!("/commands/{}/summary", text(&one["CommandId"]))).expect("a command");
    let asked = json!({ "CommandId": one["CommandId"], "InstanceId": one["InstanceId"] });
    deployment.call("GetCommandInvocation", &asked).expect("an invocation");
    let sent = json!({ "InstanceIds": [one["InstanceId"]], "DocumentName": "AWS-RunShellScript",
        "Parameters": { "commands": ["uptime"] } });
    let sent = deployment.call("SendCommand", &sent).expect("a command");
    // SSM does not show it at once.
    deployment.pass(SignedDuration::from_secs(30)).expect("time passes");
    let cancelled = json!({ "CommandId": sent["Command"]["CommandId"] });
    deployment.call("CancelCommand", &cancelled).expect("cancelled");
    let again = deployment.start("patch-fleet", &BTreeMap::new()).expect("it starts");
    let stop = json!({ "AutomationExecutionId": again, "Type": "Cancel" });
    deployment.call("StopAutomationExecution", &stop).expect("it stops");
    deployment.run_to_end(&again, LIMIT).expect("it ends");
    start_by_an_event(deployment);
}

/// What a rule's input transformer makes of an event.
fn start_by_an_event(deployment: &mut Deployment) {
    let start = json!({ "fleetwright": "start", "rule": rule_arn("fleetwright-nightly"), "runbook": "patch-fleet",
        "event": { "id": "7bf73129-1428-4cd3-a780-95db273d1602" } });
    let body = json!({ "QueueUrl": queue_url("prompt"), "MessageBody": start.to_string() });
    let request = Request { service: Service::Sqs, operation: "SendMessage".to_owned(), body };
    assert_eq!(deployment.simulation.cloud().handle("a rule", &request).status, 200);
    deployment.pass(SignedDuration::from_mins(2)).expect("time passes");
    let running = deployment.get("/executions?status=InProgress").expect("executions");
    assert!(running.to_string().contains("fleetwright-nightly"), "the event started nothing: {running}");
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn every_call_of_a_patch_night_is_allowed() {
    let stack = Stack::deployed(&[]);
    let fleet = Fleet::parse(FLEET, SEED).expect("a fleet");
    let options = DeploymentOptions { announce: true, ..DeploymentOptions::seeded(SEED) };
    let mut deployment = Deployment::new(fleet, &options).expect("deploys");
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let needs = Needs { names: names(&deployment, &stack), seen: Arc::clone(&seen) };
    deployment.simulation.cloud().set_witness(Box::new(needs));
    play(&mut deployment);
    let seen = seen.lock().expect("one thread");
    for (name, function) in FUNCTIONS {
        let role = stack.role_of(function);
        let needs: Vec<&Need> = seen.iter().filter(|need| need.function == name).collect();
        assert!(!needs.is_empty(), "{name} called nothing: nothing was shown");
        for need in needs {
            let context: Vec<(&str, &str)> =
                need.context.iter().map(|(key, value)| (*key, value.as_str())).collect();
            let ask = Ask { action: &need.action, resource: &need.resource, context: &context };
            assert!(role.lets(&ask), "{name} may not {ask:?}");
        }
    }
}
