//! `fleetwright simulate --mocks`: what a runbook's author tests with.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Describes an instance, patches it in up to three attempts, asks people, and tells them if all that came to nothing.
const RUNBOOK: &str = r#"
schemaVersion: "0.3"
parameters:
  InstanceId: { type: String }
  Stages: { type: StringList, default: [canary, rest] }
mainSteps:
  - name: describe
    action: aws:executeAwsApi
    inputs: { Service: ec2, Api: DescribeInstances, InstanceIds: ["{{ InstanceId }}"] }
    outputs:
      - { Name: state, Selector: "$.Reservations[0].Instances[0].State.Name", Type: String }
      - { Name: volumes, Selector: "$..VolumeId", Type: StringList }
  - name: isRunning
    action: aws:branch
    inputs:
      Choices: [ { NextStep: stages, Variable: "{{ describe.state }}", StringEquals: running } ]
    isEnd: true
  - name: stages
    action: aws:loop
    inputs:
      Iterators: "{{ Stages }}"
      Steps:
        - name: patch
          action: aws:runCommand
          maxAttempts: 3
          onFailure: Abort
          inputs:
            DocumentName: AWS-RunPatchBaseline
            InstanceIds: ["{{ InstanceId }}"]
            Comment: "{{ stages.CurrentIteratorValue }}"
            Parameters: { Operation: Install }
    onFailure: step:tell
  - name: confirm
    action: aws:approve
    inputs: { Approvers: [alice] }
    isEnd: true
  - name: tell
    action: aws:executeScript
    inputs: { Runtime: python3.11, Handler: tell, Script: "def tell(event, context): pass" }
outputs: [ describe.volumes, patch.Status ]
"#;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mocks").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("patch.yaml"), RUNBOOK).expect("written");
    folder
}

fn simulate(folder: &Path, mocks: &str, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("mocks.yaml"), mocks).expect("written");
    Command::new(env!("CARGO_BIN_EXE_fleetwright"))
        .current_dir(folder)
        .args(["simulate", "patch.yaml", "--mocks", "mocks.yaml", "--format", "json"])
        .args(arguments)
        .output()
        .expect("it runs")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

/// Name, status and attempts of each step, in the order they ran.
fn steps(result: &Value) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let step = |step: &Value| {
        (text(&step["name"]), text(&step["status"]), step["attempts"].as_u64().expect("a number"))
    };
    result["steps"].as_array().expect("steps").iter().map(step).collect()
}

fn ran(expected: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    expected.iter().map(|(name, status, tries)| ((*name).to_owned(), (*status).to_owned(), *tries)).collect()
}

const RUNNING: &str = r#"
parameters: { InstanceId: i-0123456789abcdef0 }
steps:
  describe:
    - status: Success
      response:
        Reservations:
          - Instances:
              - State: { Name: running }
                Volumes: [ { VolumeId: vol-1 }, { VolumeId: vol-2 } ]
"#;

#[test]
fn selectors_apply_to_the_response_and_each_attempt_has_its_answer() {
    let mocks = format!(
        "{RUNNING}  patch: [ {{ status: Failed }}, {{ status: Success }}, {{ status: TimedOut }}, {{ status: Success }} ]\n"
    );
    let output = simulate(&folder("attempts"), &mocks, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json(&output);
    assert_eq!(result["status"], "Success");
    let expected = [
        ("describe", "Success", 1),
        ("isRunning", "Success", 1),
        ("stages", "Success", 1),
        ("patch", "Success", 2),
        ("patch", "Success", 2),
        ("confirm", "Success", 1),
    ];
    assert_eq!(steps(&result), ran(&expected));
    assert_eq!(result["outputs"]["describe.volumes"], json!(["vol-1", "vol-2"]));
    assert_eq!(result["outputs"]["patch.Status"], json!(["Success"]));
    assert!(result["api_calls"].get("ssm.SendCommand").is_none(), "nothing was sent: {result}");
}

#[test]
fn a_step_that_fails_in_all_attempts_fails_as_its_runbook_says() {
    let output = simulate(&folder("failure"), &format!("{RUNNING}  patch: [ {{ status: Failed }} ]\n"), &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let result = json(&output);
    assert_eq!(result["status"], "Failed");
    let patch = steps(&result).into_iter().find(|(name, ..)| name == "patch").expect("it ran");
    assert_eq!(patch, ("patch".to_owned(), "Failed".to_owned(), 3));
}

#[test]
fn steps_that_nobody_describes_succeed_with_outputs_of_the_declared_types() {
    let output = simulate(&folder("undescribed"), "{}", &["--param", "InstanceId=i-0123456789abcdef0"]);
    let result = json(&output);
    assert_eq!(steps(&result), ran(&[("describe", "Success", 1), ("isRunning", "Success", 1)]));
    assert_eq!(result["outputs"]["describe.volumes"], json!([]));
}

#[test]
fn parameters_of_the_command_line_come_before_those_of_the_mocks() {
    let mocks = RUNNING.replace("parameters: {", "parameters: { Stages: [one, two, three],");
    let count = |output: &Output| steps(&json(output)).iter().filter(|(name, ..)| name == "patch").count();
    assert_eq!(count(&simulate(&folder("parameters"), &mocks, &[])), 3);
    assert_eq!(count(&simulate(&folder("parameters"), &mocks, &["--param", "Stages=only"])), 1);
}

#[test]
fn what_a_fleet_answers_for_is_sent_to_it() {
    let folder = folder("fleet");
    std::fs::write(folder.join("fleet.yaml"), "nodes: [ { id: i-0123456789abcdef0 } ]\n").expect("written");
    let result = json(&simulate(&folder, RUNNING, &["--fleet", "fleet.yaml"]));
    assert_eq!(result["status"], "Success", "{result}");
    assert_eq!(result["api_calls"]["ssm.SendCommand"], 2, "one for each stage");
    let mocked = format!("{RUNNING}  patch: [ {{ status: Success }} ]\n");
    let result = json(&simulate(&folder, &mocked, &["--fleet", "fleet.yaml"]));
    assert!(result["api_calls"].get("ssm.SendCommand").is_none(), "described steps are not sent: {result}");
}

#[test]
fn mocks_that_cannot_be_used_are_named_with_the_reason() {
    let folder = folder("unusable");
    for (mocks, words) in [
        ("steps: { gone: [ { status: Success } ] }", ["mocks.yaml", "gone"]),
        ("steps: { isRunning: [ { status: Success } ] }", ["isRunning", "aws:branch"]),
        ("steps: { describe: [] }", ["describe", "one for each attempt"]),
        ("steps: { describe: [ { status: Maybe } ] }", ["mocks.yaml", "Maybe"]),
        ("steps: { patch: [ { outputs: { Statsu: x } } ] }", ["patch has no output Statsu", "Status"]),
        ("stesp: {}", ["mocks.yaml", "stesp"]),
        ("parameters: { Nobody: x }", ["parameter Nobody", "no such parameter"]),
        ("steps: [", ["mocks.yaml", "line"]),
    ] {
        let output = simulate(&folder, mocks, &[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{mocks}: {output:?}");
        assert!(words.iter().all(|word| errors.contains(word)), "{mocks}: {errors}");
        assert!(output.stdout.is_empty(), "{mocks}");
    }
}
