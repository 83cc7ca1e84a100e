//! Random runbooks over a fleet: commands, retries, branches, waits and loops.

use crate::dice::Dice;
use serde_json::{Value, json};

/// A runbook of one to six steps, as JSON.
pub(super) fn drawn(steps_max: u64, dice: &mut Dice) -> String {
    let count = dice.weighted(&[(46, 1), (30, 2), (14, 3), (5, 4), (3, 5), (2, 6)]).min(steps_max);
    let names: Vec<String> = (1..=count).map(|at| format!("s{at}")).collect();
    let mut steps = Vec::new();
    let mut commands: Vec<String> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let later = &names[at + 1..];
        let mut step = action(name, &commands, later, dice);
        step["name"] = json!(name);
        if step["action"] == "aws:runCommand" {
            commands.push(name.clone());
        }
        flow(&mut step, later, dice);
        steps.push(step);
    }
    clean_up(&mut steps, dice);
    json!({
        "schemaVersion": "0.3",
        "parameters": { "Nodes": { "type": "StringList", "default": [] } },
        "mainSteps": steps,
    })
    .to_string()
}

/// Two steps over the fleet; the first is tried twice if it fails.
pub(super) fn canonical(fails: bool) -> String {
    let step = |name: &str| {
        json!({ "name": name, "action": "aws:runCommand", "maxAttempts": if fails { 2 } else { 1 },
            "inputs": { "DocumentName": "AWS-RunShellScript", "InstanceIds": "{{ Nodes }}",
                "Parameters": { "commands": ["uptime"] } } })
    };
    json!({
        "schemaVersion": "0.3",
        "parameters": { "Nodes": { "type": "StringList" } },
        "mainSteps": [step("first"), step("second")],
    })
    .to_string()
}

/// One step, without its name and where it leads.
fn action(name: &str, commands: &[String], later: &[String], dice: &mut Dice) -> Value {
    let earlier = commands.last();
    match (dice.between(0, 99), earlier, later.first()) {
        (0..=9, Some(earlier), Some(next)) => branch(earlier, next, later, dice),
        (10..=17, _, _) => json!({ "action": "aws:sleep", "inputs": { "Duration": sleep(dice) } }),
        (18..=23, _, _) => {
            let seconds = dice.between(60, 900);
            json!({ "action": "aws:approve", "timeoutSeconds": seconds,
                "inputs": { "Approvers": ["arn:aws:iam::123456789012:user/local"] } })
        }
        (24..=27, _, _) => {
            json!({ "action": "aws:pause", "timeoutSeconds": dice.between(60, 900), "inputs": {} })
        }
        (28..=35, _, _) => looping(name, dice),
        (36..=50, Some(earlier), _) => {
            command(&json!(format!("{{{{ {earlier}.FailedInstanceIds }}}}")), dice)
        }
        _ => command(&json!("{{ Nodes }}"), dice),
    }
}

fn sleep(dice: &mut Dice) -> String {
    format!("PT{}S", dice.mostly_small(1, 240))
}

/// A command to these nodes, or to those with a tag.
fn command(nodes: &Value, dice: &mut Dice) -> Value {
    let mut inputs = json!({
        "DocumentName": "AWS-RunShellScript",
        "Parameters": { "commands": ["uptime"], "executionTimeout": [dice.between(30, 240).to_string()] },
        "TimeoutSeconds": dice.between(30, 200),
        "MaxErrors": dice.of(&["0", "0", "1", "10%", "50%", "100%", "100%"]),
    });
    if dice.hits(0.14) {
        inputs["Targets"] = json!([{ "Key": "tag:Role", "Values": [dice.of(&["web", "db"])] }]);
    } else {
        inputs["InstanceIds"] = nodes.clone();
    }
    if dice.hits(0.4) {
        inputs["MaxConcurrency"] = json!(dice.of(&["1", "3", "10", "50", "50%", "100", "100%"]));
    }
    let mut step = json!({ "action": "aws:runCommand", "inputs": inputs });
    if dice.hits(0.2) {
        step["maxAttempts"] = json!(dice.between(2, 3));
    }
    if dice.hits(0.2) {
        step["timeoutSeconds"] = json!(dice.between(20, 400));
    }
    step
}

fn branch(earlier: &str, next: &str, later: &[String], dice: &mut Dice) -> Value {
    let operator = *dice.of(&["NumericGreaterOrEquals", "NumericLesser"]);
    let mut choice = json!({ "NextStep": dice.of(later),
        "Variable": format!("{{{{ {earlier}.SuccessPercentage }}}}") });
    choice[operator] = json!(dice.of(&[1, 50, 100]));
    json!({ "action": "aws:branch", "inputs": { "Choices": [choice], "Default": next } })
}

/// A command in a loop of two or three rounds.
fn looping(name: &str, dice: &mut Dice) -> Value {
    let mut inner = command(&json!("{{ Nodes }}"), dice);
    inner["name"] = json!(format!("{name}_round"));
    inner["onFailure"] = json!(dice.of(&["Continue", "Abort"]));
    let rounds: Vec<_> = (1..=dice.between(2, 3)).map(|round| round.to_string()).collect();
    json!({ "action": "aws:loop", "inputs": { "Iterators": rounds, "IteratorDataType": "String",
        "Steps": [inner] } })
}

/// Where a step leads when it ends.
fn flow(step: &mut Value, later: &[String], dice: &mut Dice) {
    if step["action"] == "aws:branch" {
        return;
    }
    match dice.between(0, 9) {
        0..=4 => step["onFailure"] = json!("Continue"),
        5 if !later.is_empty() => step["onFailure"] = json!(format!("step:{}", dice.of(later))),
        _ => {}
    }
    if dice.hits(0.3) {
        step["isCritical"] = json!(false);
    }
    if !later.is_empty() && dice.hits(0.12) {
        step["nextStep"] = json!(dice.of(later));
    } else if dice.hits(0.05) {
        step["isEnd"] = json!(true);
    }
}

/// Sometimes a stop leads to a last step that cleans up.
fn clean_up(steps: &mut Vec<Value>, dice: &mut Dice) {
    if !dice.hits(0.25) {
        return;
    }
    if let Some(last) = steps.last_mut() {
        last["isEnd"] = json!(true);
    }
    for step in
        steps.iter_mut().filter(|step| step["action"] == "aws:runCommand" || step["action"] == "aws:sleep")
    {
        step["onCancel"] = json!("step:cleanup");
    }
    let mut step = command(&json!("{{ Nodes }}"), dice);
    step["name"] = json!("cleanup");
    step["isEnd"] = json!(true);
    steps.push(step);
}
