//! From the last event of a step to the next command: one command by InstanceIds, all of whose nodes succeeded.

use crate::onlooker::{Left, Onlooker};
use fleetwright_protocols::{Story, steady_fleet};
use jiff::SignedDuration;

/// Three steps: the function that goes from the second to the third has read the runbook when it went to the second.
fn three_steps() -> String {
    let step = |name: &str| {
        format!(
            "  - name: {name}\n    action: aws:runCommand\n    inputs:\n      DocumentName: AWS-RunShellScript\n      \
             InstanceIds: '{{{{ Nodes }}}}'\n      Parameters: {{ commands: [uptime] }}\n"
        )
    };
    let steps = ["first", "second", "third"].map(step).concat();
    format!("schemaVersion: '0.3'\nparameters:\n  Nodes: {{ type: StringList }}\nmainSteps:\n{steps}")
}

/// As many as one command takes (SSM API reference, SendCommand.InstanceIds).
const NODES: usize = 50;

/// What it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepChange {
    /// Every AWS call, in the order they left: such as `dynamodb:UpdateItem`.
    pub calls: Vec<String>,
    /// Of these, how many rounds went to AWS and back, one after another, before SendCommand left.
    pub rounds_before_send: usize,
    /// Whether what follows SendCommand is recorded in one round.
    pub records_at_once: bool,
}

/// Lets a step end by the events of its nodes alone.
#[must_use]
pub fn measure() -> StepChange {
    let story = Story::new().fleet(steady_fleet(NODES, 30)).runbook(&three_steps());
    let mut run = story.deployed(|options| options.command_events = false).start();
    run.until(|cloud| cloud.ssm.ledger().commands().len() == 2);
    let onlooker = Onlooker::of(&mut run);
    run.until(|cloud| cloud.ssm.ledger().commands().len() == 3);
    // Until what is under way then is recorded.
    run.pass(SignedDuration::from_secs(1));
    let calls = onlooker.left("on-command-event");
    run.end();
    change(&calls)
}

/// From the fold that showed the command complete to the records of the next.
fn change(calls: &[Left]) -> StepChange {
    let action = |name: &'static str| move |call: &Left| call.action == name;
    let sent = calls.iter().position(action("ssm:SendCommand")).expect("the third step was sent");
    let is_fold = |call: &Left| {
        call.action == "dynamodb:UpdateItem" && call.written.iter().all(|key| key.starts_with("CMD#"))
    };
    let fold = calls[..sent].iter().rposition(is_fold).expect("events were folded");
    // The command that is over is settled meanwhile: that comes after, and nobody waits for it.
    let over = &calls[fold].written;
    let is_record = |call: &&Left| {
        call.action == "dynamodb:UpdateItem" && call.written.iter().any(|key| !over.contains(key))
    };
    let records: Vec<&Left> = calls[sent + 1..].iter().filter(is_record).collect();
    let mut moments: Vec<_> = calls[fold..sent].iter().map(|call| call.at).collect();
    moments.dedup();
    StepChange {
        calls: calls[fold..=sent]
            .iter()
            .chain(records.iter().copied())
            .map(|call| call.action.clone())
            .collect(),
        rounds_before_send: moments.len(),
        records_at_once: records.windows(2).all(|pair| pair[0].at == pair[1].at),
    }
}
