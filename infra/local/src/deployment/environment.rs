//! What the functions of a deployment read from their environment when they run outside it (`shared/deployment`).

use fleetwright_wire::Endpoint;

use super::{PROMPT, RETENTION_DAYS, TABLE, TOPIC, notification_role};
use crate::names::{ACCOUNT, REGION, queue_url, topic_arn};

/// The environment of the function of that name, whose AWS answers at `aws_url`. Its access key is its name: that is how
/// its calls are told from those of others.
pub(crate) fn environment(function: &str, aws_url: &str) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", aws_url.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", function.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "any".to_owned()),
        ("FLEETWRIGHT_TABLE", TABLE.to_owned()),
        ("FLEETWRIGHT_ACCOUNT_ID", ACCOUNT.to_owned()),
        ("FLEETWRIGHT_PROMPT_QUEUE_URL", queue_url(PROMPT)),
        ("FLEETWRIGHT_NOTIFICATION_TOPIC_ARN", topic_arn(TOPIC)),
        ("FLEETWRIGHT_NOTIFICATION_ROLE_ARN", notification_role()),
        ("FLEETWRIGHT_RETENTION_DAYS", RETENTION_DAYS.to_string()),
        ("FLEETWRIGHT_TRACK_OTHERS", "true".to_owned()),
    ];
    let api = [Endpoint::Read, Endpoint::Control].into_iter().find(|api| api.function() == function);
    variables.extend(api.map(|api| ("FLEETWRIGHT_API", api.name().to_owned())));
    variables
}
