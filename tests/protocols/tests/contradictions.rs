//! Events that contradict each other, or come again: SSM's answer stands, and what was handed on stays as it was (G2,
//! G7).

use fleetwright_local::ssm::Outcome;
use fleetwright_protocols::{
    Delivery, DeliveryFault, Run, Story, events, runbooks, steady_fleet, stored, text,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What the first command's node of this number is called, and the command.
fn first(run: &Run, node: usize) -> (String, String) {
    (run.commands()[0].command_id.to_string(), run.nodes()[node].clone())
}

/// The step item of this ordinal.
fn step_item(run: &Run, ordinal: u32) -> Value {
    let (pk, sk) = (format!("EXEC#{}", run.id), format!("STEP#{ordinal:06}"));
    let items = run.items().into_iter();
    items
        .into_iter()
        .find(|item| text(item, "pk") == Some(&pk) && text(item, "sk") == Some(&sk))
        .expect("a step")
}

fn contradicted_by(run: &Run, ordinal: u32) -> Vec<Value> {
    step_item(run, ordinal)["contradicted_by"]["SS"].as_array().cloned().unwrap_or_default()
}

/// A member of an object, taken out.
fn taken(object: &mut Value, member: &str) -> Value {
    object.as_object_mut().expect("an object").remove(member).unwrap_or_default()
}

/// Everything of an execution that must never change once it has ended: all but when a fact last came in.
fn frozen(run: &Run) -> Vec<Value> {
    let mut items = run.items();
    for item in &mut items {
        let item = item.as_object_mut().expect("an item");
        item.remove("last_fact_at");
    }
    items
}

#[test]
fn a_false_failure_that_comes_before_the_true_success_does_not_count() {
    let mut run = Story::new().fleet(steady_fleet(3, 60)).runbook(runbooks::TWO_STEPS).start();
    let (command, node) = first(&run, 1);
    run.say(&command, &node, "Failed");
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "SuccessCount"), 3);
    assert_eq!(run.commands().len(), 2, "nothing was sent twice");
    run.check();
}

#[test]
fn a_false_success_that_comes_before_the_true_failure_does_not_count() {
    let mut run = Story::new().fleet(steady_fleet(3, 60)).runbook(runbooks::TWO_STEPS).deploy();
    let failing = run.nodes()[1].clone();
    run.cloud().ssm.script(&failing, "*", Outcome::Failed(7));
    run.start();
    let (command, node) = first(&run, 1);
    run.say(&command, &node, "Success");
    run.end();
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.number("first", "FailedCount"), 1);
    assert_eq!(run.commands().len(), 1, "the second step never began");
    run.check();
}

#[test]
fn false_ends_of_every_node_end_nothing_before_ssm_says_so() {
    let mut run = Story::new().fleet(steady_fleet(3, 300)).runbook(runbooks::TWO_STEPS).start();
    let begun = run.now();
    let command = run.commands()[0].command_id.to_string();
    for node in run.nodes() {
        run.say(&command, &node, "Failed");
    }
    run.pass(SignedDuration::from_mins(4));
    assert_eq!(run.steps(), [("first".to_owned(), "InProgress".to_owned())]);
    let listed = run.applied("ssm:ListCommands");
    assert!(listed < 30, "SSM was asked {listed} times in four minutes");
    run.end();
    assert_eq!(run.status(), "Success");
    assert!(run.commands()[1].requested_at >= begun + SignedDuration::from_mins(4));
    run.check();
}

#[test]
fn a_contradiction_after_the_step_went_on_is_settled_again_and_shown_beside_the_frozen_outputs() {
    let mut run = Story::new().fleet(steady_fleet(3, 60)).runbook(runbooks::TWO_STEPS).start();
    run.until(|cloud| cloud.ssm.ledger().commands().len() == 2);
    run.pass(SignedDuration::from_secs(20));
    let (step, counts) = (run.step("first"), run.summary()[0]["Counts"].clone());
    let (command, node) = first(&run, 2);
    run.say(&command, &node, "TimedOut");
    run.until(stored(|items| items.iter().any(|item| item.get("contradicted_by").is_some())));
    let warning = taken(&mut run.step("first"), "WarningMessage");
    assert!(warning.as_str().is_some_and(|text| text.contains(&command)), "{warning}");
    let mut shown = run.step("first");
    taken(&mut shown, "WarningMessage");
    assert_eq!(shown, step, "outputs of a closed step are frozen");
    assert_eq!(run.summary()[0]["Counts"], counts, "SSM has said again that it succeeded");
    assert_eq!(contradicted_by(&run, 0), [json!(command)]);
    run.end();
    assert_eq!(run.status(), "Success");
    assert!(contradicted_by(&run, 1).is_empty());
    run.check();
}

