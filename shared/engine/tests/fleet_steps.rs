//! runCommand steps over lists of nodes (protocols, P3, P5 and P6).

mod common;

use common::{Shell, command, needs, node, well};
use fleetwright_engine::{
    Effect, Need, Output, PendingKind, Refusal, Rejection, Send, SendState, Slice, StopType,
};
use fleetwright_fleet::Terminal;
use jiff::SignedDuration;
use std::collections::BTreeSet;

fn lengths(sends: &[Send]) -> Vec<u64> {
    sends.iter().map(|send| send.slice.nodes()).collect()
}

#[test]
fn a_long_list_goes_out_in_sends_of_fifty_as_far_as_concurrency_allows() {
    /// (nodes, MaxConcurrency, lengths of the first sends)
    const TABLE: [(usize, &str, &[u64]); 6] = [
        (120, "", &[50]),
        (120, "      MaxConcurrency: '120'\n", &[50, 50, 20]),
        (120, "      MaxConcurrency: 60\n", &[50, 10]),
        (120, "      MaxConcurrency: 50%\n", &[50, 10]),
        (7, "      MaxConcurrency: 10%\n", &[1]),
        (1_100, "      MaxConcurrency: 100%\n", &[50; 20]),
    ];
    for (nodes, concurrency, expected) in TABLE {
        let mut shell = Shell::new(&(command("patch", "") + concurrency), nodes);
        let decision = shell.look().expect("decides");
        assert_eq!(lengths(&decision.planned), expected, "{nodes} nodes, {concurrency}");
    }
}

#[test]
fn every_target_is_in_exactly_one_send() {
    let mut shell = Shell::new(&(command("patch", "") + "      MaxConcurrency: 60\n"), 333);
    shell.run(well);
    let mut covered = BTreeSet::new();
    for send in &shell.planned {
        let Slice::Nodes { offset, length, .. } = send.slice else { panic!("a list") };
        for index in offset..offset + length {
            assert!(covered.insert(index), "target {index} twice");
        }
    }
    assert_eq!(covered, (0..333).collect());
    assert_eq!(shell.closed[0].counts.expect("counts").success, 333);
}

#[test]
fn tokens_are_unique_and_the_same_whoever_computes_them() {
    let text = command("patch", "    maxAttempts: 2\n") + "      MaxConcurrency: 100%\n";
    let tokens = |shell: &mut Shell| {
        shell.run(|_| (Terminal::Failed, 1));
        shell.planned.iter().map(|send| send.token.to_string()).collect::<Vec<_>>()
    };
    let first = tokens(&mut Shell::new(&text, 120));
    assert_eq!(first.len(), 6, "two attempts of three sends");
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 6);
    assert!(first.iter().all(|token| token.len() == 26));
    assert_eq!(first, tokens(&mut Shell::new(&text, 120)));
}

/// (MaxErrors, nodes that fail of 10, the step's status)
const MAX_ERRORS: [(&str, usize, &str); 8] = [
    ("", 0, "Success"),
    ("", 1, "Failed"),
    ("      MaxErrors: 2\n", 2, "Success"),
    ("      MaxErrors: 2\n", 3, "Failed"),
    ("      MaxErrors: 25%\n", 2, "Success"),
    ("      MaxErrors: 25%\n", 3, "Failed"),
    ("      MaxErrors: 100%\n", 9, "Success"),
    ("      MaxErrors: 100%\n", 10, "Failed"),
];

#[test]
fn the_verdict_tolerates_max_errors_but_not_that_nobody_succeeds() {
    for (max_errors, failing, status) in MAX_ERRORS {
        let mut shell = Shell::new(&(command("patch", "") + max_errors), 10);
        shell.run(|index| if index < failing { (Terminal::Failed, 1) } else { (Terminal::Success, 0) });
        assert_eq!(shell.steps()[0].1, status, "{max_errors}, {failing} fail");
    }
}

#[test]
fn a_step_whose_bad_nodes_all_timed_out_timed_out() {
    let mut shell = Shell::new(&command("patch", ""), 3);
    shell.run(|index| if index == 0 { (Terminal::ExecutionTimedOut, 137) } else { (Terminal::Success, 0) });
    assert_eq!(shell.ended().0, "TimedOut");
}

#[test]
fn unknown_is_not_failed_and_not_success_either() {
    let mut shell = Shell::new(&command("patch", ""), 2);
    shell.run(|index| if index == 0 { (Terminal::Undeliverable, -1) } else { (Terminal::Success, 0) });
    let counts = shell.closed[0].counts.expect("counts");
    assert_eq!((counts.unknown, counts.failed), (1, 0));
    assert_eq!(shell.ended().0, "Failed");
}

#[test]
fn beyond_max_errors_no_further_send_goes_out_and_the_rest_is_not_run() {
    let mut shell = Shell::new(&command("patch", ""), 120);
    shell.run(|_| (Terminal::Failed, 1));
    assert_eq!(lengths(&shell.planned), [50]);
    let counts = shell.closed[0].counts.expect("counts");
    assert_eq!((counts.failed, counts.not_run, counts.total()), (50, 70, 120));
}

