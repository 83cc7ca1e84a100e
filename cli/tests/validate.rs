//! `fleetwright validate`, as programs and people call it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GOOD: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: ping
    action: aws:runCommand
    inputs: { DocumentName: AWS-RunShellScript, InstanceIds: [i-0123456789abcdef0], Parameters: { commands: [uptime] } }
  - name: rest
    action: aws:sleep
    inputs: { Duration: PT10M }
  - name: restAgain
    action: aws:sleep
    inputs: { Duration: PT10M }
"#;

/// Nothing is wrong with it, and one of its actions is none of ours.
const ELSEWHERE: &str = r#"{ "schemaVersion": "0.3", "mainSteps": [
  { "name": "ask", "action": "aws:executeAwsApi", "inputs": { "Service": "ec2", "Api": "DescribeInstances" } }
] }"#;

const WRONG: &str = "schemaVersion: '0.3'
description: ünïcode counts as characters
mainSteps:
  - name: a
    action: aws:sleep
    action: aws:sleep
    inputs: { Duration: PT1S }
    nextStep: nowhere
";

/// An empty folder of this test's own.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate").join(test);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("emptied");
    }
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("written");
}

fn validate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command.arg("validate").args(arguments).current_dir(folder).output().expect("runs")
}

/// The page people see, and the exit status.
fn page(folder: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = validate(folder, arguments);
    assert!(output.stderr.is_empty(), "{output:?}");
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code())
}

/// The entries programs see, and the exit status.
fn entries(folder: &Path, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = validate(folder, &[arguments, &["--format", "json"]].concat());
    assert!(output.stderr.is_empty(), "{output:?}");
    let entries =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (entries, output.status.code())
}

/// The codes of an entry's diagnostics.
fn codes(entry: &Value) -> Vec<&str> {
    let diagnostics = entry["diagnostics"].as_array().expect("diagnostics");
    diagnostics.iter().map(|diagnostic| diagnostic["code"].as_str().expect("a code")).collect()
}

#[test]
fn a_good_runbook_is_one_line_and_a_sum() {
    let folder = folder("good");
    write(&folder, "good.yaml", GOOD);
    let expected =
        "ok  good.yaml  (3 steps: aws:runCommand, aws:sleep)\n1 file: 1 valid (1 runnable), 0 invalid\n";
    assert_eq!(page(&folder, &["good.yaml"]), (expected.to_owned(), Some(0)));
}

