//! `aws:pause` and `aws:approve`, rule by rule (User Guide, automation-action-pause and -approve; facts 3.4 and 4).

mod common;

use common::{Shell, at, node, parsed, refusal, request};
use fleetwright_engine::{Effect, PendingKind, Rejection, Signal, Start, Status, StopType};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;

const DAY: i64 = 86_400;

fn pause(settings: &str) -> String {
    format!("  - name: hold\n    action: aws:pause\n{settings}    inputs: {{}}\n")
}

fn approve(settings: &str, inputs: &str) -> String {
    format!("  - name: ask\n    action: aws:approve\n{settings}    inputs: {{ {inputs} }}\n")
}

fn waiting(steps: &str) -> Shell {
    let mut shell = Shell::new(steps, 2);
    shell.look().expect("decides");
    shell
}

const ALICE: &str = "arn:aws:iam::123456789012:user/ops/alice";
const BOB: &str = "arn:aws:iam::123456789012:user/bob";
const INVALID: &str = "InvalidAutomationSignalException";

#[test]
fn a_pause_waits_until_somebody_lets_it_go_on() {
    let mut shell = waiting(&pause(""));
    assert_eq!((shell.execution.status(), shell.open().status), (Status::Waiting, Status::Waiting));
    shell.now = at(20 * DAY);
    shell.look().expect("still waits");
    shell.signal(Signal::Resume, BOB, &[("StepName", "hold")]).expect("goes on");
    shell.run(common::well);
    assert_eq!(shell.ended().0, "Success");
}

type Payload = &'static [(&'static str, &'static str)];

/// (signal, payload, error code); each leaves a pause as it is. API reference, SendAutomationSignal: its errors.
const REFUSED_BY_A_PAUSE: [(Signal, Payload, &str); 7] = [
    (Signal::Approve, &[], INVALID),
    (Signal::Reject, &[], INVALID),
    (Signal::StartStep, &[("StepName", "hold")], INVALID),
    (Signal::StopStep, &[], INVALID),
    (Signal::Revoke, &[], INVALID),
    (Signal::Resume, &[("StepName", "after")], INVALID),
    (Signal::Resume, &[("StepName", "elsewhere")], "AutomationStepNotFoundException"),
];

#[test]
fn a_pause_takes_no_other_signal() {
    let mut shell = waiting(&(pause("") + "  - name: after\n    action: aws:pause\n    inputs: {}\n"));
    let before = shell.execution.clone();
    for (signal, payload, code) in REFUSED_BY_A_PAUSE {
        assert_eq!(refusal(shell.signal(signal, ALICE, payload)).0, code, "{signal:?} {payload:?}");
    }
    assert_eq!(shell.execution, before);
}

/// (the step, seconds after which it is over, its status, the source of the rule)
const TIMES: [(&str, &str, i64, &str); 6] = [
    ("pause", "", 90 * DAY, "ours: an execution is at most 90 days old"),
    ("pause", "    timeoutSeconds: 600\n", 600, "3.2: timeoutSeconds"),
    ("approve", "", 7 * DAY, "UG: the default timeout is 7 days"),
    ("approve", "    timeoutSeconds: 600\n", 600, "3.2: timeoutSeconds"),
    ("approve", "    timeoutSeconds: 2592000\n", 30 * DAY, "UG: at most 30 days"),
    ("approve", "    timeoutSeconds: 9999999\n", 30 * DAY, "UG: at most 30 days"),
];

#[test]
fn what_nobody_answers_times_out() {
    for (action, settings, seconds, source) in TIMES {
        let steps = if action == "pause" { pause(settings) } else { approve(settings, "Approvers: [alice]") };
        let mut shell = waiting(&steps);
        shell.now = at(seconds) - SignedDuration::from_secs(1);
        shell.look().expect("decides");
        assert!(shell.closed.is_empty(), "{action} {settings}: {source}");
        shell.now = at(seconds);
        shell.look().expect("decides");
        assert_eq!(shell.closed[0].status, Status::TimedOut, "{action} {settings}: {source}");
        assert_eq!(shell.ended().0, "TimedOut");
        if action == "approve" {
            assert_eq!(shell.output("ask", "ApprovalStatus"), Some(json!("Waiting")));
        }
    }
}

