//! Documents that others wrote, and ours in their style, run to their end in the order their text says.

use fleetwright_local::fleet::{Fleet, Platform};
use fleetwright_local::ssm::Outcome;
use fleetwright_protocols::{Run, Story, steady_fleet};
use std::collections::BTreeMap;
use std::path::Path;

const BY_PLATFORM: &str = include_str!("../documents/by-platform.yaml");
const SCAN_THEN_CHECK: &str = include_str!("../documents/scan-then-check.yml");
const INSTALL_WEB_SERVER: &str = include_str!("../documents/install-web-server.yaml");

/// A Command document that a runbook may name.
const HEALTHCHECK: &str = r#"
schemaVersion: "2.2"
description: Checks that the node answers
mainSteps:
  - name: check
    action: aws:runShellScript
    inputs: { runCommand: ["curl --fail http://localhost/health"] }
"#;
const HEALTHCHECK_ARN: &str = "arn:aws:ssm:us-east-1:123456789012:document/Healthcheck";

/// A document as somebody published it, if the folder of such documents stands beside the workspace.
fn published(document: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/runbooks").join(document);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    text
}

/// The text with the values a template engine would have put in.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let filled = values
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
    assert!(!filled.contains("${"), "a placeholder is left: {filled}");
    filled
}

/// Linux nodes, and one more with Windows, last.
fn mixed(linux: usize) -> Fleet {
    let mut fleet = steady_fleet(linux + 1, 20);
    fleet.nodes_mut()[linux].platform = Platform::Windows;
    fleet
}

/// Runs a document over such a fleet to its end.
fn play(text: &str, fleet: Fleet, parameters: &[(&str, &[&str])]) -> Run {
    let story = Story::new().fleet(fleet).runbook(text);
    let story = parameters.iter().fold(story, |story, (name, values)| story.parameter(name, values));
    let mut run = story.deploy();
    run.cloud().ssm.register_document("Healthcheck", HEALTHCHECK, "Command", "YAML").expect("registers");
    run.start();
    run.end();
    run
}

/// The names of the steps that ran, in order; every one of them went well.
fn order(run: &mut Run) -> Vec<String> {
    let steps = run.steps();
    assert!(steps.iter().all(|(_, status)| status == "Success"), "{steps:?}");
    assert_eq!(run.status(), "Success");
    steps.into_iter().map(|(name, _)| name).collect()
}

/// What really ran: documents by node, in order.
fn ran(run: &Run) -> Vec<(String, String)> {
    run.runs().iter().map(|run| (run.document.to_string(), run.node.to_string())).collect()
}

/// All three ways through a document that branches on the platform it is told.
fn all_three_ways(text: &str, names: [&str; 3], steps: [&str; 4]) {
    let [platform, linux_node, windows_node] = names;
    let [choose, on_linux, on_windows, wait] = steps;
    let fleet = mixed(1);
    let ids: Vec<String> = fleet.nodes().iter().map(|node| node.id.to_string()).collect();
    let script = |document: &str, node: &str| vec![(document.to_owned(), node.to_owned())];
    for (value, taken, expected) in [
        ("linux", on_linux, script("AWS-RunShellScript", &ids[0])),
        ("windows", on_windows, script("AWS-RunPowerShellScript", &ids[1])),
        ("plan9", wait, Vec::new()),
    ] {
        let given = [&ids[0], &ids[1]].map(|id| [id.as_str()]);
        let parameters: [(&str, &[&str]); 3] =
            [(platform, &[value]), (linux_node, &given[0]), (windows_node, &given[1])];
        let mut run = play(text, fleet.clone(), &parameters);
        assert_eq!(order(&mut run), [choose, taken], "{value}");
        assert_eq!(ran(&run), expected, "{value}");
        run.check();
    }
}