#[test]
fn each_send_passes_what_is_left_of_max_errors() {
    let mut shell = Shell::new(&(command("patch", "") + "      MaxErrors: 3\n"), 100);
    shell.run(|index| if index < 2 { (Terminal::Failed, 1) } else { (Terminal::Success, 0) });
    let passed: Vec<_> = shell.planned.iter().map(|send| send.max_errors.clone().expect("passed")).collect();
    assert_eq!(passed, ["3", "1"]);
}

#[test]
fn a_further_step_goes_to_just_the_nodes_that_failed() {
    let again = "  - name: again\n    action: aws:runCommand\n    inputs:\n      DocumentName: AWS-RunShellScript\n      InstanceIds: [\"{{ patch.FailedInstanceIds }}\", \"{{ Ids }}\"]\n";
    let only = again.replace(", \"{{ Ids }}\"", "");
    let mut shell = Shell::new(&(command("patch", "    onFailure: Continue\n") + &only), 60);
    shell.run(|index| if index % 20 == 0 { (Terminal::Failed, 1) } else { (Terminal::Success, 0) });
    assert_eq!(shell.closed[1].counts.expect("counts").total(), 3);
    let failed = match &shell.closed[0].outputs["FailedInstanceIds"] {
        Output::Nodes(list) => shell.seen.lists[&list.id].clone(),
        Output::Value(value) => panic!("{value}"),
    };
    assert_eq!(failed.iter().map(ToString::to_string).collect::<Vec<_>>(), [node(0), node(20), node(40)]);
    // A list inside a list is spliced, and an id given twice counts once.
    let mut both = Shell::new(&(command("patch", "    onFailure: Continue\n") + again), 60);
    both.run(|index| if index == 0 { (Terminal::Failed, 1) } else { (Terminal::Success, 0) });
    assert_eq!(both.closed[1].counts.expect("counts").total(), 60);
}

#[test]
fn a_refused_bad_node_is_found_by_halving_and_alone_is_not_run() {
    let mut shell = Shell::new(&command("patch", ""), 8);
    let mut decision = shell.look().expect("decides");
    for _ in 0..10 {
        for send in decision.planned.clone() {
            let Slice::Nodes { offset, length, .. } = send.slice else { panic!("a list") };
            if (offset..offset + length).contains(&5) {
                shell.set_state(&send, SendState::Refused(Refusal::BadNode));
            } else {
                shell.finish(&send, well);
            }
        }
        if !shell.closed.is_empty() {
            break;
        }
        decision = shell.look().expect("decides");
    }
    let counts = shell.closed[0].counts.expect("counts");
    assert_eq!((counts.success, counts.not_run), (7, 1));
    assert_eq!(shell.closed[0].without_command.len(), 1);
}

#[test]
fn no_nodes_at_all_is_a_success_without_a_send() {
    let mut shell = Shell::new(&command("patch", ""), 0);
    shell.run(well);
    assert!(shell.planned.is_empty());
    assert_eq!(shell.steps(), [("patch".to_owned(), "Success")]);
    assert_eq!(shell.closed[0].outputs["SuccessPercentage"], Output::Value(100.into()));
}

#[test]
fn an_ill_formed_node_id_fails_the_step_and_is_named() {
    let text = command("patch", "").replace("\"{{ Ids }}\"", "[web-1]");
    let mut shell = Shell::new(&text, 0);
    shell.run(well);
    assert!(shell.ended().1.expect("a reason").contains("web-1"));
}

#[test]
fn a_failed_attempt_is_made_again_with_all_original_targets() {
    let mut shell = Shell::new(&command("patch", "    maxAttempts: 3\n"), 10);
    shell.run(|index| if index == 0 { (Terminal::Failed, 1) } else { (Terminal::Success, 0) });
    assert_eq!(lengths(&shell.planned), [10, 10, 10]);
    assert_eq!(shell.closed[0].attempt, 3);
    assert_eq!(shell.closed[0].commands.len(), 3);
}

#[test]
fn a_try_without_an_answer_is_looked_for_and_sent_again_only_when_absent() {
    let mut shell = Shell::new(&command("patch", ""), 1);
    let send = shell.look().expect("decides").planned.remove(0);
    assert!(shell.look().expect("decides").effects.is_empty(), "an event never sends again");
    shell.now = common::at(120);
    shell.seen.scheduled = Some(shell.now);
    assert_eq!(needs(&shell.look().expect_err("asks")), [Need::Find(send.token.clone())]);
    for (looks, seconds) in [(1, 100), (2, 220), (3, 460)] {
        shell.seen.sends.get_mut(&send.token).expect("live").looks.insert(common::at(seconds));
        shell.seen.asked.insert(send.token.clone());
        shell.now = common::at(seconds + 1);
        let effects = shell.look().expect("decides").effects;
        assert_eq!(effects.contains(&Effect::Retry(send.token.clone())), looks == 3, "{looks} looks");
    }
}

