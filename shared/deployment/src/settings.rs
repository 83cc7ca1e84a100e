//! The environment of a function.

use aws_credential_types::Credentials;
use fleetwright_engine::Place;
use fleetwright_orchestrator::{AssumeRoles, Config, Notifications};
use std::collections::BTreeSet;

/// A variable that is not set, or not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name}: {problem}")]
pub struct InvalidSetting {
    name: &'static str,
    problem: &'static str,
}

/// What a function reads from its environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The deployment's settings.
    pub config: Config,
    /// The Region.
    pub region: String,
    /// The role's credentials: Lambda fixes them for the life of an execution environment.
    pub credentials: Credentials,
    /// The roles that runbooks may assume, by ARN.
    pub roles: Vec<String>,
    /// Where AWS is, if not in AWS.
    pub endpoint_url: Option<String>,
}

/// Days that finished executions are kept, unless set.
const RETENTION_DAYS: u32 = 365;

impl Settings {
    /// Reads the environment through `variable`.
    ///
    /// # Errors
    /// [`InvalidSetting`] names what is not set or not readable.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let optional = |name: &str| variable(name).filter(|value| !value.is_empty());
        let required =
            |name: &'static str| optional(name).ok_or(InvalidSetting { name, problem: "it is not set" });
        let region = required("AWS_REGION")?;
        let retention_days = match optional("FLEETWRIGHT_RETENTION_DAYS") {
            None => RETENTION_DAYS,
            Some(days) => days.parse().map_err(|_| InvalidSetting {
                name: "FLEETWRIGHT_RETENTION_DAYS",
                problem: "it is not a number of days",
            })?,
        };
        let notifications = match optional("FLEETWRIGHT_NOTIFICATION_TOPIC_ARN") {
            None => None,
            Some(topic_arn) => {
                Some(Notifications { topic_arn, role_arn: required("FLEETWRIGHT_NOTIFICATION_ROLE_ARN")? })
            }
        };
        let resend_absent = match optional("FLEETWRIGHT_ABSENT_SEND").as_deref() {
            None | Some("resend") => true,
            Some("park") => false,
            Some(_) => {
                return Err(InvalidSetting {
                    name: "FLEETWRIGHT_ABSENT_SEND",
                    problem: "it is neither resend nor park",
                });
            }
        };
        let track_others = match optional("FLEETWRIGHT_TRACK_OTHERS").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(InvalidSetting {
                    name: "FLEETWRIGHT_TRACK_OTHERS",
                    problem: "it is neither true nor false",
                });
            }
        };
        let config = Config {
            table: required("FLEETWRIGHT_TABLE")?,
            prompt_queue_url: optional("FLEETWRIGHT_PROMPT_QUEUE_URL"),
            notifications,
            place: Place {
                account_id: required("FLEETWRIGHT_ACCOUNT_ID")?,
                region: region.clone(),
                partition: optional("FLEETWRIGHT_PARTITION").unwrap_or_else(|| "aws".to_owned()),
            },
            retention_days,
            resend_absent,
            assume_roles: AssumeRoles::Listed,
            answered: BTreeSet::new(),
            people_topic_arn: optional("FLEETWRIGHT_PEOPLE_TOPIC_ARN"),
            event_bus: optional("FLEETWRIGHT_EVENT_BUS"),
            track_others,
        };
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let roles = roles(&optional("FLEETWRIGHT_ASSUME_ROLES").unwrap_or_default())?;
        Ok(Self { config, region, credentials, roles, endpoint_url: optional("AWS_ENDPOINT_URL") })
    }
}

/// Role ARNs with commas between them.
fn roles(text: &str) -> Result<Vec<String>, InvalidSetting> {
    let roles: Vec<String> =
        text.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned).collect();
    let is_role =
        |role: &String| role.starts_with("arn:") && role.contains(":iam::") && role.contains(":role/");
    if roles.iter().all(is_role) {
        Ok(roles)
    } else {
        Err(InvalidSetting { name: "FLEETWRIGHT_ASSUME_ROLES", problem: "it is not a list of role ARNs" })
    }
}
