//! `fleetwright demo` where nobody watches: in a pipe.

use serde_json::Value;
use std::process::{Command, Output};

/// Faster than any computer: nothing waits.
const AT_ONCE: [&str; 2] = ["--speed", "1000000"];

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command.arg("demo").args(AT_ONCE).args(arguments).output().expect("runs")
}

#[test]
fn in_a_pipe_it_prints_lines_without_control_characters_and_ends_well() {
    let output = demo(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = String::from_utf8(output.stdout).expect("UTF-8");
    let control = page.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "wider than 100 columns: {page}");
    for words in [
        "begins on 120 nodes",
        "of 120 done",
        "anythingMissing",
        "exit code 156",
        "SendCommand",
        "(Undeliverable)",
        "later: patchAgain 8 ok; verify 8 ok",
    ] {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
}

#[test]
fn as_json_nothing_else_stands_on_standard_output() {
    let output = demo(&["--format", "json"]);
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(result["status"], "Success");
    let scan = &result["fleet"][0];
    assert_eq!((&scan["step"], &scan["targets"]), (&Value::from("scan"), &Value::from(120)));
    for outcome in ["failed", "timed_out"] {
        let steps = result["fleet"].as_array().expect("steps");
        assert!(steps.iter().any(|step| step[outcome] != 0), "no node {outcome}: {result}");
    }
}

#[test]
fn what_happens_does_not_depend_on_the_pace() {
    let at_once = demo(&["--format", "json"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    let paced = command.args(["demo", "--speed", "1500", "--format", "json"]).output().expect("runs");
    assert_eq!(at_once.stdout, paced.stdout);
}
