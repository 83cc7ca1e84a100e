//! `fleetwright simulate`, as programs and people call it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Pings the web nodes, then the rest if all of them answered.
const RUNBOOK: &str = r#"
schemaVersion: "0.3"
parameters:
  Role: { type: String, default: web, allowedValues: [web, db] }
  Commands: { type: StringList, default: [uptime] }
  Wait: { type: Integer, default: 1 }
mainSteps:
  - name: ping
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [ { Key: "tag:Role", Values: ["{{ Role }}"] } ]
      Parameters: { commands: "{{ Commands }}" }
      MaxConcurrency: 100%
  - name: allAnswered
    action: aws:branch
    inputs:
      Choices:
        - { NextStep: rest, Variable: "{{ ping.SuccessPercentage }}", NumericEquals: 100 }
    isEnd: true
  - name: rest
    action: aws:sleep
    inputs: { Duration: PT10M }
    isEnd: true
outputs: [ ping.TargetCount ]
"#;

const FLEET: &str = r#"
groups:
  - { name: web, count: 5, tags: { Role: web } }
  - { name: db, count: 2, tags: { Role: db }, behaviours: [ { failed: 100%, exitCode: 7, error: "disk is full" } ] }
"#;

/// A folder of this test's own with a runbook and a fleet in it.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in [("ping.yaml", RUNBOOK), ("fleet.yaml", FLEET)] {
        std::fs::write(folder.join(name), text).expect("written");
    }
    folder
}

fn simulate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command.arg("simulate").args(arguments).current_dir(folder).output().expect("runs")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Expects the input to be refused: exit status 2, nothing on standard output, and these words on standard error.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = simulate(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
    assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    for word in words {
        assert!(errors.contains(word), "{arguments:?}: no `{word}` in {errors}");
    }
}