#[test]
fn looks_before_ninety_seconds_do_not_count() {
    let mut shell = Shell::new(&command("patch", ""), 1);
    let send = shell.look().expect("decides").planned.remove(0);
    let live = shell.seen.sends.get_mut(&send.token).expect("live");
    live.looks.extend([common::at(10), common::at(89), common::at(120), common::at(240)]);
    assert!(!live.is_absent());
    live.looks.insert(common::at(480));
    assert!(live.is_absent());
}

#[test]
fn after_three_tries_without_an_answer_its_nodes_are_unknown() {
    let mut shell = Shell::new(&command("patch", ""), 2);
    let send = shell.look().expect("decides").planned.remove(0);
    let live = shell.seen.sends.get_mut(&send.token).expect("live");
    live.tries = 3;
    live.looks.extend([common::at(100), common::at(220), common::at(460)]);
    shell.now = common::at(500);
    let decision = shell.look().expect("decides");
    assert_eq!(decision.closed[0].counts.expect("counts").unknown, 2);
    assert_eq!(shell.ended().0, "Failed");
}

#[test]
fn an_absent_send_parks_the_execution_where_the_deployment_says_so() {
    let mut shell = Shell::new(&command("patch", ""), 1);
    let send = shell.look().expect("decides").planned.remove(0);
    shell.seen.resend_absent = false;
    let live = shell.seen.sends.get_mut(&send.token).expect("live");
    live.looks.extend([common::at(100), common::at(220), common::at(460)]);
    shell.now = common::at(500);
    assert!(matches!(shell.look(), Err(Rejection::Illegal(reason)) if reason.contains(send.token.as_str())));
}

#[test]
fn a_stop_halts_live_sends_plans_no_more_and_ends_when_they_have() {
    let mut shell = Shell::new(&(command("patch", "") + "      MaxConcurrency: 50\n"), 120);
    let send = shell.look().expect("decides").planned.remove(0);
    let command_id = shell.finish(&send, well);
    let report = shell.seen.reports.get_mut(&command_id).expect("a report");
    report.command.statuses.clear();
    (report.settlement, report.command.settled, report.terminal_since) = (None, None, None);
    let decision = shell.stop(StopType::Cancel).expect("stops");
    let halt = PendingKind::Halt(send.token.clone());
    assert_eq!(decision.effects, [Effect::Pending(halt.clone())]);
    assert!(shell.execution.pending.contains_key(&halt.key()));
    assert!(decision.planned.is_empty());
    // Two minutes after CancelCommand was accepted nothing more is waited for.
    let live = shell.seen.sends.get_mut(&send.token).expect("live");
    (live.halt, live.cancelled_at) = (true, Some(shell.now));
    shell.now += SignedDuration::from_secs(121);
    assert_eq!(needs(&shell.look().expect_err("asks")), [Need::Ask(send.token.clone())]);
    shell.seen.asked.insert(send.token.clone());
    shell.look().expect("decides");
    assert_eq!(shell.steps(), [("patch".to_owned(), "Cancelled")]);
    assert_eq!(shell.closed[0].counts.expect("counts").not_run, 70);
}

#[test]
fn before_a_timeout_is_decided_ssm_is_asked() {
    let mut shell = Shell::new(&command("patch", "    timeoutSeconds: 60\n"), 1);
    let send = shell.look().expect("decides").planned.remove(0);
    let command_id = shell.finish(&send, well);
    let report = shell.seen.reports.get_mut(&command_id).expect("a report");
    report.command.statuses.clear();
    shell.now = common::at(61);
    assert_eq!(needs(&shell.look().expect_err("asks")), [Need::Ask(send.token.clone())]);
    // What is terminal in that read stands: the step did not time out.
    let report = shell.seen.reports.get_mut(&command_id).expect("a report");
    report.command.statuses.insert(Terminal::Success);
    shell.seen.asked.insert(send.token.clone());
    shell.look().expect("decides");
    assert_eq!(shell.steps(), [("patch".to_owned(), "Success")]);
}

#[test]
fn a_stopped_send_that_nobody_can_look_for_is_unknown_after_a_day() {
    // SSM answers no look: nobody ever learns what became of the call.
    let mut shell = Shell::new(&command("patch", ""), 3);
    shell.look().expect("it is sent");
    shell.stop(StopType::Cancel).expect("stops");
    shell.now += SignedDuration::from_hours(23);
    shell.look().expect("it waits");
    assert!(shell.execution.live.len() == 1, "SSM may answer yet");
    shell.now += SignedDuration::from_hours(2);
    shell.run(well);
    assert_eq!(shell.ended().0, "Cancelled");
    assert_eq!(shell.closed[0].counts.expect("counts").unknown, 3, "they may have run");
}
