//! The embedded cloud over HTTP, as tools see it: two ports on the loopback interface.

use std::thread::{self, JoinHandle};

use fleetwright_local::fleet::Fleet;
use fleetwright_local::serve::{ServeError, ServeOptions, ServedDocument, Server};
use futures::FutureExt;
use futures::channel::oneshot;
use serde_json::{Value, json};

/// An hour of virtual time in a second.
const SPEED: f64 = 3600.0;
/// Looks at something that is under way, before it is given up.
const LOOKS: u32 = 20_000;
const RUNBOOK: &str = "\
schemaVersion: '0.3'
mainSteps:
  - name: date
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: InstanceIds, Values: ['{{ Nodes }}'] }]
      Parameters: { commands: [date] }
parameters:
  Nodes: { type: StringList }
";
const COMMAND: &str = r#"{ "schemaVersion": "2.2", "description": "Says the date.", "mainSteps": [
  { "action": "aws:runShellScript", "name": "say", "inputs": { "runCommand": ["date"] } } ] }"#;

fn options() -> ServeOptions {
    ServeOptions {
        aws_port: 0,
        api_port: 0,
        fleet: Fleet::plain(7, 3),
        documents: Vec::new(),
        data: None,
        seed: 3,
        speed: SPEED,
        functions: None,
    }
}