/// A scan of all nodes, then a check of all of them: every node once in each.
fn scan_then_check(text: &str, steps: [&str; 2]) {
    let fleet = steady_fleet(60, 20);
    let ids: Vec<String> = fleet.nodes().iter().map(|node| node.id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut run = play(text, fleet.clone(), &[("InstanceIds", &ids)]);
    assert_eq!(order(&mut run), steps);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (document, _) in ran(&run) {
        *times.entry(document).or_default() += 1;
    }
    assert_eq!(
        times,
        BTreeMap::from([("AWS-RunPatchBaseline".to_owned(), 60), ("Healthcheck".to_owned(), 60)])
    );
    run.each_node_ran_once_in_each_of(2);
    run.check();

    // Where the scan fails on one node, the check never begins.
    let story = Story::new().fleet(fleet).runbook(text).parameter("InstanceIds", &ids);
    let mut run = story.deploy();
    run.cloud().ssm.script(ids[4], "AWS-RunPatchBaseline", Outcome::Failed(1));
    run.start();
    run.end();
    assert_eq!(run.steps(), [(steps[0].to_owned(), "Failed".to_owned())]);
    assert_eq!(run.status(), "Failed");
    run.check();
}

/// Steps one after the other on one node.
fn one_after_the_other(text: &str, parameters: &[(&str, &[&str])], steps: &[(&str, &str)]) {
    let fleet = mixed(1);
    let node = fleet.nodes()[1].id.to_string();
    let given = [node.as_str()];
    let mut all: Vec<(&str, &[&str])> = vec![("InstanceId", &given)];
    all.extend(parameters);
    let mut run = play(text, fleet, &all);
    let names: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
    assert_eq!(order(&mut run), names);
    let documents: Vec<(String, String)> =
        steps.iter().map(|(_, document)| ((*document).to_owned(), node.clone())).collect();
    assert_eq!(ran(&run), documents);
    run.check();
}

#[test]
fn ours_that_branches_on_the_platform_takes_each_of_its_three_ways() {
    let steps = ["WhichPlatform", "onLinux", "onWindows", "Wait"];
    all_three_ways(BY_PLATFORM, ["Platform", "LinuxNode", "WindowsNode"], steps);
}

#[test]
fn ours_that_scans_and_checks_does_both_in_order() {
    let values = [("bucket", "patch-logs"), ("prefix", "nightly"), ("check_document_arn", HEALTHCHECK_ARN)];
    scan_then_check(&filled(SCAN_THEN_CHECK, &values), ["Scan", "Check"]);
}

#[test]
fn ours_that_sets_a_host_up_does_so_step_by_step() {
    let steps = [
        ("FetchModules", "AWS-RunRemoteScript"),
        ("SetUp", "AWS-RunRemoteScript"),
        ("StartService", "AWS-RunPowerShellScript"),
    ];
    let parameters: [(&str, &[&str]); 2] =
        [("SettingsName", &["web/settings"]), ("BucketName", &["scripts"])];
    one_after_the_other(&filled(INSTALL_WEB_SERVER, &[("AWS::StackName", "web")]), &parameters, &steps);
}

#[test]
fn awss_own_example_of_a_branch_takes_each_of_its_three_ways() {
    let document =
        "awsdocs+aws-systems-manager-user-guide/_md/doc_source__automation-branch-condition.md__8.yaml";
    let Some(text) = published(document) else { return };
    let steps = ["ChooseOS", "runLinuxCommand", "runWindowsCommand", "Sleep"];
    all_three_ways(&text, ["OperatingSystemName", "LinuxInstanceId", "WindowsInstanceId"], steps);
}

#[test]
fn a_published_patch_run_with_a_healthcheck_does_both_in_order() {
    let document =
        "jdheyburn+terraform-examples/aws-ssm-automation-2/documents/patch_with_healthcheck_template.yml";
    let Some(text) = published(document) else { return };
    let values = [
        ("output_s3_bucket_name", "patch-logs"),
        ("output_s3_key_prefix", "nightly"),
        ("healthcheck_document_arn", HEALTHCHECK_ARN),
    ];
    scan_then_check(&filled(&text, &values), ["InvokePatchEvent", "ExecuteHealthcheck"]);
}

#[test]
fn a_published_domain_join_does_its_four_steps_in_order() {
    let document = "aws-samples+aws-systems-manager-cloudformation-samples/_embedded/\
                    cloudformation-samples__WinAssociationDomainJoinAutomation.yaml__0.yaml";
    let Some(text) = published(document) else { return };
    let steps = [
        ("InstallDSCModules", "AWS-RunRemoteScript"),
        ("ConfigureLCM", "AWS-RunRemoteScript"),
        ("GenerateDomainJoinMof", "AWS-RunRemoteScript"),
        ("DomainJoin", "AWS-RunPowerShellScript"),
    ];
    let parameters: [(&str, &[&str]); 2] =
        [("AdminSecrets", &["ad/admin"]), ("S3BucketName", &["quick-start"])];
    one_after_the_other(&filled(&text, &[("AWS::StackName", "join")]), &parameters, &steps);
}
