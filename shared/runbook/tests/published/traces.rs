//! What outputs take from responses, beside what an independent interpreter took from the same ones.

use std::collections::BTreeMap;

use fleetwright_runbook::{ValueType, parse};
use serde::Deserialize;
use serde_json::Value;

use super::folder;

#[derive(Deserialize)]
struct Trace {
    document: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    steps: BTreeMap<String, Vec<Attempt>>,
    expect: Expect,
    #[serde(default)]
    flags: Vec<String>,
}

#[derive(Deserialize)]
struct Attempt {
    status: String,
    response: Option<Value>,
}

#[derive(Deserialize)]
struct Expect {
    #[serde(default)]
    steps: Vec<Executed>,
}

#[derive(Deserialize)]
struct Executed {
    name: String,
    status: String,
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
}

/// It takes `.length` for the length of a list, and its responses are made up without regard to types.
const UNLIKE: [&str; 2] = ["D7-scalar-from-deep-scan", "D12-output-type-check"];

#[test]
fn outputs_are_what_an_independent_interpreter_takes() {
    let (Some(traces), Some(runbooks)) = (folder("oracle/traces"), folder("runbooks")) else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(traces).expect("a readable folder") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a text file");
        let trace: Trace = serde_json::from_str(&text).expect("a trace");
        let path = runbooks.join(trace.document.replacen('/', "+", 1));
        let Ok(runbook) = parse(&std::fs::read_to_string(path).expect("its runbook")) else { continue };
        let cases =
            trace.cases.iter().filter(|case| !case.flags.iter().any(|flag| UNLIKE.contains(&flag.as_str())));
        for case in cases {
            for executed in case.expect.steps.iter().filter(|step| step.status == "Success") {
                let Some(step) = runbook.step(&executed.name) else { continue };
                let attempts = case.steps.get(&executed.name);
                let last = attempts
                    .and_then(|attempts| attempts.iter().rfind(|attempt| attempt.status == "Success"));
                let Some(response) = last.and_then(|attempt| attempt.response.as_ref()) else { continue };
                for output in &step.outputs {
                    let place = format!("{} {} {}.{}", trace.document, case.name, executed.name, output.name);
                    let taken = output.take(response).unwrap_or_else(|problem| panic!("{place}: {problem}"));
                    let key = format!("{}.{}", executed.name, output.name);
                    let theirs = executed.outputs.get(&key).or_else(|| executed.outputs.get(&output.name));
                    let is_list = matches!(output.value_type, ValueType::StringList | ValueType::MapList);
                    assert!(taken.is_some() || theirs.is_none_or(Value::is_null) || is_list, "{place}");
                    if let (Some(taken), Some(theirs)) = (&taken, theirs) {
                        assert_eq!(taken, theirs, "{place}");
                        compared += 1;
                    }
                }
            }
        }
    }
    println!("{compared} outputs are alike");
    assert!(compared > 0);
}
