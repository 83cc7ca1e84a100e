//! The environment variables that functions read, inside a deployment and outside it (`shared/deployment`).

use std::collections::BTreeMap;

use fleetwright_orchestrator::{Config, Notifications};

use crate::names::REGION;

/// The variables by name that functions with these settings have where they are deployed.
pub(super) fn environment(config: &Config) -> BTreeMap<&'static str, String> {
    let mut variables = BTreeMap::from([
        ("FLEETWRIGHT_TABLE", config.table.clone()),
        ("FLEETWRIGHT_ACCOUNT_ID", config.place.account_id.clone()),
        ("FLEETWRIGHT_RETENTION_DAYS", config.retention_days.to_string()),
        ("FLEETWRIGHT_TRACK_OTHERS", config.track_others.to_string()),
    ]);
    let mut set = |name, value: Option<&String>| {
        variables.extend(value.map(|value| (name, value.clone())));
    };
    set("FLEETWRIGHT_PROMPT_QUEUE_URL", config.prompt_queue_url.as_ref());
    set("FLEETWRIGHT_PEOPLE_TOPIC_ARN", config.people_topic_arn.as_ref());
    set("FLEETWRIGHT_EVENT_BUS", config.event_bus.as_ref());
    if let Some(Notifications { topic_arn, role_arn }) = &config.notifications {
        set("FLEETWRIGHT_NOTIFICATION_TOPIC_ARN", Some(topic_arn));
        set("FLEETWRIGHT_NOTIFICATION_ROLE_ARN", Some(role_arn));
    }
    variables
}

/// The environment of the function of that name as a process, whose AWS answers at `aws_url`. Its access key is its
/// name: that is how its calls are told from those of others.
pub(super) fn process_environment(
    config: &Config,
    function: &str,
    aws_url: &str,
) -> BTreeMap<&'static str, String> {
    let mut variables = environment(config);
    variables.extend([
        ("AWS_ENDPOINT_URL", aws_url.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", function.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "any".to_owned()),
    ]);
    variables
}