#[test]
fn enough_approvals_let_it_go_on_and_tell_who_said_what() {
    let mut shell = waiting(&approve("", "Approvers: [alice, bob, carol], MinRequiredApprovals: 2"));
    shell.signal(Signal::Approve, ALICE, &[("Comment", "fine")]).expect("counts");
    assert_eq!(shell.execution.status(), Status::Waiting);
    assert!(matches!(shell.signal(Signal::Approve, ALICE, &[]), Err(Rejection::Stale(_))), "the same again");
    shell.now = at(5);
    shell.signal(Signal::Approve, BOB, &[]).expect("counts");
    shell.run(common::well);
    assert_eq!(shell.ended().0, "Success");
    assert_eq!(shell.output("ask", "ApprovalStatus"), Some(json!("Approved")));
    let decisions = shell.output("ask", "ApproverDecisions").expect("told");
    assert_eq!(decisions[0]["Approver"], json!(ALICE));
    assert_eq!((&decisions[0]["Decision"], &decisions[0]["Comment"]), (&json!("Approve"), &json!("fine")));
    assert_eq!(
        (&decisions[1]["Approver"], &decisions[1]["Time"]),
        (&json!(BOB), &json!("2026-03-14T02:00:05Z"))
    );
}

#[test]
fn one_rejection_fails_the_step_and_names_who() {
    let mut shell = waiting(&approve("", "Approvers: [alice, bob], MinRequiredApprovals: 2"));
    shell.signal(Signal::Approve, ALICE, &[]).expect("counts");
    shell.signal(Signal::Reject, BOB, &[("Comment", "not tonight")]).expect("counts");
    shell.run(common::well);
    assert_eq!(shell.ended().0, "Failed");
    assert_eq!(shell.message("ask"), format!("Rejected by {BOB}"));
    assert_eq!(shell.output("ask", "ApprovalStatus"), Some(json!("Rejected")));
}

/// (approver, caller, whether the caller is that approver, the source of the rule)
const APPROVERS: [(&str, &str, bool, &str); 15] = [
    (BOB, BOB, true, "UG: user ARN"),
    (BOB, ALICE, false, "UG: user ARN"),
    ("bob", BOB, true, "UG: user name"),
    ("alice", ALICE, true, "UG: user name, whatever its path"),
    ("ops", ALICE, false, "a path is no name"),
    ("bob", "arn:aws:iam::999999999999:user/bob", false, "ours: a user name is one of this account"),
    ("Admin", "arn:aws:sts::123456789012:assumed-role/Admin/x", false, "UG: a bare name is a user's"),
    (
        "arn:aws:iam::123456789012:role/Admin",
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        true,
        "UG: role ARN",
    ),
    (
        "arn:aws:iam::123456789012:role/a/b/Admin",
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        true,
        "UG: role ARN, with a path",
    ),
    (
        "arn:aws:iam::123456789012:role/Admin",
        "arn:aws:sts::123456789012:assumed-role/Admins/x",
        false,
        "UG: role ARN",
    ),
    (
        "arn:aws:iam::999999999999:role/Admin",
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        false,
        "another account",
    ),
    (
        "arn:aws-cn:iam::123456789012:role/Admin",
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        false,
        "another partition",
    ),
    (
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        true,
        "UG: assumed-role ARN",
    ),
    (
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        "arn:aws:sts::123456789012:assumed-role/Admin/y",
        false,
        "UG: assumed-role ARN",
    ),
    (
        "arn:aws:iam::123456789012:role/Admin",
        "arn:aws:iam::123456789012:user/Admin",
        false,
        "a user is no role",
    ),
];

#[test]
fn only_approvers_decide_and_others_change_nothing() {
    for (approver, caller, is_one, source) in APPROVERS {
        let mut shell = waiting(&approve("", &format!("Approvers: ['{approver}']")));
        let before = shell.execution.clone();
        let result = shell.signal(Signal::Approve, caller, &[]);
        if is_one {
            assert!(result.is_ok(), "{approver} {caller}: {source}");
        } else {
            assert_eq!(refusal(result).0, INVALID, "{approver} {caller}: {source}");
            assert_eq!(shell.execution, before);
        }
    }
}

