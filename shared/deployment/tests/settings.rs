//! What a function makes of its environment.

use fleetwright_deployment::{InvalidSetting, Settings};
use fleetwright_orchestrator::AssumeRoles;
use std::collections::BTreeMap;

/// What every deployment sets, and this beside it.
fn read(more: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
    let mut variables = BTreeMap::from([
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("FLEETWRIGHT_TABLE", "fleetwright"),
        ("FLEETWRIGHT_ACCOUNT_ID", "123456789012"),
    ]);
    variables.extend(more.iter().copied());
    Settings::read(&|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn without_more_a_deployment_has_no_role_but_its_own() {
    let settings = read(&[]).expect("it is enough");
    assert_eq!(settings.config.assume_roles, AssumeRoles::Listed);
    assert!(settings.roles.is_empty());
    assert!(settings.config.answered.is_empty(), "nothing is rehearsed where it is deployed");
    assert_eq!(settings.config.place.region, "eu-central-1");
}

#[test]
fn roles_are_listed_with_commas() {
    let patcher = "arn:aws:iam::123456789012:role/fleet/Patcher";
    let reader = "arn:aws-us-gov:iam::123456789012:role/Reader";
    let settings =
        read(&[("FLEETWRIGHT_ASSUME_ROLES", &format!("{patcher}, {reader},"))]).expect("two roles");
    assert_eq!(settings.roles, [patcher, reader]);
    let clients = fleetwright_deployment::clients(&settings);
    assert_eq!(clients.ssm_by_role.keys().collect::<Vec<_>>(), [reader, patcher], "a client for each");
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    for (name, value) in [
        ("FLEETWRIGHT_TABLE", ""),
        ("FLEETWRIGHT_RETENTION_DAYS", "a year"),
        ("FLEETWRIGHT_ABSENT_SEND", "maybe"),
        ("FLEETWRIGHT_ASSUME_ROLES", "Patcher"),
        ("FLEETWRIGHT_NOTIFICATION_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:facts"),
    ] {
        let error = read(&[(name, value)]).expect_err(name).to_string();
        let named = if name.ends_with("TOPIC_ARN") { "FLEETWRIGHT_NOTIFICATION_ROLE_ARN" } else { name };
        assert!(error.contains(named), "{error}");
    }
}
