//! What the functions read from their environment, and what the template sets.

use fleetwright_deployment::Settings;
use fleetwright_local::names::{ACCOUNT, REGION, queue_url, topic_arn};
use fleetwright_orchestrator::Notifications;
use fleetwright_template::{FUNCTIONS, Stack};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Set by Lambda in every function (Lambda Developer Guide, configuration-envvars).
const BY_LAMBDA: [(&str, &str); 4] = [
    ("AWS_REGION", REGION),
    ("AWS_ACCESS_KEY_ID", "ASIA"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
];
/// Where AWS is, if not in AWS: nothing to set in a deployment.
const ELSEWHERE: &str = "AWS_ENDPOINT_URL";
const PATCHER: &str = "arn:aws:iam::123456789012:role/Patcher";

/// What a function makes of its environment, and the variables it asks for.
fn read(stack: &Stack, function: &str) -> (Settings, BTreeSet<String>) {
    let (set, asked) = (stack.environment(function), RefCell::new(BTreeSet::new()));
    let variable = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        let by_lambda = BY_LAMBDA.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        set.get(name).map(String::as_str).or(by_lambda).map(str::to_owned)
    };
    let settings = Settings::read(&variable).unwrap_or_else(|error| panic!("{function}: {error}"));
    let ours = |name: &String| name != ELSEWHERE && BY_LAMBDA.iter().all(|(given, _)| given != name);
    (settings, asked.into_inner().into_iter().filter(ours).collect())
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn every_variable_that_is_read_is_set_and_no_other() {
    let stack = Stack::deployed(&[("AssumableRoles", PATCHER)]);
    for (_, function) in FUNCTIONS {
        let (_, asked) = read(&stack, function);
        let set: BTreeSet<String> = stack.environment(function).into_keys().collect();
        assert_eq!(asked, set, "{function}");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn without_parameters_a_deployment_is_one_by_itself() {
    let stack = Stack::deployed(&[]);
    for (_, function) in FUNCTIONS {
        let (settings, _) = read(&stack, function);
        assert!(settings.roles.is_empty(), "nothing is listed");
        let config = settings.config;
        assert_eq!((config.place.account_id.as_str(), config.place.region.as_str()), (ACCOUNT, REGION));
        assert_eq!((config.retention_days, config.resend_absent, config.track_others), (365, true, false));
        assert_eq!(config.prompt_queue_url, Some(queue_url("PromptQueue")));
        assert_eq!(config.people_topic_arn, Some(topic_arn("PeopleTopic")));
        assert_eq!(config.event_bus.as_deref(), Some("default"));
        let Some(Notifications { topic_arn: topic, .. }) = config.notifications else {
            panic!("SSM tells nobody")
        };
        assert_eq!(topic, topic_arn("CommandTopic"));
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn what_the_parameters_say_reaches_the_functions() {
    let reader = "arn:aws:iam::123456789012:role/fleet/Reader";
    let stack = Stack::deployed(&[
        ("AbsentSend", "park"),
        ("AssumableRoles", &format!("{PATCHER}, {reader}")),
        ("RetentionDays", "90"),
        ("TrackOthers", "true"),
    ]);
    for (_, function) in FUNCTIONS {
        let (settings, _) = read(&stack, function);
        assert_eq!(settings.roles, [PATCHER, reader]);
        let config = settings.config;
        assert_eq!((config.retention_days, config.resend_absent, config.track_others), (90, false, true));
    }
}