const ROLE: &str = "arn:aws:iam::123456789012:role/Ops";
const OPS_ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Ops/alice";
const OPS_BOB: &str = "arn:aws:sts::123456789012:assumed-role/Ops/bob";
const OPS_CAROL: &str = "arn:aws:sts::123456789012:assumed-role/Ops/carol";

/// Approvers, how many must approve, who approves in turn, which of these count, the source of the rule.
type Voices = (&'static [&'static str], u32, &'static [&'static str], &'static str, &'static str);

const VOICES: [Voices; 6] = [
    (&[ROLE, BOB], 2, &[OPS_ALICE, OPS_BOB, BOB], "yes no yes", "ours: two sessions of a role are one voice"),
    (&[ROLE, OPS_ALICE], 2, &[OPS_ALICE, OPS_BOB], "yes yes", "ours: alice does not speak for the role too"),
    (&[OPS_ALICE, ROLE], 2, &[OPS_BOB, OPS_ALICE], "yes yes", "ours: in whatever order"),
    (&[ROLE, OPS_ALICE], 2, &[OPS_ALICE, OPS_ALICE], "yes same", "ours: a caller is one voice"),
    (
        &[ROLE, OPS_ALICE, OPS_BOB],
        3,
        &[OPS_ALICE, OPS_BOB, OPS_CAROL],
        "yes yes yes",
        "ours: who can be an approver by name leaves the role to the others",
    ),
    (
        &[ROLE, OPS_ALICE, BOB],
        3,
        &[OPS_BOB, OPS_CAROL, OPS_ALICE, BOB],
        "yes no yes yes",
        "ours: the name of alice is nobody else's",
    ),
];

#[test]
fn each_approval_is_that_of_an_approver_of_its_own() {
    for (approvers, required, callers, expected, source) in VOICES {
        let inputs = format!("Approvers: {approvers:?}, MinRequiredApprovals: {required}");
        let mut shell = waiting(&approve("", &inputs));
        let mut counted = Vec::new();
        for caller in callers {
            counted.push(match shell.signal(Signal::Approve, caller, &[]) {
                Ok(_) => "yes",
                Err(Rejection::Stale(_)) => "same",
                Err(Rejection::Refused { message, .. }) if message.contains(caller) => "no",
                Err(other) => panic!("{other:?}"),
            });
        }
        assert_eq!(counted.join(" "), expected, "{approvers:?}: {source}");
        let approved = counted.iter().filter(|counts| **counts == "yes").count();
        assert_eq!(shell.execution.open_step().is_none(), approved == required as usize, "{approvers:?}");
    }
}

/// Ours: who approved may have second thoughts, and another session of the role has a word of its own.
#[test]
fn a_rejection_counts_whoever_approved_before() {
    for caller in [OPS_ALICE, OPS_BOB] {
        let mut shell =
            waiting(&approve("", &format!("Approvers: ['{ROLE}', bob], MinRequiredApprovals: 2")));
        shell.signal(Signal::Approve, OPS_ALICE, &[]).expect("counts");
        shell.signal(Signal::Reject, caller, &[]).expect("counts");
        assert_eq!(shell.message("ask"), format!("Rejected by {caller}"));
    }
}

/// Parameters for what no runbook may have in it as it stands.
const GIVEN: &str = "  Nobody: { type: StringList, default: [] }
  Crowd: { type: StringList, default: [a, b, c, d, e, f, g, h, i, j, k] }
  Two: { type: Integer, default: 2 }
  Zero: { type: Integer, default: 0 }
";

