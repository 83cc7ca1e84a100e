//! A function dies between two calls, anywhere: nothing is lost, nothing that is not safe to repeat is repeated (G5).

use fleetwright_protocols::{CallRule, Failure, Run, Story, any_call, on, runbooks};
use jiff::SignedDuration;
use std::time::Duration;

/// A calm run ends in less than a minute; so much more is a crash worth at most: the visibility of a message, or the
/// three looks before a command counts as absent, the longest of them four minutes after the one before.
const LATE: Duration = Duration::from_secs(20 * 60);

fn two_steps() -> Story {
    Story::new().nodes(3).runbook(runbooks::TWO_STEPS)
}

/// Plays two steps to the end and holds that every node ran each once, by one command a step.
fn survives(rule: CallRule) -> Run {
    let name = format!("{rule:?}");
    let mut run = two_steps().call(rule).start();
    run.end_within(LATE);
    assert_eq!(run.status(), "Success", "{name}");
    assert_eq!(run.commands().len(), 2, "{name}");
    run.each_node_ran_once_in_each_of(2);
    run.check();
    run
}

#[test]
fn a_crash_after_the_fold_that_completed_a_command_is_made_good_by_whoever_looks_next() {
    let last_fold = on("UpdateItem").by("on-command-event").about("\"CMD#").about("Success");
    let run = survives(last_fold.crash_after());
    assert_eq!(crashes(&run), 1);
}

#[test]
fn a_crash_before_the_fold_leaves_the_message_to_come_again() {
    survives(on("UpdateItem").by("on-command-event").about("\"CMD#").crash_before());
}

#[test]
fn a_crash_after_the_commit_that_planned_a_send_sends_it_once_the_looks_have_found_nothing() {
    // The commit that ends the first step plans the second's send; nobody made that call.
    let run = survives(on("TransactWriteItems").by("on-command-event").nth(1).crash_after());
    let second = run.sends().into_iter().find(|send| send.step == 1).expect("the second step's send");
    assert_eq!(second.tries, 2, "the try that began with the commit, and the one that was made");
    let (first, second) = (&run.commands()[0], &run.commands()[1]);
    let waited = second.requested_at.duration_since(first.ended_at.expect("over"));
    assert!(
        waited > SignedDuration::from_secs(90),
        "sent again after {waited}: nobody could have looked yet"
    );
}

#[test]
fn a_crash_after_send_command_adopts_the_command_that_nobody_saw_answered() {
    for step in 1..=2 {
        let run = survives(on("SendCommand").nth(step).crash_after());
        assert!(run.sends().iter().all(|send| send.tries == 1), "found, not sent again");
    }
}

#[test]
fn a_crash_before_send_command_sends_it_again_once() {
    for step in 1..=2 {
        let run = survives(on("SendCommand").nth(step).crash_before());
        let tries: Vec<u32> = run.sends().iter().map(|send| send.tries).collect();
        assert_eq!(tries.iter().sum::<u32>(), 3, "{tries:?}");
    }
}

#[test]
fn a_crash_after_either_half_of_a_record_leaves_the_other_to_be_completed() {
    for half in ["command_id", "owner_execution"] {
        for step in 1..=2 {
            survives(on("UpdateItem").about(half).nth(step).crash_after());
        }
    }
}

#[test]
fn a_record_of_which_only_one_half_was_ever_written_is_completed() {
    for half in ["command_id", "owner_execution"] {
        for step in 1..=2 {
            survives(on("UpdateItem").about(half).nth(step).crash_before());
            survives(on("UpdateItem").about(half).nth(step).fail_before(Failure::Reset));
        }
    }
}

