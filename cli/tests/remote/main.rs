//! `start`, `watch`, `results`, `stop` and `signal` against an API that answers as Fleetwright's does.

mod controls;
mod results;
mod sample;
#[path = "../stub/mod.rs"]
mod stub;
mod watch;

use std::process::{Command, Output};
use stub::Stub;

pub(crate) fn fleetwright(stub: &Stub, arguments: &[&str]) -> Output {
    command(stub, arguments).output().expect("runs")
}

pub(crate) fn command(stub: &Stub, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command.args(arguments).env("FLEETWRIGHT_ENDPOINT", &stub.url).env_remove("HTTP_PROXY");
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Expects an exit status and these words on standard output, no line of which is too long or steers a terminal.
pub(crate) fn tells(output: &Output, status: i32, words: &[&str]) -> String {
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(status), "{page}{}", text(&output.stderr));
    for word in words {
        assert!(page.contains(word), "no `{word}` in {page}");
    }
    // A command that is to be copied is never broken.
    let mut lines = page.lines().filter(|line| !line.starts_with("    fleetwright "));
    assert!(lines.all(|line| line.chars().count() <= 100), "wider than 100 columns: {page}");
    assert_eq!(page.chars().find(|c| c.is_control() && *c != '\n'), None, "{page}");
    page
}
