//! What seeded runs under faults have found: each defect as the story that shows it (protocols, P4 to P6).

use fleetwright_local::DeploymentOptions;
use fleetwright_local::clock::START;
use fleetwright_local::fleet::{Behaviour, Span};
use fleetwright_local::ssm::{Outcome, RunEnd, SsmOptions};
use fleetwright_protocols::{
    Call, CallRule, DeliveryFault, Failure, Run, Story, any_call, on, outcome_of, runbooks, steady_fleet,
    text, ticks, wakes,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long nodes work that a cancel does not stop.
const TEN_MINUTES_S: i64 = 600;
/// When such a command is over, and SSM has been asked what became of it.
const HEARD_OUT: SignedDuration = SignedDuration::from_mins(30);

/// A resource of the execution.
fn resource(run: &mut Run, rest: &str) -> Value {
    let path = format!("/executions/{}{rest}", run.id);
    let answer = run.fetch(&path, "");
    assert_eq!(answer["statusCode"], 200, "{answer}");
    serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON")
}

/// The first step's nodes by outcome, as the results API shows them.
fn shown(run: &mut Run) -> BTreeMap<String, String> {
    let page = resource(run, "/nodes?step=0&limit=1000");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let nodes = page["Nodes"].as_array().expect("a list").iter();
    nodes.map(|node| (text(&node["InstanceId"]), text(&node["Outcome"]))).collect()
}

/// The same as SSM's books have it.
fn in_truth(run: &Run) -> BTreeMap<String, String> {
    let cloud = run.cloud();
    let ledger = cloud.ssm.ledger();
    let mut truth = BTreeMap::new();
    for command in ledger.commands() {
        for (node, details) in &command.nodes {
            let ran = ledger.runs_of(&command.command_id).any(|run| run.node == *node);
            truth.insert(node.to_string(), outcome_of(*details, ran).to_owned());
        }
    }
    truth
}

/// Commands of which SSM has said something else since the first step was closed.
fn contradicted_by(run: &mut Run) -> Value {
    resource(run, "/steps")["Steps"][0]["ContradictedBy"].clone()
}

/// Five nodes that work for ten minutes whoever tells them to stop, of which the first fails; and SSM says nothing by
/// itself.
fn deaf(runbook: &str) -> Run {
    let mut fleet = steady_fleet(5, TEN_MINUTES_S);
    for node in fleet.nodes_mut() {
        node.tags = Arc::new([("Role".to_owned(), "web".to_owned())].into());
    }
    let silent = |ssm: &mut SsmOptions| {
        ssm.cancel_ineffective = 1.0;
        ssm.event_loss = 1.0;
    };
    let mut run = Story::new().fleet(fleet).runbook(runbook).ssm(silent).deploy();
    let failing = run.nodes()[0].clone();
    run.cloud().ssm.script(&failing, "*", Outcome::Failed(7));
    run.start();
    run
}

fn all_run(run: &mut Run) {
    run.until(|cloud| cloud.ssm.ledger().runs().len() == 5);
}

/// Holds that the first step, which was closed while its nodes ran on, shows in the end what became of them, and says
/// that its counts are from before.
fn is_heard_out(run: &mut Run) {
    let counted = run.number("first", "UnknownCount");
    run.pass(HEARD_OUT);
    assert!(run.runs().iter().all(|run| run.end.is_some()), "they have ended");
    let truth = in_truth(run);
    assert_eq!(truth.values().filter(|outcome| *outcome == "Failed").count(), 1);
    assert_eq!(shown(run), truth);
    let command = run.commands()[0].command_id.to_string();
    assert_eq!(contradicted_by(run), serde_json::json!([command]));
    let warning = run.step("first")["WarningMessage"].as_str().expect("a warning").to_owned();
    assert!(warning.contains(&command), "{warning}");
    assert_eq!(run.number("first", "UnknownCount"), counted, "outputs of a closed step are frozen");
    let asked = run.applied("ssm:ListCommands");
    run.pass(SignedDuration::from_hours(2));
    assert_eq!(run.applied("ssm:ListCommands"), asked, "what is settled is not asked for again");
}

/// A command that is seen to be finished in the third minute is waited for ten minutes more; this is after that.
fn past_the_limit() -> Timestamp {
    START + SignedDuration::from_mins(15)
}

/// Two of five nodes fail, SSM says nothing by itself, and this goes wrong for a while.
fn told_late(rule: CallRule) -> Run {
    let story = Story::new().fleet(steady_fleet(5, 60)).ssm(|ssm| ssm.event_loss = 1.0);
    let mut run = story.call(rule).deploy();
    for node in run.nodes().iter().take(2) {
        run.cloud().ssm.script(node, "*", Outcome::Failed(3));
    }
    run.start();
    run.end_within(Duration::from_secs(3600));
    assert_eq!(run.number("first", "FailedCount"), 2);
    assert_eq!(run.number("first", "SuccessCount"), 3);
    run
}

#[test]
fn a_read_of_results_that_fails_past_the_limit_makes_no_node_unknown() {
    let early = |call: &Call<'_>| call.now < past_the_limit();
    let mut run = told_late(on("ListCommandInvocations").when(early).each().fail_before(Failure::Http500));
    assert!(run.now() > past_the_limit());
    run.check();
}

#[test]
fn a_write_of_results_that_fails_once_past_the_limit_makes_no_node_unknown() {
    let mut once_more = true;
    let fails = move |call: &Call<'_>| call.now < past_the_limit() || std::mem::take(&mut once_more);
    let mut run = told_late(on("PutItem").about("RES#").when(fails).each().fail_before(Failure::Http500));
    assert!(run.now() > past_the_limit());
    run.check();
}

#[test]
fn what_a_stopped_command_came_to_after_the_end_is_shown_though_no_event_tells() {
    let mut run = deaf(runbooks::ONE_STEP);
    all_run(&mut run);
    run.stop("Cancel");
    run.end_within(Duration::from_secs(240));
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.number("first", "UnknownCount"), 5);
    // What is shown is what SSM says now; it says something else later.
    run.check();
    is_heard_out(&mut run);
}

