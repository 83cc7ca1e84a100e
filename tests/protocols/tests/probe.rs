//! probe
use fleetwright_local::*;
use std::time::Duration;
#[test]
fn probe() {
    let fleet = fleet::Fleet::parse(include_str!("../../../examples/fleet.yaml"), 7).unwrap();
    let mut d = Deployment::new(fleet, &DeploymentOptions { keep_trace: true, ..DeploymentOptions::seeded(7) }).unwrap();
    d.register_runbook("Patch", include_str!("../../../examples/patch-fleet.yaml")).unwrap();
    let id = d.start("Patch", &Default::default()).unwrap();
    let r = d.run_to_end(&id, Duration::from_secs(6*3600));
    println!("{r:?}");
    let e = d.call("GetAutomationExecution", &serde_json::json!({"AutomationExecutionId": id})).unwrap();
    println!("{}", serde_json::to_string_pretty(&e).unwrap().chars().take(6000).collect::<String>());
    let s = d.get(&format!("/executions/{id}/summary")).unwrap();
    println!("{}", serde_json::to_string_pretty(&s).unwrap().chars().take(3000).collect::<String>());
    let c = d.simulation.cloud();
    println!("{:#?}", c.violations);
    println!("{:#?}", c.counters.calls);
    for l in c.trace.lines().iter().rev().take(60).rev() { println!("{l:?}"); }
}