/// A server on a thread of its own, until it is dropped.
struct Served {
    aws: String,
    api: String,
    agent: ureq::Agent,
    over: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Served {
    fn start(options: ServeOptions) -> Self {
        let (started, addresses) = std::sync::mpsc::channel();
        let (over, is_over) = oneshot::channel();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let server = Server::start(options).await?;
                let _ = started.send((server.aws_url(), server.api_url()));
                server.run(is_over.map(drop)).await
            })
        });
        let (aws, api) = addresses.recv().expect("it starts");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { aws, api, agent, over: Some(over), server: Some(server) }
    }

    /// Status and body of the answer to a request as an SDK sends it.
    fn post(&self, url: &str, target: &str, body: &str) -> (u16, Value) {
        let request = self.agent.post(url).header("x-amz-target", target);
        let signed = "AWS4-HMAC-SHA256 Credential=jane/20260314/us-east-1/ssm/aws4_request, Signature=0";
        let answer = request.header("authorization", signed).send(body);
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    #[track_caller]
    fn call(&self, url: &str, target: &str, body: &Value) -> Value {
        let (status, answer) = self.post(url, target, &body.to_string());
        assert_eq!(status, 200, "{target} {body}: {answer}");
        answer
    }

    #[track_caller]
    fn ssm(&self, operation: &str, body: &Value) -> Value {
        self.call(&self.aws, &format!("AmazonSSM.{operation}"), body)
    }

    #[track_caller]
    fn ours(&self, operation: &str, body: &Value) -> Value {
        self.call(&self.api, &format!("AmazonSSM.{operation}"), body)
    }

    fn first_node(&self) -> String {
        let nodes = self.ssm("DescribeInstanceInformation", &json!({}));
        text(&nodes["InstanceInformationList"][0]["InstanceId"])
    }

    /// Tells it to end; whether it ended well.
    fn end(mut self) {
        drop(self.over.take());
        let server = self.server.take().expect("it runs");
        server.join().expect("it ends").expect("it ends well");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Looks until something has come about.
#[track_caller]
fn until(mut look: impl FnMut() -> Option<Value>) -> Value {
    (0..LOOKS).find_map(|_| look()).expect("it does not come about")
}

#[test]
fn a_document_is_made_and_sent_to_a_node_that_runs_it() {
    let served = Served::start(options());
    let made = json!({ "Name": "say-date", "Content": COMMAND, "DocumentType": "Command" });
    let made = served.ssm("CreateDocument", &made);
    assert_eq!(made["DocumentDescription"]["Status"], "Active");
    let node = served.first_node();
    let send = json!({ "DocumentName": "say-date", "InstanceIds": [node] });
    let id = text(&served.ssm("SendCommand", &send)["Command"]["CommandId"]);
    let ended = until(|| {
        let answer = served.ssm("ListCommandInvocations", &json!({ "CommandId": id, "Details": true }));
        Some(answer["CommandInvocations"][0].clone()).filter(|found| found["Status"] == "Success")
    });
    assert_eq!((&ended["InstanceId"], &ended["CommandPlugins"][0]["Name"]), (&json!(node), &json!("say")));
    served.end();
}

#[test]
fn an_execution_is_started_through_our_port_and_succeeds() {
    let document = ServedDocument {
        file: "say.yaml".to_owned(),
        name: "say".to_owned(),
        text: RUNBOOK.to_owned(),
        kind: "Automation",
    };
    let served = Served::start(ServeOptions { documents: vec![document], ..options() });
    let start = json!({ "DocumentName": "say", "Parameters": { "Nodes": [served.first_node()] } });
    let id = text(&served.ours("StartAutomationExecution", &start)["AutomationExecutionId"]);
    let ended = until(|| {
        let answer = served.ours("GetAutomationExecution", &json!({ "AutomationExecutionId": id }));
        let execution = answer["AutomationExecution"].clone();
        Some(execution).filter(|execution| execution["AutomationExecutionStatus"] != "InProgress")
    });
    assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
    assert_eq!(ended["ExecutedBy"], "arn:aws:iam::123456789012:user/jane", "the access key names the caller");
    let mut answer =
        served.agent.get(format!("{}/executions/{id}/steps", served.api)).call().expect("answer");
    let steps: Value =
        serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON");
    assert!(steps.to_string().contains("\"date\""), "{steps}");
    served.end();
}

#[test]
fn a_message_that_is_published_is_received_by_who_waits_for_it() {
    let served = Served::start(options());
    let sqs =
        |operation: &str, body: &Value| served.call(&served.aws, &format!("AmazonSQS.{operation}"), body);
    let url = text(&sqs("CreateQueue", &json!({ "QueueName": "mine" }))["QueueUrl"]);
    assert_eq!(url, format!("{}/123456789012/mine", served.aws), "a client may take it for an address");
    let form = |body: &str| {
        let mut answer = served.agent.post(&served.aws).send(body).expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.body_mut().read_to_string().expect("text")
    };
    let topic = form("Action=CreateTopic&Name=news&Version=2010-03-31");
    let arn = "arn:aws:sns:us-east-1:123456789012:news";
    assert!(topic.contains(&format!("<TopicArn>{arn}</TopicArn>")), "{topic}");
    form(&format!(
        "Action=Subscribe&TopicArn={arn}&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:123456789012:mine"
    ));
    form(&format!("Action=Publish&TopicArn={arn}&Message=hello"));
    let received = sqs("ReceiveMessage", &json!({ "QueueUrl": url, "WaitTimeSeconds": 20 }));
    assert!(text(&received["Messages"][0]["Body"]).contains("hello"), "{received}");
    let receipt = &received["Messages"][0]["ReceiptHandle"];
    sqs("DeleteMessage", &json!({ "QueueUrl": url, "ReceiptHandle": receipt }));
    let nothing = sqs("ReceiveMessage", &json!({ "QueueUrl": url, "WaitTimeSeconds": 1 }));
    assert_eq!(nothing["Messages"], json!([]), "the wait has an end");
    served.end();
}

#[test]
fn malformed_requests_are_the_callers_mistake() {
    let served = Served::start(options());
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies =
        ["", "{", "null", "[]", "\"x\"", "1e999", "{\"Name\": 7}", "{\"Filters\": {}}", "\u{0}", &deep];
    let targets = [
        "AmazonSSM.SendCommand",
        "AmazonSSM.ListDocuments",
        "AmazonSSM.GetDocument",
        "AmazonSSM.StartAutomationExecution",
        "AmazonSSM.NoSuchOperation",
        "AmazonSQS.ReceiveMessage",
        "DynamoDB_20120810.PutItem",
        "DynamoDB_20120810.Query",
        "AWSEvents.PutEvents",
        "NoSuchService.Do",
        "",
    ];
    for url in [&served.aws, &served.api] {
        for target in targets {
            for body in bodies {
                let (status, answer) = served.post(url, target, body);
                // An empty request is one that some operations take.
                let fine = (400..500).contains(&status) || status == 200;
                assert!(fine, "{url} {target} {body:.40}: {status} {answer}");
            }
        }
    }
    let status = |answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>| {
        answer.map(|answer| answer.status().as_u16()).expect("an answer")
    };
    assert_eq!(status(served.agent.get(&served.aws).call()), 405);
    assert_eq!(status(served.agent.delete(&served.api).call()), 400);
    assert_eq!(status(served.agent.post(&served.aws).send("Action=Nonsense&&=%&Message=%zz")), 400);
    assert_eq!(status(served.agent.post(&served.aws).send(vec![0xff; 64])), 400);
    let large = "x".repeat(17 * 1024 * 1024);
    let refused = served.agent.post(&served.aws).header("x-amz-target", "AmazonSSM.SendCommand").send(&large);
    // The connection may be closed before all of it was sent.
    assert!(refused.is_err() || status(refused) == 413);
    assert_eq!(served.ssm("ListCommands", &json!({}))["Commands"], json!([]), "it is as it was");
    served.end();
}

#[test]
fn many_clients_at_once_are_all_answered() {
    let served = Served::start(options());
    let answered: usize = thread::scope(|scope| {
        let client = |_| {
            scope.spawn(|| {
                let ours = served.ours("DescribeAutomationExecutions", &json!({}));
                let ssm = served.ssm("DescribeInstanceInformation", &json!({ "MaxResults": 5 }));
                assert_eq!(ours["AutomationExecutionMetadataList"], json!([]));
                ssm["InstanceInformationList"].as_array().map_or(0, Vec::len)
            })
        };
        let clients: Vec<_> = (0..20).map(client).collect();
        clients.into_iter().map(|client| client.join().expect("an answer")).sum()
    });
    assert_eq!(answered, 100);
    served.end();
}

#[test]
fn a_table_in_a_file_is_taken_up_again() {
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("http-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("table.db");
    let with_file = || ServeOptions { data: Some(file.clone()), ..options() };
    let dynamodb = |served: &Served, operation: &str, body: Value| {
        served.call(&served.aws, &format!("DynamoDB_20120810.{operation}"), &body)
    };
    let key = json!({ "pk": { "S": "mine" }, "sk": { "S": "1" } });
    let before = Served::start(with_file());
    dynamodb(&before, "PutItem", json!({ "TableName": "fleetwright", "Item": key }));
    before.end();
    let after = Served::start(with_file());
    let found = dynamodb(&after, "GetItem", json!({ "TableName": "fleetwright", "Key": key }));
    assert_eq!(found["Item"], key);
    after.end();
    let left: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, [file], "it was closed well: nothing waits beside it");
    std::fs::remove_dir_all(folder).expect("removed");
}
