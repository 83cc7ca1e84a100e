//! The shipped examples run to the end their author intends.

use fleetwright_local::DeploymentOptions;
use fleetwright_local::fleet::Fleet;
use fleetwright_protocols::deploy;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const RUNBOOK: &str = include_str!("../../../examples/patch-fleet.yaml");
const FLEET: &str = include_str!("../../../examples/fleet.yaml");

#[test]
fn a_patch_night_scans_patches_canaries_then_the_rest_retries_the_failed_and_verifies() {
    let fleet = Fleet::parse(FLEET, 7).expect("the example fleet is well formed");
    let mut night = deploy(fleet, &DeploymentOptions::seeded(7)).expect("deploys");
    night.register_runbook("PatchFleet", RUNBOOK).expect("registers");
    let id = night.start("PatchFleet", &BTreeMap::new()).expect("starts");
    night.run_to_end(&id, Duration::from_secs(4 * 3600)).expect("ends");
    let got = night.call("GetAutomationExecution", &json!({ "AutomationExecutionId": id })).expect("answers");
    let execution = &got["AutomationExecution"];
    assert_eq!(execution["AutomationExecutionStatus"], "Success");
    let steps: Vec<&str> = execution["StepExecutions"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| step["StepName"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        steps,
        [
            "scan",
            "anythingMissing",
            "patchCanaries",
            "canariesWell",
            "scanRest",
            "patch",
            "anyFailed",
            "patchAgain",
            "verify"
        ]
    );
    assert!(night.simulation.cloud().violations.is_empty(), "{:?}", night.simulation.cloud().violations);
}