#[test]
fn a_good_runbook_that_cannot_be_run_here_is_valid_and_says_so() {
    let folder = folder("elsewhere");
    write(&folder, "elsewhere.json", ELSEWHERE);
    let (page, status) = page(&folder, &["elsewhere.json"]);
    assert_eq!(status, Some(0), "{page}");
    for words in [
        "warning[unsupported-action]",
        "elsewhere.json:2:",
        "cannot be run here yet: aws:executeAwsApi",
        "1 file: 1 valid (0 runnable), 0 invalid",
    ] {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
}

#[test]
fn each_mistake_stands_under_its_line_with_its_place_and_how_to_mend_it() {
    let folder = folder("wrong");
    write(&folder, "wrong.yaml", WRONG);
    let (page, status) = page(&folder, &["wrong.yaml"]);
    assert_eq!(status, Some(1), "{page}");
    let duplicate = "\
error[duplicate-key]: the key \"action\" stands at 5:5 already
 --> wrong.yaml:6:5
  |
6 |     action: aws:sleep
  |     ^
  |
  = help: a mapping has each key once: rename or remove one of them
";
    let unknown = "\
error[unknown-step]: nextStep: there is no step \"nowhere\"
 --> wrong.yaml:8:15
  |
8 |     nextStep: nowhere
  |               ^
";
    for words in
        [duplicate, unknown, "invalid  wrong.yaml  (2 errors)\n", "1 file: 0 valid (0 runnable), 1 invalid"]
    {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
    let control = page.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "{page}");
}

#[test]
fn a_document_on_one_line_is_shown_around_the_mistake() {
    let folder = folder("one_line");
    let step = |n: usize, next: &str| {
        format!(r#"{{"name":"s{n}","action":"aws:sleep","inputs":{{"Duration":"PT1S"}}{next}}}"#)
    };
    let steps = (0..700).map(|n| step(n, if n == 400 { r#","nextStep":"nowhere""# } else { "" }));
    let steps: Vec<String> = steps.collect();
    write(&folder, "long.json", format!(r#"{{"schemaVersion":"0.3","mainSteps":[{}]}}"#, steps.join(",")));
    let (page, status) = page(&folder, &["long.json"]);
    assert_eq!(status, Some(1), "{page}");
    let shown = page.lines().position(|line| line.contains(r#""nextStep":"nowhere""#)).expect("the place");
    let lines: Vec<&str> = page.lines().collect();
    let caret = lines[shown + 1].find('^').expect("a caret");
    assert!(lines[shown][caret..].starts_with(r#""nowhere""#), "{page}");
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "wider than 100 columns: {page}");
}

#[test]
fn of_very_many_mistakes_the_first_are_shown_and_all_are_counted() {
    let folder = folder("many");
    let steps = vec![r#"{"x":1}"#; 5000].join(",");
    write(&folder, "many.json", format!(r#"{{"schemaVersion":"0.3","mainSteps":[{steps}]}}"#));
    let (page, status) = page(&folder, &["many.json"]);
    assert_eq!(status, Some(1));
    let (entries, _) = entries(&folder, &["many.json"]);
    let all = codes(&entries[0]).len();
    assert!(all >= 5000, "{all}");
    assert_eq!(page.matches("error[").count(), 100, "{page}");
    assert!(page.contains("… and ") && page.contains(" errors)"), "{page}");
    assert!(page.len() < 100_000, "{} bytes", page.len());
}

#[test]
fn what_a_file_holds_steers_no_terminal() {
    let folder = folder("escapes");
    write(&folder, "escapes.yaml", "schemaVersion: \"0.3\"\nmainSteps: \"a\u{9b}31m\u{202e}b\"\n");
    let (page, status) = page(&folder, &["escapes.yaml"]);
    assert_eq!(status, Some(1), "{page}");
    assert!(!page.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{page:?}");
}

#[test]
fn every_unusable_file_is_told_of_and_the_others_are_checked_all_the_same() {
    let folder = folder("unusable");
    write(&folder, "good.yaml", GOOD);
    write(&folder, "empty.yaml", "");
    write(&folder, "blank.yaml", "\n\n# nothing\n");
    write(&folder, "binary.yaml", [0x7f, b'E', b'L', b'F', 0xff, 0x00, 0x80]);
    write(&folder, "utf-16.yaml", [0xff, 0xfe, b'a', 0x00]);
    write(&folder, "large.yaml", format!("schemaVersion: '0.3'\n# {}\n", "x".repeat(70 * 1024)));
    write(&folder, "nothing/notes.txt", "no runbook");
    write(&folder, "nothing/.hidden/good.yaml", GOOD);
    let files = [
        ("missing.yaml", &["unreadable"][..]),
        ("binary.yaml", &["unreadable"]),
        ("utf-16.yaml", &["unreadable"]),
        ("nothing", &["unreadable"]),
        ("empty.yaml", &["not-a-mapping"]),
        ("blank.yaml", &["not-a-mapping"]),
        ("large.yaml", &["too-large"]),
        ("good.yaml", &[]),
    ];
    let names = files.map(|(name, _)| name);
    let (entries, status) = entries(&folder, &names);
    assert_eq!(status, Some(1));
    assert_eq!(entries.len(), files.len());
    for ((name, expected), entry) in files.iter().zip(&entries) {
        assert_eq!((&entry["file"], codes(entry)), (&Value::from(*name), expected.to_vec()), "{entry}");
        assert_eq!(entry["valid"], expected.is_empty(), "{entry}");
        let place = &entry["diagnostics"][0];
        assert!(expected.is_empty() || (place["line"] == 1 && place["column"] == 1), "{entry}");
    }
    let (page, status) = page(&folder, &names);
    assert_eq!(status, Some(1));
    for words in [
        "error[unreadable]: it is UTF-16",
        "no runbook in nothing",
        "--> missing.yaml",
        "unreadable  binary.yaml",
        "ok  good.yaml",
        "8 files: 1 valid (1 runnable), 3 invalid, 4 unreadable",
    ] {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
}

#[test]
fn for_programs_there_is_an_entry_for_each_file_and_nothing_else() {
    let folder = folder("json");
    write(&folder, "good.yaml", GOOD);
    write(&folder, "elsewhere.json", ELSEWHERE);
    write(&folder, "wrong.yaml", WRONG);
    let (entries, status) = entries(&folder, &["good.yaml", "elsewhere.json", "wrong.yaml"]);
    assert_eq!(status, Some(1));
    let good = json!({ "file": "good.yaml", "valid": true, "runnable": true, "steps": 3,
        "actions": ["aws:runCommand", "aws:sleep"], "unsupported": [], "diagnostics": [] });
    assert_eq!(entries[0], good);
    assert_eq!((&entries[1]["valid"], &entries[1]["runnable"]), (&Value::from(true), &Value::from(false)));
    assert_eq!(entries[1]["unsupported"], json!(["aws:executeAwsApi"]));
    assert_eq!(entries[1]["diagnostics"][0]["severity"], "warning");
    let diagnostics = entries[2]["diagnostics"].as_array().expect("diagnostics");
    let unknown = diagnostics.iter().find(|diagnostic| diagnostic["code"] == "unknown-step").expect("found");
    assert_eq!(
        (&unknown["severity"], &unknown["line"], &unknown["column"]),
        (&json!("error"), &json!(8), &json!(15))
    );
    assert_eq!(unknown["message"], "nextStep: there is no step \"nowhere\"");
    let duplicate = diagnostics.iter().find(|diagnostic| diagnostic["code"] == "duplicate-key");
    assert!(duplicate.is_some_and(|duplicate| duplicate["hint"].is_string()), "{diagnostics:?}");
}

#[test]
fn of_a_folder_all_runbooks_are_checked_by_name_and_each_once() {
    let folder = folder("tree");
    for name in
        ["b.yml", "a/z.JSON", "a/y.yaml", "c.yaml", ".git/hidden.yaml", "a/.hidden.yaml", "a/notes.md"]
    {
        write(&folder, name, if name.ends_with("JSON") { ELSEWHERE } else { GOOD });
    }
    write(&folder, "a/runbook.txt", GOOD);
    let files = |arguments: &[&str]| -> Vec<String> {
        let (entries, status) = entries(&folder, arguments);
        assert_eq!(status, Some(0), "{entries:?}");
        entries.iter().map(|entry| entry["file"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(files(&["."]), ["./a/y.yaml", "./a/z.JSON", "./b.yml", "./c.yaml"]);
    assert_eq!(files(&["c.yaml", "a", "./c.yaml", "a/y.yaml"]), ["c.yaml", "a/y.yaml", "a/z.JSON"]);
    assert_eq!(files(&["a/runbook.txt", ".git/hidden.yaml"]), ["a/runbook.txt", ".git/hidden.yaml"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_files_and_not_to_folders() {
    use std::os::unix::fs::symlink;
    let folder = folder("links");
    write(&folder, "runbooks/good.yaml", GOOD);
    write(&folder, "elsewhere/other.yaml", GOOD);
    symlink("..", folder.join("runbooks/back")).expect("a link");
    symlink("../elsewhere/other.yaml", folder.join("runbooks/link.yaml")).expect("a link");
    symlink("gone.yaml", folder.join("runbooks/lost.yaml")).expect("a link");
    let (entries, status) = entries(&folder, &["runbooks"]);
    assert_eq!(status, Some(1), "{entries:?}");
    let shapes: Vec<_> = entries.iter().map(|entry| (entry["file"].as_str(), codes(entry))).collect();
    let expected = [
        (Some("runbooks/good.yaml"), vec![]),
        (Some("runbooks/link.yaml"), vec![]),
        (Some("runbooks/lost.yaml"), vec!["unreadable"]),
    ];
    assert_eq!(shapes, expected);
}

#[test]
fn a_command_line_that_means_nothing_is_refused() {
    let folder = folder("usage");
    for arguments in [&[][..], &["--format", "xml", "a.yaml"], &["--strict", "a.yaml"]] {
        let output = validate(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[cfg(unix)]
#[test]
fn who_reads_no_further_is_not_bothered() {
    let folder = folder("closed");
    write(&folder, "wrong.yaml", WRONG);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.args(["validate", "wrong.yaml"]).current_dir(&folder).stdout(writer).output();
    let output = output.expect("runs");
    assert!(output.status.code().is_some() && output.stderr.is_empty(), "{output:?}");
}

/// Documents that others published, where they stand beside this repository.
#[test]
fn published_documents_are_all_checked() {
    let runbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/runbooks");
    if !runbooks.is_dir() {
        println!("skipped: no folder {}", runbooks.display());
        return;
    }
    let folder = folder("published");
    let (entries, _) = entries(&folder, &[runbooks.to_str().expect("UTF-8")]);
    assert_eq!(entries.len(), 281);
    assert!(entries.iter().filter(|entry| entry["valid"] == true).count() > 250);
    assert!(entries.iter().all(|entry| !codes(entry).contains(&"unreadable")));
}
