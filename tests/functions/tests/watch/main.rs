//! The real programs under `cargo lambda watch`: a patch night with them comes to what it comes to with the functions in
//! the embedded AWS, node by node.

mod client;
mod clock;
mod night;
mod programs;

use night::Night;
use programs::{Local, Watch, free_port};
use serde_json::Value;
use std::time::Duration;

/// A patch night takes less than a minute, and as long to compile nothing; the rest is for machines that are busy.
const NIGHT_MAX: Duration = Duration::from_mins(4);
/// Reconcile is scheduled every minute.
const TICK_MAX: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs cargo lambda, programs that are built, and a minute of real time: cargo xtask functions"]
fn a_patch_night_with_the_real_programs_comes_to_what_it_comes_to_inside() {
    let inside = {
        let local = Local::start(&["--speed", "60"]);
        Night::run(&local.client(), NIGHT_MAX)
    };
    assert_eq!(inside.nodes(), 120, "all of the fleet takes part");

    let port = free_port();
    let local = Local::start(&["--functions", &format!("http://127.0.0.1:{port}")]);
    let watch = Watch::start(port, local.aws());
    let client = local.client();
    let outside = Night::run(&client, NIGHT_MAX);
    let differences = inside.differences(&outside);
    assert!(differences.is_empty(), "inside and outside:\n{}", differences.join("\n"));

    let reconciled = |health: &Value| health["LastReconcileHandledAt"].is_string();
    client.wait_for("/health", TICK_MAX, reconciled);
    for function in ["on-command-event", "reconcile", "api-read", "api-control"] {
        assert!(watch.has_started(function), "{function} has not run");
    }
    for queue in ["facts-dead", "prompt-dead"] {
        assert_eq!(local.messages_in(queue), 0, "put aside in {queue}");
    }
}

#[test]
#[ignore = "needs fleetwright, built: cargo xtask functions"]
fn what_functions_are_given_to_read_is_what_a_deployment_has() {
    let local = Local::start(&[]);
    let file = include_str!("../../../../infra/local/functions.env");
    for function in ["on-command-event", "reconcile", "api-read", "api-control"] {
        for (name, value) in local.environment_of(function) {
            assert!(file.lines().any(|line| line == format!("{name}={value}")), "{function}: {name}={value}");
        }
    }
}
