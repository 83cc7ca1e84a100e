//! `fleetwright local` as a process.
#![cfg(unix)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

fn local(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command.args(["local", "--api-port", "0"]).args(arguments);
    command
}

fn start(arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut child = local(arguments).stdout(Stdio::piped()).spawn().expect("it starts");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    (child, output)
}

/// Sends a signal to a process; its exit status.
fn end(mut child: Child, signal: &str) -> Option<i32> {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(kill.success());
    child.wait().expect("it ends").code()
}

#[test]
fn it_prints_one_line_and_ends_well_when_it_is_told_to() {
    for signal in ["-TERM", "-INT"] {
        let (child, mut output) = start(&["--aws-port", "0", "--format", "json"]);
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let urls: Value = serde_json::from_str(&line).expect("JSON");
        for port in ["aws", "api"] {
            let url = urls[port].as_str().unwrap_or_default();
            let address = url.strip_prefix("http://").unwrap_or_default();
            assert!(std::net::TcpStream::connect(address).is_ok(), "{line}");
        }
        assert_eq!(urls.as_object().map(serde_json::Map::len), Some(2), "{line}");
        assert_eq!(end(child, signal), Some(0), "{signal}");
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "", "nothing else stands on standard output");
    }
}

#[test]
fn people_are_told_where_it_listens_and_what_to_try() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/patch-fleet.yaml");
    let folder = folder("documents");
    std::fs::copy(examples, folder.join("patch-fleet.yaml")).expect("copied");
    let fleet = "groups:\n  - { name: a, count: 3 }\n";
    std::fs::write(folder.join("fleet.yaml"), fleet).expect("a fleet file is passed over");
    let documents = folder.display().to_string();
    let functions = "http://127.0.0.1:9000";
    let options = ["--aws-port", "0", "--nodes", "12", "--documents", &documents, "--functions", functions];
    let (child, mut output) = start(&options);
    let mut page = String::new();
    while !page.contains("Ctrl-C") {
        assert!(output.read_line(&mut page).expect("a line") > 0, "{page}");
    }
    let words = [
        "12 simulated nodes",
        "--endpoint-url http://127.0.0.1:",
        "fleetwright start patch-fleet",
        "http://127.0.0.1:9000, with AWS_ENDPOINT_URL=http://127.0.0.1:",
    ];
    for words in words {
        assert!(page.contains(words), "no `{words}` in {page}");
    }
    assert_eq!(end(child, "-TERM"), Some(0));
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn what_cannot_be_used_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let refused = |arguments: &[&str], words: &str| {
        let output = local(arguments).output().expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()), "{error}");
        assert!(error.contains(words), "no `{words}` in {error}");
    };
    refused(&["--aws-port", &port], &format!("port {port} cannot be listened on"));
    let folder = folder("no-documents");
    let documents = folder.display().to_string();
    for (text, reason) in [
        ("name: fleet\n", "it has no schemaVersion"),
        ("a: [\n", "is no document"),
        ("schemaVersion: '9'\n", "nobody knows schemaVersion 9"),
        ("schemaVersion: '0.3'\n", "cannot be run"),
        ("schemaVersion: '2.2'\n", "has no steps"),
    ] {
        std::fs::write(folder.join("bad.yaml"), text).expect("written");
        refused(&["--aws-port", "0", "--documents", &documents], reason);
        refused(&["--aws-port", "0", "--documents", &documents], "bad.yaml");
    }
    refused(&["--aws-port", "0", "--data", &documents], &documents);
    refused(&["--aws-port", "0", "--functions", "127.0.0.1:9000"], "it is no URL like http://127.0.0.1:9000");
    refused(&["--aws-port", "0", "--functions", "http://127.0.0.1:9000", "--speed", "60"], "--speed");
    let data = folder.join("table.db").display().to_string();
    let (first, mut output) = start(&["--format", "json", "--aws-port", "0", "--data", &data]);
    output.read_line(&mut String::new()).expect("it is ready");
    refused(&["--aws-port", "0", "--data", &data], "another process uses it");
    refused(&["--aws-port", "0", "--data", &data, "--speed", "60"], "--speed");
    assert_eq!(end(first, "-TERM"), Some(0));
    std::fs::remove_dir_all(folder).expect("removed");
}

/// An empty folder of this process's own.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
