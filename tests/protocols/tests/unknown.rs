//! SendCommand has no client token: what became of one that nobody answered is found out by looking, never by trying
//! again at once (protocols, P3; G4).

use fleetwright_local::fleet::{Behaviour, Fleet, Span};
use fleetwright_protocols::{Failure, Fault, Run, Story, on, runbooks};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A command is looked for at 90 s, and 2 and 4 minutes after that; reconcile comes once a minute.
const FOUND_BY_THEN: Duration = Duration::from_secs(200);
const ABSENT_BY_THEN: Duration = Duration::from_secs(15 * 60);

/// When calls of an operation left, written down by the story itself.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<Timestamp>>>);

impl Times {
    fn note(&self) -> impl FnMut(&fleetwright_protocols::Call<'_>) -> bool + Send + 'static {
        let times = Arc::clone(&self.0);
        move |call| {
            times.lock().expect("nobody panicked").push(call.now);
            true
        }
    }

    fn all(&self) -> Vec<Timestamp> {
        self.0.lock().expect("nobody panicked").clone()
    }
}

/// A story that writes down when SendCommand was tried and when commands were looked for by their time.
fn watched(story: Story) -> (Story, Times, Times) {
    let (tries, looks) = (Times::default(), Times::default());
    let story = story
        .call(on("SendCommand").each().when(tries.note()).fault(Fault::None))
        .call(on("ListCommands").about("InvokedAfter").each().when(looks.note()).fault(Fault::None));
    (story, tries, looks)
}

fn after(times: &[Timestamp], from: Timestamp) -> Vec<SignedDuration> {
    times.iter().map(|at| at.duration_since(from)).collect()
}

#[test]
fn a_command_whose_answer_was_lost_is_found_and_adopted() {
    for failure in [Failure::Reset, Failure::Timeout, Failure::Http500] {
        let (story, tries, looks) = watched(Story::new().runbook(runbooks::TWO_STEPS));
        let mut run = story.call(on("SendCommand").fail_after(failure)).start();
        run.end_within(FOUND_BY_THEN);
        assert_eq!(run.status(), "Success");
        assert_eq!(tries.all().len(), 2, "{failure:?}: one try for each step");
        let looks = after(&looks.all(), tries.all()[0]);
        assert_eq!(looks.len(), 1, "{failure:?}: the first look finds it");
        assert!(looks[0] >= SignedDuration::from_secs(90), "looked for after {}", looks[0]);
        run.each_node_ran_once_in_each_of(2);
        run.check();
    }
}

#[test]
fn a_command_that_was_never_made_is_sent_again_once_three_looks_have_found_nothing() {
    for failure in [Failure::Reset, Failure::Timeout, Failure::Http500] {
        let (story, tries, looks) = watched(Story::new());
        let mut run = story.call(on("SendCommand").fail_before(failure)).start();
        run.end_within(ABSENT_BY_THEN);
        assert_eq!(run.status(), "Success");
        let tries = tries.all();
        assert_eq!(tries.len(), 2, "{failure:?}: the try that failed, and one more");
        let looks: Vec<_> = looks.all().into_iter().filter(|at| *at < tries[1]).collect();
        let looks = after(&looks, tries[0]);
        assert_eq!(looks.len(), 3, "{failure:?}: {looks:?}");
        assert!(
            looks[0] >= SignedDuration::from_secs(90),
            "{failure:?}: the first look is too early: {looks:?}"
        );
        run.each_node_ran_once_in_each_of(1);
        run.check();
    }
}

#[test]
fn a_command_that_is_visible_only_after_the_first_look_is_still_adopted() {
    // Visible between the first and the second look, and between the second and the third.
    for hidden_s in [150, 280] {
        let mut run = Story::new().call(on("SendCommand").fail_after(Failure::Reset)).deploy();
        run.cloud().ssm.hide_next_command_for(Duration::from_secs(hidden_s));
        run.start();
        run.end_within(ABSENT_BY_THEN);
        assert_eq!(run.status(), "Success");
        assert_eq!(run.commands().len(), 1, "hidden for {hidden_s} s, and not sent again");
        run.each_node_ran_once_in_each_of(1);
        run.check();
    }
}

#[test]
fn after_three_tries_that_nobody_answered_the_nodes_are_unknown_not_failed() {
    let (story, tries, looks) = watched(Story::new());
    let mut run = story.call(on("SendCommand").each().fail_before(Failure::Timeout)).start();
    run.end_within(Duration::from_secs(3600));
    assert_eq!(run.status(), "Failed");
    assert_eq!(tries.all().len(), 3);
    assert!(looks.all().len() >= 9, "three looks after each try: {:?}", looks.all());
    assert_eq!(run.number("first", "UnknownCount"), 5);
    assert_eq!(run.number("first", "FailedCount"), 0);
    let message = run.step("first")["FailureMessage"].as_str().expect("a reason").to_owned();
    assert!(message.contains("5 of 5 nodes") && message.contains("unknown"), "{message}");
    let shown = run.summary()[0]["Nodes"].as_array().expect("nodes").len();
    assert_eq!(shown, 5, "the nodes that may have run are named");
    run.check();
}

#[test]
fn tries_that_were_made_but_never_seen_do_not_make_more_commands_than_one() {
    // Every answer is lost, and so the same command is found again and again; it is adopted the first time.
    let mut run = Story::new()
        .runbook(runbooks::TWO_STEPS)
        .call(on("SendCommand").each().fail_after(Failure::Timeout))
        .start();
    run.end_within(Duration::from_secs(600));
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

#[test]
fn where_nothing_may_be_sent_twice_an_absent_command_waits_for_a_person_who_can_stop_it() {
    let mut run = Story::new()
        .deployed(|options| options.resend_absent = false)
        .call(on("SendCommand").fail_before(Failure::Reset))
        .start();
    run.pass(SignedDuration::from_mins(60));
    let execution = run.execution();
    assert_eq!(execution["AutomationExecutionStatus"], "InProgress");
    let warning = execution["WarningMessage"].as_str().expect("it says that it needs attention").to_owned();
    assert!(warning.contains("attention") && warning.contains("absent"), "{warning}");
    assert!(run.commands().is_empty(), "nothing was sent a second time");
    let ticks_cost = run.applied("ssm:ListCommands");
    run.pass(SignedDuration::from_mins(60));
    assert_eq!(
        run.applied("ssm:ListCommands"),
        ticks_cost,
        "what is set aside is not looked at over and over"
    );
    run.stop("Cancel");
    run.end_within(ABSENT_BY_THEN);
    assert_eq!(run.status(), "Cancelled");
    assert!(
        run.execution().get("WarningMessage").is_none_or(serde_json::Value::is_null),
        "attention was paid"
    );
    assert!(run.commands().is_empty());
    run.check();
}

#[test]
fn a_look_that_fails_or_is_throttled_does_not_count_as_having_found_nothing() {
    let (story, tries, looks) = watched(Story::new());
    let mut run = story
        .call(on("SendCommand").fail_before(Failure::Reset))
        .call(on("ListCommands").about("InvokedAfter").nth(1).throttle())
        .call(on("ListCommands").about("InvokedAfter").nth(3).fail_before(Failure::Http500))
        .start();
    run.end_within(Duration::from_secs(1200));
    assert_eq!(run.status(), "Success");
    let (tries, looks) = (tries.all(), looks.all());
    let before = looks.iter().filter(|look| **look < tries[1]).count();
    assert_eq!((tries.len(), before), (2, 5), "three that counted and two that did not");
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

/// Nodes that take half an hour: a command too many can still be stopped.
fn slow_nodes() -> Fleet {
    let mut fleet = Fleet::plain(5, 1);
    for node in fleet.nodes_mut() {
        node.behaviours = [Behaviour { duration: Span::seconds(1800, 1800), ..Behaviour::default() }].into();
    }
    fleet
}

#[test]
fn a_command_that_ssm_hid_for_longer_than_anybody_waits_is_found_cancelled_and_reported() {
    // Sent again after eight minutes; the windows are listed 5, 15 and 60 minutes after that, by the next tick.
    for (hidden, found_by) in [(12, 15), (20, 25)] {
        let mut run =
            Story::new().fleet(slow_nodes()).call(on("SendCommand").fail_after(Failure::Reset)).deploy();
        run.cloud().ssm.hide_next_command_for(Duration::from_secs(hidden * 60));
        let began = run.now();
        run.start();
        run.pass(SignedDuration::from_mins(found_by));
        let commands = run.commands();
        let [first, second] = commands.as_slice() else { panic!("two commands, not {commands:#?}") };
        let cancelled = first.cancelled_at.expect("cancelled while it runs");
        assert!(
            cancelled.duration_since(began) >= SignedDuration::from_secs(i64::try_from(hidden).unwrap() * 60)
        );
        run.end_within(Duration::from_secs(2 * 3600));
        assert_eq!(run.status(), "Success", "hidden for {hidden} min");
        let sends = run.sends();
        let [send] = sends.as_slice() else { panic!("one send, not {sends:#?}") };
        assert_eq!(send.command_id.as_deref(), Some(&*second.command_id), "the one that was seen stands");
        assert_eq!(send.extra_commands, [first.command_id.to_string()], "the other one is reported");
        let warning = run.execution()["WarningMessage"].as_str().expect("a warning").to_owned();
        assert!(warning.contains(&*first.command_id), "its user is told: {warning}");
        assert!(second.cancelled_at.is_none());
        assert_eq!(run.number("first", "TargetCount"), 5, "its results are kept apart");
        run.check_but_for_reported_duplicates();
    }
}

#[test]
fn a_command_that_shows_up_late_is_adopted_where_the_second_try_had_no_answer_either() {
    // The first try's command appears when the second try has failed and is being looked for: it is the only one.
    let mut run = Story::new()
        .fleet(slow_nodes())
        .call(on("SendCommand").nth(1).fail_after(Failure::Reset))
        .call(on("SendCommand").nth(2).fail_before(Failure::Timeout))
        .deploy();
    run.cloud().ssm.hide_next_command_for(Duration::from_secs(12 * 60));
    run.start();
    run.end_within(Duration::from_secs(2 * 3600));
    assert_eq!(run.status(), "Success");
    assert!(run.sends()[0].extra_commands.is_empty());
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn a_command_too_many_is_still_found_after_the_execution_has_ended() {
    let mut run = Story::new().call(on("SendCommand").fail_after(Failure::Reset)).deploy();
    run.cloud().ssm.hide_next_command_for(Duration::from_secs(30 * 60));
    run.start();
    run.end_within(ABSENT_BY_THEN);
    assert_eq!(run.status(), "Success");
    assert!(run.sends()[0].extra_commands.is_empty(), "nobody can know of it yet");
    run.pass(SignedDuration::from_mins(75));
    assert_eq!(run.sends()[0].extra_commands.len(), 1, "the send outlives its execution");
    assert!(run.sends()[0].item.get("due_at").is_none(), "and is watched no longer");
    run.check_but_for_reported_duplicates();
}

#[test]
fn a_throttled_send_command_backs_off_and_is_made_once() {
    let (story, tries, looks) = watched(Story::new().runbook(runbooks::TWO_STEPS));
    let mut run = story.call(on("SendCommand").first(6).throttle()).start();
    run.end_within(Duration::from_secs(300));
    assert_eq!(run.status(), "Success");
    let tries = tries.all();
    assert_eq!(tries.len(), 8, "six refusals, and a call for each step");
    assert!(looks.all().is_empty(), "what was refused need not be looked for");
    let waits = tries.windows(2).take(6).map(|pair| pair[1].duration_since(pair[0])).collect::<Vec<_>>();
    assert!(
        waits.iter().all(|wait| *wait >= SignedDuration::from_millis(500)),
        "tried again at once: {waits:?}"
    );
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

#[test]
fn throttling_that_never_ends_ends_the_step_with_nodes_that_were_not_run() {
    let mut run = Story::new().call(on("SendCommand").each().throttle()).start();
    run.end_within(Duration::from_secs(3 * 3600));
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.number("first", "NotRunCount"), 5);
    assert_eq!(run.sends()[0].tries, 60);
    let message = run.step("first")["FailureMessage"].as_str().expect("a reason").to_owned();
    assert!(message.contains("ThrottlingException"), "{message}");
    run.check();
}

#[test]
fn a_burst_of_throttling_over_several_sends_lets_every_one_through() {
    let mut run: Run = Story::new()
        .nodes(230)
        .runbook(runbooks::WIDE_STEP)
        .call(on("SendCommand").when(|call| call.index % 3 != 0).first(12).throttle())
        .start();
    run.end_within(Duration::from_secs(900));
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "SuccessCount"), 230);
    run.each_node_ran_once_in_each_of(1);
    run.check();
}