#[test]
fn a_contradiction_days_after_the_end_is_settled_again_and_changes_nothing_else() {
    let mut run = Story::new().runbook(runbooks::TWO_STEPS).play();
    run.pass_days(3);
    let (execution, aggregate, version) = (run.execution(), run.aggregate(), run.item()["version"].clone());
    let sent = run.applied("ssm:SendCommand");
    let reads = run.applied("ssm:ListCommandInvocations");
    let (command, node) = first(&run, 0);
    run.say(&command, &node, "Failed");
    run.pass(SignedDuration::from_mins(2));
    assert!(run.applied("ssm:ListCommandInvocations") > reads, "SSM was asked again");
    assert_eq!(contradicted_by(&run, 0), [json!(command)]);
    let mut shown = run.execution();
    assert!(taken(&mut shown["StepExecutions"][0], "WarningMessage").is_string());
    assert_eq!(shown, execution);
    assert_eq!(run.aggregate(), aggregate);
    assert_eq!(run.item()["version"], version, "nothing was decided");
    assert_eq!(run.applied("ssm:SendCommand"), sent);

    // The same once more is nothing new.
    let (items, reads) = (frozen(&run), run.applied("ssm:ListCommandInvocations"));
    run.say(&command, &node, "Failed");
    run.pass(SignedDuration::from_mins(2));
    assert!(frozen(&run) == items);
    assert_eq!(run.applied("ssm:ListCommandInvocations"), reads);
    run.check();
}

#[test]
fn a_word_about_a_node_that_was_never_asked_is_left_out() {
    let mut run = Story::new().fleet(steady_fleet(3, 60)).start();
    let (command, _) = first(&run, 0);
    run.say(&command, "i-0123456789abcdef0", "Failed");
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "TargetCount"), 3);
    run.check();
}

#[test]
fn the_coarse_word_and_ssms_finer_one_are_no_contradiction() {
    let mut run = Story::new().fleet(steady_fleet(3, 60)).deploy();
    let node = run.nodes()[0].clone();
    run.cloud().ssm.script(&node, "*", Outcome::ExecutionTimedOut);
    run.start();
    run.end();
    assert_eq!(run.status(), "TimedOut");
    assert_eq!(run.number("first", "TimedOutCount"), 1);
    let command = run.commands()[0].command_id.to_string();
    run.say(&command, &node, "TimedOut");
    run.pass(SignedDuration::from_mins(2));
    assert!(contradicted_by(&run, 0).is_empty());
    run.check();
}

/// Queues and messages, in the order they came.
type Messages = Arc<Mutex<Vec<(String, String)>>>;

/// Keeps every message that SSM published.
fn recorded(story: Story) -> (Story, Messages) {
    let kept = Messages::default();
    let keep = Arc::clone(&kept);
    let story = story.delivery(events().with(move |delivery: &Delivery<'_>| {
        keep.lock().expect("one thread").push((delivery.to.to_owned(), delivery.body.to_owned()));
        DeliveryFault::Deliver
    }));
    (story, kept)
}

#[test]
fn a_replay_of_every_event_after_the_end_changes_nothing() {
    let story = Story::new().nodes(60).runbook(runbooks::RETRY_FAILED);
    let (story, kept) = recorded(story);
    let mut run = story.deploy();
    for node in run.nodes().into_iter().take(7) {
        run.cloud().ssm.script(&node, "*", Outcome::Failed(1));
    }
    run.start();
    run.end();
    run.pass(SignedDuration::from_mins(20));
    let (execution, aggregate, items) = (run.execution(), run.aggregate(), frozen(&run));
    let (sent, commits) = (run.applied("ssm:SendCommand"), run.applied("dynamodb:TransactWriteItems"));
    run.pass_days(5);
    let mut kept = std::mem::take(&mut *kept.lock().expect("one thread"));
    assert!(kept.len() > 60, "{} messages", kept.len());
    kept.reverse();
    for (queue, body) in kept.iter().chain(&kept) {
        run.put(queue, body);
    }
    run.pass(SignedDuration::from_mins(30));
    assert_eq!(run.execution(), execution);
    assert_eq!(run.aggregate(), aggregate);
    assert!(frozen(&run) == items, "a replay changed the table");
    assert_eq!(run.applied("ssm:SendCommand"), sent);
    assert_eq!(run.applied("dynamodb:TransactWriteItems"), commits);
    run.check();
}