#[test]
fn a_command_whose_send_was_never_told_goes_on_by_its_own_events() {
    // Only the command knows whose it is: its events find the send, without a look at SSM.
    let mut run =
        two_steps().call(on("UpdateItem").about("command_id").fail_before(Failure::Http500)).start();
    run.end_within(Duration::from_secs(85));
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

#[test]
fn a_lost_answer_to_a_commit_is_recognised_as_our_own_success() {
    let calm = survives_calmly();
    for commit in 1..=commits(&calm) {
        for failure in [Failure::Reset, Failure::Timeout, Failure::Http500] {
            let mut run = two_steps().call(on("TransactWriteItems").nth(commit).fail_after(failure)).start();
            run.end_within(Duration::from_secs(120));
            // The execution has ended in the table before whoever ended it knows.
            run.pass(SignedDuration::from_secs(10));
            let name = format!("commit {commit}, {failure:?}");
            assert_eq!(run.status(), "Success", "{name}");
            assert!(
                run.sends().iter().all(|send| send.tries == 1),
                "{name}: nothing was sent twice or looked for"
            );
            assert!(refused_commits(&run) >= 1, "{name}: the second try shows that the first one stood");
            run.each_node_ran_once_in_each_of(2);
            run.check();
        }
    }
}

#[test]
fn a_commit_that_is_never_answered_stands_and_is_gone_on_from() {
    let commits = commits(&survives_calmly());
    for commit in 1..=commits {
        // Every try of that commit is applied or finds itself applied; none is ever answered.
        let mut seen = 0;
        let unanswered = on("TransactWriteItems").each().when(move |_| {
            seen += 1;
            (commit..commit + 3).contains(&seen)
        });
        let mut run = two_steps().call(unanswered.fail_after(Failure::Reset)).start();
        run.end_within(LATE);
        assert_eq!(run.status(), "Success", "commit {commit}");
        run.each_node_ran_once_in_each_of(2);
        run.check();
    }
}

#[test]
fn a_commit_that_never_arrived_is_made_again() {
    let calls = commits(&survives_calmly());
    for commit in 1..=calls {
        for failure in [Failure::Reset, Failure::Http500, Failure::TransactionConflict, Failure::Throttled] {
            survives(on("TransactWriteItems").nth(commit).fail_before(failure));
        }
    }
}

/// Does this to each call that a calm run of two steps makes, one at a time.
fn sweep(crash: impl Fn(CallRule) -> CallRule) {
    let calls = two_steps().play().calls();
    assert!(calls > 30, "two steps take more than {calls} calls");
    for call in 1..=calls {
        let crashing = crash(any_call().nth(call));
        let name = format!("{crashing:?}");
        let mut run = two_steps().call(crashing).start();
        run.end_within(LATE);
        assert_eq!(run.status(), "Success", "{name}");
        for send in run.sends() {
            assert!(send.tries <= 2, "{name}: {send:#?}");
        }
        run.each_node_ran_once_in_each_of(2);
        run.check();
    }
}

#[test]
fn a_crash_before_any_call_there_is_changes_nothing_but_the_time_it_takes() {
    sweep(CallRule::crash_before);
}

#[test]
fn a_crash_after_any_call_there_is_changes_nothing_but_the_time_it_takes() {
    sweep(CallRule::crash_after);
}

#[test]
fn any_call_that_breaks_after_it_was_applied_changes_nothing_but_the_time_it_takes() {
    sweep(|rule| rule.fail_after(Failure::Reset));
}

#[test]
fn any_call_that_is_throttled_changes_nothing_but_the_time_it_takes() {
    sweep(CallRule::throttle);
}

fn survives_calmly() -> Run {
    let mut run = two_steps().play();
    assert_eq!(run.status(), "Success");
    run
}

fn commits(run: &Run) -> u64 {
    run.applied("dynamodb:TransactWriteItems")
}

fn crashes(run: &Run) -> u64 {
    run.cloud().counters.functions.values().map(|function| function.crashes).sum()
}

fn refused_commits(run: &Run) -> u64 {
    let cloud = run.cloud();
    let counts = cloud.counters.calls.values().filter_map(|calls| calls.get("dynamodb:TransactWriteItems"));
    counts.map(|count| count.refused).sum()
}