#[test]
fn what_a_timed_out_attempt_came_to_after_its_step_is_shown_though_no_event_tells() {
    let limited = runbooks::ONE_STEP.replace("aws:runCommand", "aws:runCommand\n    timeoutSeconds: 60");
    let mut run = deaf(&limited);
    run.end_within(Duration::from_secs(300));
    assert_eq!(run.status(), "TimedOut");
    assert_eq!(run.number("first", "UnknownCount"), 5);
    run.check();
    is_heard_out(&mut run);
}

#[test]
fn a_node_that_may_have_run_is_neither_failed_nor_timed_out_where_ssm_was_not_read() {
    // Events say Failed of a node that could not be reached and TimedOut of one whose delivery took too long.
    for (list, may_have_run) in [
        ("FailedInstanceIds", Outcome::Undeliverable { runs: true }),
        ("TimedOutInstanceIds", Outcome::DeliveryTimedOut { runs: false }),
    ] {
        let again = runbooks::RETRY_FAILED
            .replacen("aws:runCommand", "aws:runCommand\n    timeoutSeconds: 90", 1)
            .replacen("MaxErrors", "TimeoutSeconds: 30\n      MaxErrors", 1)
            .replace("FailedInstanceIds", list);
        let mut run = Story::new()
            .fleet(steady_fleet(5, 20))
            .runbook(&again)
            .ssm(|ssm| ssm.undelivered_ends_at_timeout_seconds = true)
            .deploy();
        let nodes = run.nodes();
        run.cloud().ssm.script(&nodes[1], "*", may_have_run);
        // It hangs, and hears of no cancel: its command is not over when the step is.
        run.cloud().ssm.script(&nodes[3], "*", Outcome::DeliveryTimedOut { runs: true });
        run.start();
        run.end_within(Duration::from_secs(3 * 3600));
        let shown = shown(&mut run);
        assert_eq!((&*shown[&nodes[1]], &*shown[&nodes[3]]), ("Unknown", "Unknown"), "{shown:?}");
        assert_eq!(["SuccessCount", "UnknownCount"].map(|name| run.number("first", name)), [3, 2]);
        assert_eq!(run.commands().len(), 1, "nothing is sent to a node that may have run: {list}");
        run.check();
    }
}

#[test]
fn a_cancel_that_ssm_knows_nothing_of_yet_is_tried_a_few_times_and_works_in_the_end() {
    let mut run = Story::new().fleet(steady_fleet(5, 1_500)).deploy();
    run.cloud().ssm.hide_next_command_for(Duration::from_secs(15 * 60));
    run.start();
    all_run(&mut run);
    run.stop("Cancel");
    run.end_within(Duration::from_secs(20 * 60));
    assert_eq!(run.status(), "Cancelled");
    let killed =
        run.runs().iter().filter(|run| run.end.is_some_and(|(_, end)| end == RunEnd::Killed)).count();
    assert_eq!(killed, 5, "it was cancelled as soon as SSM showed it");
    let cancels = run.applied("ssm:CancelCommand");
    // Every five seconds for a minute, then once a minute.
    assert!(cancels <= 36, "{cancels} cancels");
    run.check();
}

