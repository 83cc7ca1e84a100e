//! What is counted, what alarms, and what the dashboard shows.

use fleetwright_template::{FUNCTIONS, Stack, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use walkdir::WalkDir;

const NAMESPACE: &str = "Fleetwright/fleetwright";
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The metrics that are counted in the logs.
fn counted(stack: &Stack) -> BTreeSet<String> {
    let filters = stack.of_kind("AWS::Logs::MetricFilter");
    let transformations = filters.map(|filter| filter.properties["MetricTransformations"][0].clone());
    transformations
        .map(|metric| {
            assert_eq!(metric["MetricNamespace"], NAMESPACE);
            text(&metric["MetricName"]).to_owned()
        })
        .collect()
}

/// The sources of what is deployed.
fn sources() -> String {
    let folders = ["shared/orchestrator/src", "functions"].map(|folder| Path::new(REPOSITORY).join(folder));
    let files = folders.iter().flat_map(|folder| WalkDir::new(folder).sort_by_file_name());
    let files = files.map(|file| file.expect("a file").into_path());
    let rust = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|file| fs::read_to_string(file).expect("text")).collect()
}

/// What stands in quotes behind some text.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split('"').nth(1)
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn what_is_counted_in_the_logs_is_what_the_code_logs() {
    let (stack, sources) = (Stack::deployed(&[]), sources());
    let mut counted = BTreeSet::new();
    for filter in stack.of_kind("AWS::Logs::MetricFilter") {
        let pattern = text(&filter.properties["FilterPattern"]);
        let message = quoted(pattern, "$.fields.message =").expect("a message");
        assert!(sources.contains(&format!("\"{message}\")")), "nobody logs {message:?}");
        let value = text(&filter.properties["MetricTransformations"][0]["MetricValue"]);
        if let Some(field) = value.strip_prefix("$.fields.") {
            assert!(sources.contains(&format!("{field} = ")), "nobody logs {field}");
        }
        counted.insert((message.to_owned(), text(&filter.properties["LogGroupName"]).to_owned()));
    }
    // Whoever leads executions on may find these; who only reads does not.
    for message in ["parked", "duplicate command detected", "refused"] {
        for function in ["on-command-event", "reconcile", "api-control"] {
            let log = format!("/aws/lambda/fleetwright-{function}");
            assert!(counted.contains(&(message.to_owned(), log)), "{message:?} of {function} is not counted");
        }
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn an_alarm_reads_what_is_counted_and_tells_people() {
    let stack = Stack::deployed(&[("NotificationEmail", "on-call@example.com")]);
    let counted = counted(&stack);
    let people = stack.environment("Reconcile")["FLEETWRIGHT_PEOPLE_TOPIC_ARN"].clone();
    let mut alarmed = BTreeSet::new();
    for alarm in stack.of_kind("AWS::CloudWatch::Alarm") {
        let properties = &alarm.properties;
        assert_eq!(properties["AlarmActions"], json!([people]), "{}", alarm.id);
        let metrics = properties["Metrics"].as_array().cloned().unwrap_or_default();
        let metrics = metrics.iter().map(|metric| metric["MetricStat"]["Metric"].clone());
        for metric in metrics.chain([properties.clone()]) {
            if metric["Namespace"] == NAMESPACE {
                let name = text(&metric["MetricName"]);
                assert!(counted.contains(name), "{}: nobody counts {name}", alarm.id);
                alarmed.insert(name.to_owned());
            }
        }
    }
    assert_eq!(alarmed, counted, "nothing is counted for nobody");
    let mut subscriptions = stack.of_kind("AWS::SNS::Subscription").map(|one| one.properties);
    assert!(
        subscriptions
            .any(|one| one["TopicArn"] == people.as_str() && one["Endpoint"] == "on-call@example.com")
    );
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn reconcile_that_says_nothing_is_an_alarm() {
    let alarm = Stack::deployed(&[]).resource("ReconcileNotRunningAlarm").properties;
    assert_eq!(alarm["TreatMissingData"], "breaching");
    let ticks = &alarm["Metrics"][1]["MetricStat"];
    assert_eq!(
        (&ticks["Metric"]["MetricName"], &ticks["Stat"]),
        (&json!("Nominated"), &json!("SampleCount"))
    );
    assert_eq!(
        alarm["Metrics"][0]["Expression"], "FILL(ticks, 0)",
        "a minute without a tick is none of its data"
    );
}

/// A tick that cannot read a shard says so, and that nothing was due.
#[test]
#[ignore = "cargo xtask template runs it"]
fn reconcile_that_cannot_read_is_an_alarm() {
    let alarm = Stack::deployed(&[]).resource("ExecutionsWaitAlarm").properties;
    assert_eq!(alarm["Metrics"][0]["Expression"], "nominated - worked + failed");
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn the_dashboard_shows_what_there_is() {
    let stack = Stack::deployed(&[]);
    let dashboard = stack.nested("Dashboard");
    let body = dashboard.resource("Dashboard").properties["DashboardBody"].clone();
    let body: Value = serde_json::from_str(text(&body)).expect("JSON");
    let mut there: BTreeSet<String> =
        FUNCTIONS.iter().map(|(name, _)| format!("fleetwright-{name}")).collect();
    for kind in ["AWS::SQS::Queue", "AWS::DynamoDB::Table"] {
        there.extend(stack.of_kind(kind).map(|resource| resource.id));
    }
    let (counted, mut shown) = (counted(&stack), BTreeSet::new());
    for widget in body["widgets"].as_array().expect("widgets") {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if metric[0] == NAMESPACE {
                shown.insert(text(&metric[1]).to_owned());
            } else {
                let (namespace, of) = (text(&metric[0]), text(&metric[3]));
                assert!(there.contains(of), "{namespace} of {of}, which is not there");
            }
        }
        for log in widget["properties"]["query"].as_str().unwrap_or_default().split("SOURCE '").skip(1) {
            let log = log.split('\'').next().unwrap_or_default();
            let mut logs = stack.of_kind("AWS::Logs::LogGroup").map(|one| one.properties);
            assert!(logs.any(|one| one["LogGroupName"] == log), "{log} is not there");
        }
    }
    assert_eq!(shown, counted);
}
