//! The moments whose items are kept: each a story that is played up to where something is under way, or over.

use crate::golden::fleet;
use fleetwright_protocols::{Failure, Run, Story, on, runbooks, stored, text};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A moment by its name, which is its file's.
pub(crate) struct Moment {
    pub(crate) name: &'static str,
    /// Nodes of the fleet.
    pub(crate) nodes: usize,
    pub(crate) runbook: &'static str,
    play: fn(Story) -> Run,
}

impl Moment {
    /// Plays the story up to there.
    pub(crate) fn play(&self) -> Run {
        (self.play)(Story::new().fleet(fleet(self.nodes)).runbook(self.runbook))
    }
}

const BY_TAG: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: "tag:Role", Values: [web] }]
      Parameters: { commands: ["uptime"], executionTimeout: ["3600"] }
"#;

const SLEEPS: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: rest
    action: aws:sleep
    inputs: { Duration: PT1H }
  - name: work
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
"#;

const ASKS: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: ask
    action: aws:approve
    timeoutSeconds: 7200
    inputs:
      NotificationArn: arn:aws:sns:us-east-1:123456789012:AutomationApprovals
      Message: Patch the web servers?
      MinRequiredApprovals: 2
      Approvers: [alice, bob]
  - name: work
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
outputs:
  - ask.ApprovalStatus
"#;

const STAGES: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
variables:
  last: { type: String, default: none }
mainSteps:
  - name: stages
    action: aws:loop
    inputs:
      Iterators: [canary, rest]
      Steps:
        - name: work
          action: aws:runCommand
          timeoutSeconds: 7200
          inputs:
            DocumentName: AWS-RunShellScript
            InstanceIds: "{{ Nodes }}"
            Parameters: { commands: ["echo {{ stages.CurrentIteratorValue }}"] }
            MaxErrors: "100%"
        - name: note
          action: aws:updateVariable
          inputs: { Name: "variable:last", Value: "{{ stages.CurrentIteratorValue }}" }
  - name: check
    action: aws:branch
    isEnd: true
    inputs:
      Choices: [ { NextStep: verify, Variable: "{{ variable:last }}", StringEquals: rest } ]
  - name: verify
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["echo verified"] }
      MaxErrors: "100%"
"#;

/// Three sends at once, with a time limit.
const WIDE: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    timeoutSeconds: 7200
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
      MaxConcurrency: "100%"
      MaxErrors: "100%"
"#;

/// Every moment there is.
pub(crate) const MOMENTS: [Moment; 10] = [
    Moment { name: "sends", nodes: 120, runbook: WIDE, play: sends },
    Moment { name: "stopping", nodes: 6, runbook: runbooks::ONE_STEP, play: stopping },
    Moment { name: "targets", nodes: 30, runbook: BY_TAG, play: targets },
    Moment { name: "sleeping", nodes: 6, runbook: SLEEPS, play: sleeping },
    Moment { name: "asking", nodes: 6, runbook: ASKS, play: asking },
    Moment { name: "looping", nodes: 6, runbook: STAGES, play: looping },
    Moment { name: "parked", nodes: 6, runbook: runbooks::ONE_STEP, play: parked },
    Moment { name: "finished", nodes: 12, runbook: runbooks::RETRY_FAILED, play: finished },
    Moment { name: "direct", nodes: 6, runbook: SLEEPS, play: direct },
    Moment { name: "others", nodes: 6, runbook: SLEEPS, play: others },
];

/// The moment of that name.
pub(crate) fn moment(name: &str) -> &'static Moment {
    MOMENTS.iter().find(|moment| moment.name == name).expect("a moment of that name")
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// One send is recorded, of one the outcome is unknown, one is refused; some nodes are done.
fn sends(story: Story) -> Run {
    let lost = on("SendCommand").nth(2).fail_before(Failure::Timeout);
    let throttled = on("SendCommand").when(is_third_or_later()).each().throttle();
    let mut run = story.call(lost).call(throttled).start();
    run.until(stored(|items| {
        let states = |state: &str| items.iter().filter(|item| text(item, "state") == Some(state)).count();
        let heard = items.iter().any(|item| item.get("nodes_Success").is_some());
        heard && [states("sent"), states("trying"), states("refused")] == [1, 1, 1]
    }));
    run
}