/// ListCommands that it takes to send to 300 nodes at once, in six commands, and to hear what became of them. The nodes
/// of one command end one after another, for as long as SSM may lag behind.
fn asked(story: Story) -> u64 {
    let wide = runbooks::WIDE_STEP.replace("\"100\"", "\"300\"");
    let mut fleet = steady_fleet(300, 30);
    for (node, seconds) in fleet.nodes_mut().iter_mut().take(50).zip(30..) {
        node.behaviours =
            [Behaviour { duration: Span::seconds(seconds, seconds), ..Behaviour::default() }].into();
    }
    let mut run = story.fleet(fleet).runbook(&wide).start();
    run.end_within(Duration::from_secs(15 * 60));
    assert_eq!(run.status(), "Success");
    assert_eq!(run.commands().len(), 6);
    run.check();
    run.applied("ssm:ListCommands")
}

#[test]
fn events_that_come_by_while_ssm_lags_behind_do_not_each_have_it_asked_for_every_command() {
    let calm = asked(Story::new());
    let lagging = Story::new().ssm(|ssm| {
        ssm.read_lag = Span::seconds(0, 60);
        ssm.event_duplication = 1.0;
    });
    // On a calm day twice for each command; here it is asked again at its few times, by several environments.
    let storm = asked(lagging);
    assert!(storm <= 3 * calm, "{storm} times instead of {calm}");
}

#[test]
fn a_step_by_targets_that_was_closed_before_any_node_was_named_shows_them_when_ssm_does() {
    let targets = runbooks::ONE_STEP
        .replace("parameters:\n  Nodes: { type: StringList }\n", "")
        .replace("InstanceIds: \"{{ Nodes }}\"", "Targets: [{ Key: \"tag:Role\", Values: [web] }]");
    let mut run = deaf(&targets);
    all_run(&mut run);
    run.stop("Cancel");
    run.end_within(Duration::from_secs(240));
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.number("first", "TargetCount"), 0, "SSM has not named any");
    assert!(shown(&mut run).is_empty());
    is_heard_out(&mut run);
}

#[test]
fn one_failed_read_by_whoever_comes_first_hours_too_late_makes_no_node_unknown() {
    // Reconcile is down for longer than anybody would wait for SSM; the first read after that fails.
    let down = u64::try_from(SignedDuration::from_hours(4).as_mins()).expect("minutes");
    let silent = |ssm: &mut SsmOptions| ssm.event_loss = 1.0;
    let story = Story::new().fleet(steady_fleet(5, 60)).ssm(silent).delivery(ticks().first(down).lost());
    // As often as one look tries.
    let story = story.call(on("ListCommandInvocations").first(3).fail_before(Failure::Http500));
    let mut run = story.start();
    run.end_within(Duration::from_secs(6 * 3600));
    assert!(run.now() > START + SignedDuration::from_hours(4));
    assert_eq!(run.number("first", "SuccessCount"), 5);
    run.check();
}

#[test]
fn a_contradicted_command_is_settled_again_though_ssm_refuses_the_first_reads() {
    let mut run = Story::new().fleet(steady_fleet(3, 60)).play();
    let (command, node) = (run.commands()[0].command_id.to_string(), run.nodes()[1].clone());
    let before = settled_with(&run, &command);
    assert!(before < 4);
    run.from_now(on("ListCommands").by("on-command-event").first(6).throttle());
    run.say(&command, &node, "Failed");
    run.pass(SignedDuration::from_mins(1));
    assert_eq!(settled_with(&run, &command), before, "SSM has not been read");
    run.pass(SignedDuration::from_mins(30));
    assert_eq!(settled_with(&run, &command), 4, "the message came again: three reports, and the false one");
    assert_eq!(shown(&mut run)[&node], "Success", "SSM's answer stands");
    run.check();
}

/// So many reports were known when the settle that stands was read.
fn settled_with(run: &Run, command: &str) -> u64 {
    let key = format!("CMD#{command}");
    let items = run.items();
    let item = items.iter().find(|item| text(item, "pk") == Some(&key) && text(item, "sk") == Some("CMD"));
    item.expect("a command")["settled_facts"]["N"].as_str().expect("settled").parse().expect("a number")
}

