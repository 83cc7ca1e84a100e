//! Executions that were under way when the new release came go on to their end.

use crate::golden::{Golden, RELEASES, kind, put};
use crate::moments::{OPERATOR, REQUEST, approve, moment, request};
use crate::reading::with_more;
use fleetwright_protocols::{Run, Story, text};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

fn upgraded(name: &str) -> (Golden, Run) {
    upgraded_with(name, |story| story)
}

fn upgraded_with(name: &str, story: impl FnOnce(Story) -> Story) -> (Golden, Run) {
    let golden = Golden::read(RELEASES[0], moment(name));
    let run = golden.deploy(moment(name), story);
    (golden, run)
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Items of a kind, by the word their sort key is or begins with.
fn of_kind(run: &Run, kind: &str) -> Vec<Value> {
    let own = |item: &Value| text(item, "sk").is_some_and(|sk| sk.split('#').next() == Some(kind));
    run.items().into_iter().filter(own).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect()
}

#[test]
fn a_wait_ends_when_it_was_to_end_and_what_it_held_up_begins() {
    let (golden, mut run) = upgraded("sleeping");
    let end = run.end_within(hours(2));
    assert_eq!(run.status(), "Success");
    assert_eq!(run.steps(), pairs(&[("rest", "Success"), ("work", "Success")]));
    // It had slept for ten minutes of its hour.
    let left = end.duration_since(golden.at);
    assert!((minutes(50)..minutes(53)).contains(&left), "{left}");
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn a_stop_ends_a_wait_that_an_older_release_began() {
    let (_, mut run) = upgraded("sleeping");
    run.stop("Cancel");
    run.end_within(Duration::from_secs(120));
    assert_eq!(run.status(), "Cancelled");
    assert!(run.commands().is_empty());
    run.check();
}

#[test]
fn the_second_of_two_approvals_counts_with_the_first_which_an_older_release_took() {
    let (_, mut run) = upgraded_with("asking", |story| story.topic("AutomationApprovals"));
    approve(&mut run, "bob");
    run.end_within(hours(1));
    assert_eq!(run.steps(), pairs(&[("ask", "Success"), ("work", "Success")]));
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn an_approval_that_nobody_gives_times_out_when_the_older_release_said() {
    let (golden, mut run) = upgraded_with("asking", |story| story.topic("AutomationApprovals"));
    let end = run.end_within(hours(3));
    assert_eq!(run.status(), "TimedOut");
    let left = end.duration_since(golden.at);
    assert!(
        (minutes(109)..minutes(113)).contains(&left),
        "two hours, of which ten minutes were over: {left}"
    );
}

#[test]
fn sends_under_way_end_each_as_it_stood() {
    let (_, mut run) = upgraded("sends");
    run.end_within(hours(3));
    let count = |run: &mut Run, name: &str| run.number("first", name);
    // The one without an outcome was absent, the one refused had never begun: both were sent now.
    assert_eq!(run.runs().len(), 70);
    assert_eq!(count(&mut run, "TargetCount"), 120);
    // Of the one recorded SSM says nothing any more: what events said of it stands, the rest is unknown.
    let (success, failed, unknown) =
        (count(&mut run, "SuccessCount"), count(&mut run, "FailedCount"), count(&mut run, "UnknownCount"));
    assert_eq!(success + failed + unknown, 120);
    assert!(success >= 70 && failed + unknown < 50 && unknown > 0, "{success}, {failed}, {unknown}");
    assert!(run.sends().iter().all(|send| send.state == "ended"));
}

#[test]
fn a_loop_goes_on_in_the_round_it_was_in() {
    let (_, mut run) = upgraded("looping");
    run.end_within(hours(4));
    let names: Vec<String> = run.steps().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["stages", "work", "note", "work", "note", "check", "verify"]);
    assert_eq!(run.number("verify", "SuccessCount"), 6);
    // The round's own command is one that SSM has forgotten: none was sent again for it.
    assert_eq!(run.commands().len(), 1);
}

#[test]
fn a_command_by_targets_ends_with_what_its_chunks_say() {
    let (_, mut run) = upgraded("targets");
    run.end_within(hours(4));
    let counts = ["SuccessCount", "FailedCount", "UnknownCount"].map(|name| run.number("first", name));
    // An event's Failed is not the last word on a node, and SSM has forgotten what it knew.
    assert_eq!(counts, [15, 0, 5], "of thirty nodes, ten had not been heard of");
}

/// SSM says that it does not know the command which is to be cancelled: that is asked again and again, but not in rows
/// of wakes that grow with each tick, and it has an end.
#[test]
fn a_stop_whose_command_ssm_has_forgotten_ends_when_the_command_is_over_at_the_latest() {
    let (_, mut run) = upgraded("stopping");
    run.end_within(hours(4));
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.number("first", "TargetCount"), 6);
    let asked = run.applied("ssm:CancelCommand");
    assert!(asked < 200, "once a minute, and at first more often: {asked}");
}

#[test]
fn a_parked_execution_is_let_go_on() {
    let (_, mut run) = upgraded("parked");
    run.pass(minutes(60));
    assert!(run.commands().is_empty(), "nobody has said yet what to do");
    let body = json!({ "AutomationExecutionId": run.id, "SignalType": "Resume" });
    run.deployment.call("SendAutomationSignal", &body).expect("it is set aside");
    run.end_within(hours(1));
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn a_parked_execution_is_stopped() {
    let (_, mut run) = upgraded("parked");
    run.stop("Cancel");
    run.end_within(hours(1));
    assert_eq!(run.status(), "Cancelled");
    assert!(run.commands().is_empty());
}

#[test]
fn an_event_that_comes_late_is_folded_into_the_item_that_was_there() {
    for (moment, by_chunk) in [("sends", false), ("targets", true), ("others", false)] {
        let (golden, mut run) = upgraded(moment);
        let open: Vec<Value> = of_kind(&run, "CMD")
            .into_iter()
            .filter(|item| item.get("settled_generation").is_none())
            .collect();
        let command = text(open.last().expect("a command"), "pk").expect("a key").split('#').nth(1);
        let command = command.expect("an id").to_owned();
        let node = run.nodes().pop().expect("a node");
        run.say(&command, &node, "Success");
        run.pass(minutes(1));
        let said = run.items().iter().any(|item| {
            let own = text(item, "pk").is_some_and(|pk| pk.contains(&command));
            own && item["nodes_Success"]["SS"].to_string().contains(&node)
        });
        assert!(said, "{moment}: the node is in the item");
        let more = run.items().len() - golden.items.len();
        assert!(more <= usize::from(by_chunk), "{moment}: {more} more items");
        assert_eq!((run.messages("facts"), run.messages("facts-dead")), (0, 0), "{moment}: taken");
    }
}

#[test]
fn an_event_that_comes_twice_for_a_settled_command_changes_nothing_but_when_it_was_heard() {
    let (golden, mut run) = upgraded("finished");
    let ids = golden.ids("CMD");
    let (command, node) = (ids.last().expect("the first step's"), run.nodes().remove(0));
    let without_time = |run: &Run| -> Vec<Value> {
        let mut items = run.items();
        for item in &mut items {
            item.as_object_mut().expect("an item").remove("last_fact_at");
        }
        items
    };
    let before = without_time(&run);
    run.say(command, &node, "Success");
    run.pass(minutes(1));
    assert_eq!(run.messages("facts"), 0, "taken");
    assert!(without_time(&run) == before, "something else has changed");
}

/// The same request, by the same caller, as its SDK makes it again after the upgrade.
#[test]
fn a_request_to_send_a_command_is_known_after_the_upgrade() {
    let (_, mut run) = upgraded("direct");
    let body = request(&run);
    let again = run.deployment.call_as(OPERATOR, REQUEST, "SendCommand", &body).expect("the same command");
    let known = text(&of_kind(&run, "CMD")[0], "pk").expect("a key").trim_start_matches("CMD#").to_owned();
    assert_eq!(again["Command"]["CommandId"], known.as_str());
    let unknown = run.deployment.call_as(OPERATOR, "second", "SendCommand", &body).expect_err("nobody knows");
    assert!(unknown.to_string().contains("InternalServerError"), "{unknown}");
    assert!(run.commands().is_empty(), "nothing was sent again");
    run.deployment.call_as(OPERATOR, "third", "SendCommand", &body).expect("it was refused, and is sent now");
    assert_eq!(run.commands().len(), 1);
}

/// Updates are of single attributes: what a later release has put beside them stays. The JSON of an execution's and of
/// a step's body is written as a whole, and so are descriptions, results, histories, outputs and lists: a member added
/// there is lost when this release writes them. A member that must not be lost needs a new version.
#[test]
fn what_a_later_release_put_beside_stays_when_this_one_goes_on() {
    for name in ["sleeping", "looping"] {
        let (golden, mut run) = upgraded(name);
        put(&run, &golden.items.iter().map(with_more).collect::<Vec<_>>());
        run.end_within(hours(4));
        for item in golden.items.iter().filter(|item| kind(item) != "LIST") {
            let key = (text(item, "pk"), text(item, "sk"));
            let items = run.items();
            let now =
                items.iter().find(|item| (text(item, "pk"), text(item, "sk")) == key).expect("still there");
            assert_eq!(text(now, "from_a_later_release"), Some("kept"), "{key:?}");
        }
    }
}
