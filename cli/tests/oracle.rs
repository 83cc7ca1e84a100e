//! What runbooks of others do, step by step, as an independent interpreter says: kept beside the workspace where there is
//! room for it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Flags of cases that have no answer, or whose rule is disputed.
const SKIPPED: [&str; 6] = ["D4", "D5", "D6", "D7", "D8", "D12"];
/// Cases that must agree, in a hundred.
const AGREEING_PERCENT: usize = 98;

/// One scenario of one document.
struct Case {
    document: PathBuf,
    name: String,
    mocks: Value,
    status: String,
    steps: Vec<(String, String)>,
}

#[test]
fn nearly_all_scenarios_of_published_runbooks_go_as_the_independent_interpreter_says() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if !shared.join("oracle/traces").is_dir() {
        println!("skipped: {} is not there", shared.join("oracle/traces").display());
        return;
    }
    let cases = cases(&shared);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let (next, wrong, cases) = (&next, &wrong, &cases);
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = compare(case, worker) {
                        wrong.lock().expect("a list").push(format!(
                            "{} {}: {why}",
                            case.document.display(),
                            case.name
                        ));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("a list");
    println!("{} of {} agree; not these:\n{}", cases.len() - wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 1_000, "only {} cases", cases.len());
    assert!((cases.len() - wrong.len()) * 100 >= cases.len() * AGREEING_PERCENT, "{} disagree", wrong.len());
}

/// All strict cases.
fn cases(shared: &Path) -> Vec<Case> {
    let folder = std::fs::read_dir(shared.join("oracle/traces")).expect("a folder");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().flat_map(|file| cases_of(shared, file)).collect()
}

fn cases_of(shared: &Path, file: &Path) -> Vec<Case> {
    let trace: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("a file")).expect("JSON");
    let parts: Vec<&str> = text(&trace["document"]).splitn(3, '/').collect();
    let document = shared.join("runbooks").join(format!("{}+{}", parts[0], parts[1])).join(parts[2]);
    let strict = |case: &&Value| {
        let flags = case["flags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let skipped = flags.iter().any(|flag| SKIPPED.iter().any(|skip| text(flag).starts_with(skip)));
        !skipped && case["expect"]["status"] != "SimulatorException"
    };
    let cases = trace["cases"].as_array().expect("cases").iter().filter(strict);
    cases
        .map(|case| {
            let documented = |member: &str| {
                let member_of = |expected: &Value| expected[member].clone();
                if case["documented"][member].is_null() {
                    member_of(&case["expect"])
                } else {
                    member_of(&case["documented"])
                }
            };
            Case {
                document: document.clone(),
                name: text(&case["name"]).to_owned(),
                mocks: json!({ "parameters": case["parameters"], "steps": case["steps"] }),
                status: text(&documented("status")).to_owned(),
                steps: steps(&documented("steps")),
            }
        })
        .collect()
}

/// Names and statuses; how a step failed the interpreter does not tell apart.
fn steps(list: &Value) -> Vec<(String, String)> {
    let ran = list.as_array().map(Vec::as_slice).unwrap_or_default().iter();
    ran.filter(|step| step["status"] != "NotStarted")
        .map(|step| (text(&step["name"]).to_owned(), text(&step["status"]).replace("TimedOut", "Failed")))
        .collect()
}

fn compare(case: &Case, worker: usize) -> Result<(), String> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle-mocks-{worker}.json"));
    std::fs::write(&file, case.mocks.to_string()).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_fleetwright"))
        .arg("simulate")
        .arg(&case.document)
        .arg("--mocks")
        .arg(&file)
        .args(["--format", "json"])
        .output()
        .expect("it runs");
    let got: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let (status, ran) = (text(&got["status"]), steps(&got["steps"]));
    if ran == case.steps && case.status.split('|').any(|wanted| wanted == status) {
        Ok(())
    } else {
        Err(format!("{status} {ran:?}, wanted {} {:?}", case.status, case.steps))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
