//! What SSM itself would not know is named when somebody asks.

mod common;

use common::{said, steps};
use fleetwright_runbook::{Code, Portability, validate};

const SCAN: &str = "name: scan\naction: aws:runCommand\ninputs: { DocumentName: AWS-RunPatchBaseline, Targets: [ { Key: 'tag:a', Values: b } ] }";

/// A command after `scan`; its nodes stand in line 10 from column 18.
fn command(ids: &str) -> String {
    steps(&[
        SCAN,
        &format!(
            "name: again\naction: aws:runCommand\ninputs:\n  InstanceIds: {ids}\n  DocumentName: AWS-RunShellScript"
        ),
    ])
}

#[test]
fn what_only_works_here_is_named() {
    let fifty_one =
        format!("[ {} ]", (100..151).map(|id| format!("i-00000{id}")).collect::<Vec<_>>().join(", "));
    let table = [
        (command("i-12345678"), vec![]),
        (command("[ \"{{ Wait }}\" ]"), vec![]),
        (command(&fifty_one), vec![(Code::NotPortable, 10, 18)]),
        // It is no output of SSM's, and it may have any length.
        (command("\"{{ scan.FailedInstanceIds }}\""), vec![(Code::NotPortable, 10, 18); 2]),
        (command("[ \"{{ scan.PendingRebootInstanceIds }}\" ]"), vec![(Code::NotPortable, 10, 20); 2]),
        (command("\"{{ scan.Output }}\""), vec![]),
        (
            steps(&[
                SCAN,
                "name: choose\naction: aws:branch\ninputs:\n  Choices:\n  - NextStep: end\n    Variable: \"{{ scan.FailedCount }}\"\n    NumericGreater: 0",
                "name: end\naction: aws:pause",
            ]),
            vec![(Code::NotPortable, 12, 17)],
        ),
        (
            format!("{}outputs: [ scan.SuccessPercentage ]\n", steps(&[SCAN])),
            vec![(Code::NotPortable, 7, 12)],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(said(&text, Portability::Portable), expected, "{text}");
        assert_eq!(said(&text, Portability::Here), [], "{text}");
        assert!(validate(&text, Portability::Portable).is_runnable(), "{text}");
    }
}

#[test]
fn only_a_patch_baseline_reports_patches() {
    let text = command("\"{{ scan.NonCompliantInstanceIds }}\"")
        .replace("AWS-RunPatchBaseline", "AWS-RunShellScript");
    assert_eq!(said(&text, Portability::Here), [(Code::UnknownReference, 10, 18)]);
}
