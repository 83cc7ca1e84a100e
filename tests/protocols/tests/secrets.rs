//! Parameters and outputs never appear in logs (G10).

use fleetwright_local::Failure;
use fleetwright_local::fleet::{Behaviour, Fleet, Node};
use fleetwright_protocols::{Story, on};
use jiff::SignedDuration;
use serde_json::json;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

const SECRET: &str = "correct-horse-battery-staple";

const RUNBOOK: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
  Password: { type: String }
mainSteps:
  - name: first
    action: aws:runCommand
    onFailure: Continue
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["join --password {{ Password }}"] }
  - name: decide
    action: aws:branch
    onFailure: Continue
    inputs:
      Choices:
        - { NextStep: refused, Variable: "{{ Password }}", NumericEquals: 1 }
  - name: refused
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { nonsense: ["{{ Password }}"] }
outputs: [first.Output]
"#;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is logged meanwhile.
fn logged(story: impl FnOnce()) -> String {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(log.clone()).finish();
    tracing::subscriber::with_default(subscriber, story);
    String::from_utf8(log.0.lock().expect("one thread").clone()).expect("text")
}

fn leak(log: &str) -> Option<&str> {
    log.lines().find(|line| line.contains(SECRET))
}

/// Nodes that print the secret and fail.
fn telltales(nodes: usize) -> Fleet {
    let tells = Behaviour {
        output: Some(format!("the password is {SECRET}")),
        fails_first: 1,
        error: Some(format!("{SECRET}: wrong")),
        ..Behaviour::default()
    };
    let behaviours: Arc<[Behaviour]> = Arc::new([tells]);
    let plain = Fleet::plain(nodes, 3);
    let node = |node: &Node| Node { behaviours: Arc::clone(&behaviours), ..node.clone() };
    Fleet::new(plain.nodes().iter().map(node).collect())
}

#[test]
fn g10_parameters_and_outputs_never_appear_in_logs() {
    let log = logged(|| {
        let mut run = Story::new()
            .fleet(telltales(4))
            .runbook(RUNBOOK)
            .parameter("Password", &[SECRET])
            .call(on("SendCommand").first(2).throttle())
            .call(on("TransactWriteItems").nth(2).fail_after(Failure::Reset))
            .start();
        run.end();
        // The nodes did print it, and it is stored: it is in the log only that it must not be.
        assert!(run.step("first")["Outputs"]["Output"][0].as_str().is_some_and(|text| text.contains(SECRET)));
        assert_eq!(
            run.status(),
            "Failed",
            "the last step passes a parameter that its document does not have"
        );
    });
    assert!(log.contains("step over") && log.contains("refused"), "nothing was logged at all: {log}");
    assert_eq!(leak(&log), None);
}

#[test]
fn g10_what_callers_send_and_read_is_not_logged_either() {
    let log = logged(|| {
        let mut run = Story::new()
            .fleet(telltales(2))
            .call(on("SendCommand").nth(2).fail_after(Failure::Timeout))
            .deploy();
        let command = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": run.nodes(), "Comment": SECRET,
            "Parameters": { "commands": [format!("join --password {SECRET}")] } });
        let sent = run.deployment.call("SendCommand", &command).expect("sent");
        run.deployment.call("SendCommand", &command).expect_err("nobody answers");
        let malformed =
            json!({ "DocumentName": SECRET.repeat(9), "InstanceIds": [SECRET], "Comment": SECRET.repeat(9) });
        run.deployment.call("SendCommand", &malformed).expect_err("refused");
        run.pass(SignedDuration::from_hours(1));
        let id = &sent["Command"]["CommandId"];
        let read = json!({ "CommandId": id, "InstanceId": run.nodes()[0] });
        let output = run.deployment.call("GetCommandInvocation", &read).expect("an invocation");
        assert!(output.to_string().contains(SECRET), "the node did print it: {output}");
        run.deployment
            .call("ListCommandInvocations", &json!({ "CommandId": id, "Details": true }))
            .expect("a list");
    });
    assert!(log.contains("no answer") && log.contains("refused"), "nothing was logged at all: {log}");
    assert_eq!(leak(&log), None);
}