/// (inputs, why the step fails, if it does, the source of the rule)
const INPUTS: [(&str, Option<&str>, &str); 8] = [
    ("Approvers: [alice]", None, "UG"),
    ("Approvers: \"{{ Ids }}\", MinRequiredApprovals: 2", None, "UG: a StringList"),
    ("Approvers: [\"{{ Ids }}\", alice], MinRequiredApprovals: 3", None, "ours: spliced as InstanceIds"),
    ("Approvers: \"{{ Nobody }}\"", Some("Approvers: 0 of them"), "UG: required"),
    ("Approvers: \"{{ Crowd }}\"", Some("Approvers: 11 of them"), "UG: at most 10"),
    (
        "Approvers: [alice], MinRequiredApprovals: \"{{ Two }}\"",
        Some("MinRequiredApprovals: 2 of 1"),
        "ours: nobody could",
    ),
    (
        "Approvers: [alice, alice], MinRequiredApprovals: 2",
        Some("MinRequiredApprovals: 2 of 1"),
        "ours: one voice",
    ),
    (
        "Approvers: [alice], MinRequiredApprovals: \"{{ Zero }}\"",
        Some("MinRequiredApprovals: 0 of 1"),
        "ours: at least one",
    ),
];

#[test]
fn an_approval_that_cannot_be_had_fails_at_once() {
    let asked = |inputs: &str, message: &str| {
        let message = format!("  Message: {{ type: String, default: '{message}' }}\n");
        let text = format!("{}{GIVEN}{message}mainSteps:\n{}", common::HEAD, approve("", inputs));
        let parameters = BTreeMap::from([("Ids".to_owned(), (0..2).map(node).collect())]);
        let mut shell = Shell::of(parsed(&text), Start { parameters, ..request() });
        shell.look().expect("decides");
        shell
    };
    for (inputs, fails, source) in INPUTS {
        let shell = asked(inputs, "");
        match fails {
            None => assert_eq!(shell.execution.status(), Status::Waiting, "{inputs}: {source}"),
            Some(why) => {
                assert!(shell.message("ask").contains(why), "{inputs}: {source}: {}", shell.message("ask"));
            }
        }
    }
    let message = "Approvers: [alice], Message: \"{{ Message }}\"";
    let shell = asked(message, &"x".repeat(4_097));
    assert!(shell.message("ask").contains("4097 characters"), "UG: Message, at most 4096");
    assert_eq!(asked(message, &"x".repeat(4_096)).execution.status(), Status::Waiting);
}

#[test]
fn the_topic_is_told_that_somebody_is_waited_for_until_nobody_is() {
    let mut shell = Shell::new(
        &approve(
            "",
            "Approvers: [alice], NotificationArn: 'arn:aws:sns:us-east-1:123456789012:Automation-x', Message: \"{{ Text }}\"",
        ),
        0,
    );
    let decision = shell.look().expect("decides");
    assert_eq!(decision.effects, [Effect::Pending(PendingKind::AskApproval(0))]);
    let Some(fleetwright_engine::Work::Approval(approval)) = &shell.open().work else {
        panic!("an approval")
    };
    assert_eq!(approval.message.as_deref(), Some("blue"));
    shell.signal(Signal::Approve, ALICE, &[]).expect("counts");
    assert!(shell.execution.pending.is_empty());
}

#[test]
fn a_stop_cancels_what_waits() {
    for steps in [pause(""), approve("", "Approvers: [alice]")] {
        let mut shell = waiting(&steps);
        shell.stop(StopType::Cancel).expect("stops");
        assert_eq!(shell.execution.status(), Status::Cancelling);
        assert_eq!(refusal(shell.signal(Signal::Resume, ALICE, &[])).0, INVALID);
        shell.look().expect("decides");
        assert_eq!((shell.steps()[0].1, shell.ended().0), ("Cancelled", "Cancelled"));
    }
}

#[test]
fn a_person_is_asked_once_whatever_max_attempts_says() {
    let mut shell = waiting(&approve("    maxAttempts: 3\n", "Approvers: [alice]"));
    shell.signal(Signal::Reject, ALICE, &[]).expect("counts");
    shell.run(common::well);
    assert_eq!((shell.closed.len(), shell.closed[0].attempt, shell.ended().0), (1, 1, "Failed"));
}

#[test]
fn what_waits_for_a_person_has_no_sends_under_way() {
    let mut torn = waiting(&pause("")).execution;
    let token = fleetwright_engine::Send::token_of("fw:0123456789ABCDEFGHJKMNPQRS").expect("a token");
    torn.live.insert(token, 1);
    assert!(torn.check().expect_err("is torn").contains("waits and has 1 live sends"));
}