#[test]
fn a_runbook_that_ends_well_is_told_step_by_step() {
    let folder = folder("ends_well");
    let output = simulate(&folder, &["ping.yaml", "--fleet", "fleet.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json(&output);
    assert_eq!(result["status"], "Success");
    let steps: Vec<_> = result["steps"].as_array().expect("steps").iter().map(Value::to_string).collect();
    assert_eq!(
        steps,
        [
            r#"{"action":"aws:runCommand","attempts":1,"name":"ping","next":"allAnswered","status":"Success"}"#,
            r#"{"action":"aws:branch","attempts":1,"name":"allAnswered","next":"rest","status":"Success"}"#,
            r#"{"action":"aws:sleep","attempts":1,"name":"rest","next":null,"status":"Success"}"#,
        ]
    );
    assert_eq!(result["outputs"]["ping.TargetCount"][0], "5");
    assert_eq!(result["fleet"][0]["step"], "ping");
    assert_eq!(result["fleet"][0]["success"], 5);
    assert_eq!(result["api_calls"]["ssm.SendCommand"], 1);
    assert!(result["duration_s"].as_f64().expect("a number") > 600.0, "{result}");
    for count in ["requests", "read_units", "write_units"] {
        assert!(result["dynamodb"][count].as_f64().expect("a number") > 0.0, "{count} in {result}");
    }
    // Five nodes pinged, a branch and a sleep, for $0.002 each.
    assert_eq!(result["cost_usd"]["ssm_automation"], 0.014);
    assert_eq!(result["cost_usd"]["ssm_automation_one_execution"], 0.006);
    let here = result["cost_usd"]["here"].as_f64().expect("a number");
    assert!(here > 0.000_01 && here < 0.001, "{here} in {result}");
    assert_eq!(result.get("failure"), None, "{result}");
}

#[test]
fn a_runbook_that_fails_shows_which_nodes_said_what() {
    let folder = folder("fails");
    let arguments = ["ping.yaml", "--fleet", "fleet.yaml", "--param", "Role=db"];
    let output = simulate(&folder, &arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = String::from_utf8_lossy(&output.stdout);
    for words in ["Failed", "2 failed, exit code 7", "disk is full", "db-1", "db-2", "Estimate"] {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 100), "wider than 100 columns: {page}");
}

#[test]
fn one_seed_is_one_run() {
    let folder = folder("one_seed");
    let run =
        |seed| simulate(&folder, &["ping.yaml", "--nodes", "60", "--seed", seed, "--format", "json"]).stdout;
    assert_eq!(run("1"), run("1"));
    assert_ne!(run("1"), run("2"));
}

#[test]
fn lists_are_given_item_by_item_or_as_json() {
    let folder = folder("lists");
    for given in [
        &["--param", "Commands=true", "--param", "Commands=echo 1"][..],
        &["--param", r#"Commands=["true"]"#],
    ] {
        let output = simulate(&folder, &[&["ping.yaml", "--fleet", "fleet.yaml"], given].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn wrong_parameters_are_named() {
    let folder = folder("parameters");
    refused(&folder, &["ping.yaml", "--param", "Rolle=web"], &["parameter Rolle:", "no such parameter"]);
    refused(&folder, &["ping.yaml", "--param", "Role=mail"], &["parameter Role:", "allowedValues"]);
    refused(&folder, &["ping.yaml", "--param", "Wait=soon"], &["parameter Wait:", "Integer"]);
    refused(
        &folder,
        &["ping.yaml", "--param", "Role=web", "--param", "Role=db"],
        &["parameter Role:", "exactly one"],
    );
    refused(&folder, &["ping.yaml", "--param", "Role"], &["--param", "NAME=VALUE"]);
    std::fs::write(folder.join("required.yaml"), RUNBOOK.replace(", default: web", "")).expect("written");
    refused(&folder, &["required.yaml"], &["parameter Role:", "required"]);
}

#[test]
fn a_runbook_that_cannot_be_read_is_named_with_every_mistake_and_its_place() {
    let folder = folder("runbook");
    refused(&folder, &["absent.yaml"], &["absent.yaml"]);
    std::fs::write(folder.join("not-text.yaml"), [0xff, 0xfe, 0x00]).expect("written");
    refused(&folder, &["not-text.yaml"], &["not-text.yaml"]);
    let wrong = "schemaVersion: '0.3'\nmainSteps:\n  - name: a\n    action: aws:branch\n    nextStep: nowhere\n    \
                 inputs: { Choices: [ { NextStep: gone, Variable: x, StringEquals: x } ] }\n";
    std::fs::write(folder.join("wrong.yaml"), wrong).expect("written");
    let caret = "5 |     nextStep: nowhere\n  |               ^\n";
    let words = ["wrong.yaml:5:15", caret, "wrong.yaml:6:", "gone", "cannot be run: 2 mistakes"];
    refused(&folder, &["wrong.yaml"], &words);
    std::fs::write(folder.join("broken.yaml"), "mainSteps: [\n").expect("written");
    refused(&folder, &["broken.yaml", "--format", "json"], &["broken.yaml:"]);
}

#[test]
fn a_fleet_that_cannot_be_read_is_named_with_the_place() {
    let folder = folder("fleet");
    refused(&folder, &["ping.yaml", "--fleet", "absent.yaml"], &["absent.yaml"]);
    for (name, text, words) in [
        ("id.yaml", "nodes: [ { id: i-0123456789abcdef0 }, { id: server-7 } ]", ["nodes[1].id", "server-7"]),
        ("key.yaml", "groups:\n  - { name: web, cuont: 3 }\n", ["cuont", "line 2"]),
        (
            "share.yaml",
            "behaviours:\n  - failed: often\ngroups: [ { name: a, count: 1 } ]\n",
            ["often", "share"],
        ),
        ("none.yaml", "groups: []", ["none.yaml", "no nodes"]),
    ] {
        std::fs::write(folder.join(name), text).expect("written");
        refused(&folder, &["ping.yaml", "--fleet", name], &words);
    }
    refused(&folder, &["ping.yaml", "--nodes", "0"], &["--nodes"]);
    refused(&folder, &["ping.yaml", "--nodes", "5", "--fleet", "fleet.yaml"], &["--nodes", "--fleet"]);
}

#[test]
fn a_document_that_ssm_does_not_know_fails_its_step() {
    let folder = folder("document");
    std::fs::write(folder.join("other.yaml"), RUNBOOK.replace("AWS-RunShellScript", "Made-Up"))
        .expect("written");
    let output = simulate(&folder, &["other.yaml", "--fleet", "fleet.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let result = json(&output);
    assert_eq!(result["steps"][0]["status"], "Failed");
    assert!(result["failure"].as_str().expect("a reason").contains("InvalidDocument"), "{result}");
}

#[test]
fn an_execution_that_does_not_end_in_time_is_given_up() {
    let folder = folder("long");
    let output = simulate(&folder, &["ping.yaml", "--fleet", "fleet.yaml", "--limit", "5m"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(errors.contains("not ended after 5 m 00 s") && errors.contains("step rest"), "{errors}");
    refused(&folder, &["ping.yaml", "--limit", "later"], &["--limit", "36h"]);
}

#[test]
fn programs_are_told_how_an_execution_stands_that_did_not_end_in_time() {
    let folder = folder("long_json");
    let arguments = ["ping.yaml", "--fleet", "fleet.yaml", "--limit", "5m", "--format", "json"];
    let output = simulate(&folder, &arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let result = json(&output);
    assert_eq!(result["status"], "InProgress");
    let failure = result["failure"].as_str().expect("why");
    assert!(failure.starts_with("the execution had not ended after 5 m 00 s"), "{failure}");
    assert_eq!(result["steps"][2]["name"], "rest");
    assert_eq!(result["steps"][2]["status"], "InProgress");
    assert_eq!(result["fleet"][0]["success"], 5);
    let duration = result["duration_s"].as_f64().expect("a number");
    assert!((299.0..=301.0).contains(&duration), "{result}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("not ended after 5 m 00 s"), "{output:?}");
}