#[test]
fn errors_of_which_only_events_told_count_to_max_errors_where_ssm_says_nothing() {
    let wide = runbooks::WIDE_STEP.replace("\"100\"", "\"50\"").replace("100%", "10");
    assert!(wide.contains("MaxConcurrency: \"50\""), "one command after the other: {wide}");
    let story = Story::new().fleet(steady_fleet(120, 60)).runbook(&wide);
    // Only after it was sent: SSM then answers nothing any more.
    let mute = |call: &Call<'_>| call.operation.starts_with("ListCommand");
    let mut run = story.call(any_call().when(mute).each().fail_before(Failure::Http500)).deploy();
    for node in run.nodes().iter().take(50) {
        run.cloud().ssm.script(node, "*", Outcome::Failed(7));
    }
    run.start();
    run.end_within(Duration::from_secs(12 * 3600));
    assert_eq!(run.number("first", "UnknownCount"), 50, "an event's Failed may be Undeliverable");
    assert_eq!(run.commands().len(), 1, "beyond MaxErrors nothing more is sent");
    assert!(!run.has_idle_rules());
}

#[test]
fn wakes_that_all_come_twice_at_once_do_not_multiply() {
    let lagging = |ssm: &mut SsmOptions| ssm.read_lag = Span::seconds(20, 60);
    let story = || Story::new().fleet(steady_fleet(100, 30)).runbook(runbooks::WIDE_STEP).ssm(lagging);
    let calm = story().play().applied("sqs:SendMessage");
    let mut run = story().delivery(wakes().with(|_| DeliveryFault::Twin)).play();
    let wakes = run.applied("sqs:SendMessage");
    // One for each moment, by as many environments as work at the same time; without that, 24 and 76.
    assert!(calm <= 12 && wakes <= 4 * calm, "{wakes} wakes, on a calm day {calm}");
    run.check();
}

#[test]
fn a_stop_that_ran_out_of_time_before_its_commit_is_not_answered() {
    // Three calls without an answer, another transaction on the item, two more without an answer, and another one.
    let stops = || on("TransactWriteItems").by("api-control").about("Cancelling");
    let story = Story::new()
        .fleet(steady_fleet(3, 600))
        .call(stops().nth(4).fail_before(Failure::TransactionConflict))
        .call(stops().nth(6).fail_before(Failure::TransactionConflict))
        .call(stops().first(5).fail_before(Failure::Timeout));
    let mut run = story.start();
    let body = serde_json::json!({ "AutomationExecutionId": run.id, "Type": "Cancel" });
    let answer = run.deployment.call("StopAutomationExecution", &body);
    assert!(answer.is_err(), "nothing is committed: {}", run.item());
    assert_eq!(run.status(), "InProgress");
    run.stop("Cancel");
    run.end();
    assert_eq!(run.status(), "Cancelled");
    run.check();
}

#[test]
fn a_report_that_comes_while_ssm_is_read_and_contradicts_it_has_it_read_again() {
    let reads = Arc::new(AtomicBool::new(false));
    let is_read = Arc::clone(&reads);
    let notes = move |_: &Call<'_>| {
        is_read.store(true, Ordering::Relaxed);
        true
    };
    let slow = on("ListCommandInvocations").when(notes).nth(1).slow(Duration::from_secs(4));
    let mut run = Story::new().fleet(steady_fleet(3, 60)).call(slow).start();
    run.until(|_| reads.load(Ordering::Relaxed));
    let (command, node) = (run.commands()[0].command_id.to_string(), run.nodes()[1].clone());
    run.say(&command, &node, "Failed");
    run.end();
    run.pass(SignedDuration::from_mins(10));
    assert_eq!(settled_with(&run, &command), 4, "three reports, and the false one");
    run.check();
}

#[test]
fn what_ssm_says_of_a_command_that_a_closed_step_counted_otherwise_is_shown_beside_its_counts() {
    // Two commands: of the first each node is reported Success, and then one of them Failed as well, which is not true.
    let mut fleet = steady_fleet(60, 40);
    for node in fleet.nodes_mut().iter_mut().take(50) {
        node.behaviours = [Behaviour { duration: Span::seconds(5, 5), ..Behaviour::default() }].into();
    }
    // Only nodes are heard of: the first command is done without SSM's being asked.
    let quiet = |options: &mut DeploymentOptions| options.command_events = false;
    let mut run = Story::new().fleet(fleet).runbook(runbooks::WIDE_STEP).deployed(quiet).start();
    run.pass(SignedDuration::from_secs(20));
    let (command, node) = (run.commands()[0].command_id.to_string(), run.nodes()[1].clone());
    assert!(run.sends().iter().any(|send| send.state == "ended"), "the first is done, and not settled");
    run.say(&command, &node, "Failed");
    run.end();
    assert_eq!(
        run.number("first", "UnknownCount"),
        1,
        "of two reports the worse; an event's Failed may be Undeliverable"
    );
    assert_eq!(shown(&mut run)[&node], "Success");
    assert_eq!(contradicted_by(&mut run), serde_json::json!([command]));
}