fn is_third_or_later() -> impl FnMut(&fleetwright_protocols::Call<'_>) -> bool + Send {
    let mut seen = 0;
    move |_| {
        seen += 1;
        seen > 2
    }
}

/// Somebody has stopped it, and SSM does not answer CancelCommand: what is to be done stands in `pending`.
fn stopping(story: Story) -> Run {
    let mut run = story.call(on("CancelCommand").each().fail_before(Failure::Reset)).start();
    run.pass(minutes(1));
    run.stop("Cancel");
    run.until(stored(|items| items.iter().any(|item| item.get("halt").is_some())));
    run
}

/// A command by Targets, of whose nodes some are done.
fn targets(story: Story) -> Run {
    let mut run = story.start();
    run.pass(minutes(5));
    run
}

fn sleeping(story: Story) -> Run {
    let mut run = story.start();
    run.pass(minutes(10));
    run
}

/// One of two has approved.
fn asking(story: Story) -> Run {
    let mut run = story.topic("AutomationApprovals").start();
    run.pass(minutes(10));
    approve(&mut run, "alice");
    run
}

/// An approval by a user.
pub(crate) fn approve(run: &mut Run, user: &str) {
    let body = json!({ "AutomationExecutionId": run.id, "SignalType": "Approve" });
    let caller = format!("arn:aws:iam::123456789012:user/{user}");
    run.deployment.call_as(&caller, user, "SendAutomationSignal", &body).expect("it waits for that");
}

/// The second round's command is under way.
fn looping(story: Story) -> Run {
    let mut run = story.start();
    run.until(|cloud| cloud.ssm.ledger().commands().len() == 2);
    run.pass(minutes(2));
    run
}

/// Nothing may be sent twice here, and nobody knows whether it was sent.
fn parked(story: Story) -> Run {
    let mut run = story
        .deployed(|options| options.resend_absent = false)
        .call(on("SendCommand").fail_before(Failure::Reset))
        .start();
    run.pass(minutes(60));
    run
}

/// Settled, with failures, contradicted later, and one output read by somebody.
fn finished(story: Story) -> Run {
    let mut run = story.play();
    run.pass(minutes(5));
    let (command, nodes) = (run.commands()[0].command_id.to_string(), run.nodes());
    let body = json!({ "CommandId": command, "InstanceId": nodes[0] });
    run.deployment.call("GetCommandInvocation", &body).expect("an invocation");
    run.say(&command, &nodes[0], "Failed");
    run.pass(minutes(5));
    run
}

/// A caller of SendCommand, and its request's id.
pub(crate) const OPERATOR: &str = "arn:aws:iam::123456789012:user/operator";
pub(crate) const REQUEST: &str = "3f6c5a0e-2f0b-4b7e-8a51-3d1c1c1b8a01";

/// What callers ask SendCommand for.
pub(crate) fn request(run: &Run) -> Value {
    json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": run.nodes(), "Comment": "reboot the canaries",
        "Parameters": { "commands": ["uptime"] } })
}

/// Requests to our SendCommand: one taken and running, one without an answer, one refused.
fn direct(story: Story) -> Run {
    let lost = on("SendCommand").nth(2).fail_after(Failure::Timeout);
    let mut run = story.call(lost).call(on("SendCommand").nth(3).throttle()).deploy();
    let body = request(&run);
    run.deployment.call_as(OPERATOR, REQUEST, "SendCommand", &body).expect("it is sent");
    for (id, error) in [("second", "InternalServerError"), ("third", "ThrottlingException")] {
        let refused =
            run.deployment.call_as(OPERATOR, id, "SendCommand", &body).expect_err("it is not answered");
        assert!(refused.to_string().contains(error), "{refused}");
    }
    run
}

/// Commands that others sent: one settled, one tracked, one of which nobody knows more than its events.
fn others(story: Story) -> Run {
    let mut run = story.deployed(|options| options.invocation_events = true).deploy();
    let past_us = |run: &Run| {
        let (body, now) = (request(run), run.now());
        run.cloud().ssm.handle("SendCommand", &body, now).expect("SSM takes it");
    };
    past_us(&run);
    run.pass(minutes(40));
    past_us(&run);
    run.pass(minutes(5));
    past_us(&run);
    run.until(stored(|items| {
        let base = |item: &&Value| text(item, "sk") == Some("CMD");
        items.iter().filter(base).filter(|item| item.get("due_at").is_some()).count() == 2
    }));
    run
}
