//! What the functions' roles allow.

use fleetwright_local::names::{ACCOUNT, REGION};
use fleetwright_template::{Ask, FUNCTIONS, Policy, Stack};
use serde_json::Value;
use std::collections::BTreeSet;

/// What only runbooks of some deployments need, so that every operation has its permission.
const EVERYTHING: [(&str, &str); 3] = [
    ("AssumableRoles", "arn:aws:iam::123456789012:role/Patcher"),
    ("OutputBucket", "outputs"),
    ("TrackOthers", "true"),
];
/// Lambda writes the logs and reads the queues in a function's role (Lambda Developer Guide, with-sqs: execution role).
const LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
const QUEUES: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

fn operations(function: &str) -> &'static [&'static str] {
    match function {
        "OnCommandEvent" => on_command_event::OPERATIONS,
        "Reconcile" => reconcile::OPERATIONS,
        "ApiRead" => api::READ_OPERATIONS,
        "ApiControl" => api::CONTROL_OPERATIONS,
        other => panic!("{other} is not a function"),
    }
}

/// The permissions that an operation takes.
fn actions(operation: &'static str) -> Vec<&'static str> {
    match operation {
        // Ours put and update (DynamoDB Developer Guide, transaction-apis-iam).
        "dynamodb:TransactWriteItems" => vec!["dynamodb:PutItem", "dynamodb:UpdateItem"],
        // With the role that SSM is to tell of it in.
        "ssm:SendCommand" => vec!["ssm:SendCommand", "iam:PassRole"],
        other => vec![other],
    }
}

fn send(role: &Policy, resource: &str, context: &[(&str, &str)]) -> bool {
    role.lets(&Ask { action: "ssm:SendCommand", resource, context })
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn a_function_may_do_what_it_lists_and_nothing_else() {
    let stack = Stack::deployed(&EVERYTHING);
    for (_, function) in FUNCTIONS {
        let role = stack.role_of(function);
        let reads_queues = function == "OnCommandEvent";
        let mut needed: BTreeSet<&str> = operations(function).iter().flat_map(|one| actions(one)).collect();
        needed.extend(LOGS);
        needed.extend(QUEUES.iter().filter(|_| reads_queues));
        assert_eq!(role.actions(), needed, "{function}");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn a_star_alone_stands_only_where_nothing_can_be_named() {
    let stack = Stack::deployed(&EVERYTHING);
    let listed = stack.metadata("UnnameableResources").as_object().expect("a list with reasons");
    let listed: BTreeSet<&str> = listed.keys().map(String::as_str).collect();
    let policies = FUNCTIONS.map(|(_, function)| stack.role_of(function));
    let starred = policies.iter().flat_map(Policy::statements);
    let starred = starred.filter(|statement| statement.resources.iter().any(|resource| resource == "*"));
    let starred: BTreeSet<&str> =
        starred.flat_map(|statement| &statement.actions).map(String::as_str).collect();
    assert_eq!(starred, listed);
    let readme = include_str!("../../../../infra/README.md");
    for action in listed {
        assert!(readme.contains(&format!("`{action}`")), "infra/README.md gives no reason for {action}");
    }
    for action in policies.iter().flat_map(Policy::actions) {
        assert!(!action.contains('*'), "{action}");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn commands_go_to_nodes_with_the_tag_and_run_documents_of_the_list() {
    let patch = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:document/our-patches");
    let stack = Stack::deployed(&[
        ("AllowedDocuments", &patch),
        ("NodeTagKey", "PatchGroup"),
        ("NodeTagValue", "prod*"),
    ]);
    let node = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0");
    let hybrid = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/mi-0123456789abcdef0");
    for function in ["OnCommandEvent", "Reconcile", "ApiControl"] {
        let role = stack.role_of(function);
        assert!(send(&role, &patch, &[]), "{function}");
        assert!(!send(&role, &format!("arn:aws:ssm:{REGION}::document/AWS-RunShellScript"), &[]));
        for node in [&node, &hybrid] {
            assert!(send(&role, node, &[("ssm:resourceTag/PatchGroup", "prod-eu")]), "{function}");
            assert!(!send(&role, node, &[("ssm:resourceTag/PatchGroup", "test")]), "another value");
            assert!(!send(&role, node, &[("ssm:resourceTag/Fleetwright", "prod")]), "another tag");
            assert!(!send(&role, node, &[]), "no tag");
        }
        assert!(!send(&role, "arn:aws:s3:::outputs", &[]), "no bucket was named");
    }
    assert!(!stack.role_of("ApiRead").actions().contains("ssm:SendCommand"));
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn what_a_deployment_does_not_list_it_does_not_allow() {
    for (_, function) in FUNCTIONS {
        let role = Stack::deployed(&[]).role_of(function);
        assert!(!role.actions().contains("sts:AssumeRole"), "{function}: no role was listed");
    }
    let stack = Stack::deployed(&EVERYTHING);
    let assume = |resource| Ask { action: "sts:AssumeRole", resource, context: &[] };
    for function in ["OnCommandEvent", "Reconcile", "ApiControl"] {
        let role = stack.role_of(function);
        assert!(role.lets(&assume("arn:aws:iam::123456789012:role/Patcher")), "{function}");
        assert!(!role.lets(&assume("arn:aws:iam::123456789012:role/Admin")), "{function}");
        assert!(send(&role, "arn:aws:s3:::outputs", &[]), "{function}");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn the_one_role_that_is_passed_is_passed_to_ssm_which_may_publish_in_it() {
    let stack = Stack::deployed(&EVERYTHING);
    let environment = stack.environment("OnCommandEvent");
    let notifier = environment["FLEETWRIGHT_NOTIFICATION_ROLE_ARN"].as_str();
    for function in ["OnCommandEvent", "Reconcile", "ApiControl"] {
        let role = stack.role_of(function);
        let pass = |resource: &str, to: &str| {
            let context = [("iam:PassedToService", to)];
            role.lets(&Ask { action: "iam:PassRole", resource, context: &context })
        };
        assert!(pass(notifier, "ssm.amazonaws.com"), "{function}");
        assert!(!pass(notifier, "ec2.amazonaws.com"), "{function}");
        assert!(!pass("arn:aws:iam::123456789012:role/Admin", "ssm.amazonaws.com"), "{function}");
    }
    let topic = environment["FLEETWRIGHT_NOTIFICATION_TOPIC_ARN"].as_str();
    assert!(stack.role(notifier).lets(&Ask { action: "sns:Publish", resource: topic, context: &[] }));
    let trust = &stack.resource("NotificationRole").properties["AssumeRolePolicyDocument"];
    let assume = Ask { action: "sts:AssumeRole", resource: notifier, context: &[] };
    assert!(Policy::read(trust).lets_service("ssm.amazonaws.com", &assume));
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn who_reads_writes_outputs_and_nothing_else() {
    let stack = Stack::deployed(&EVERYTHING);
    let role = stack.role_of("ApiRead");
    let table = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Table");
    let put = |key| {
        let context = [("dynamodb:LeadingKeys", key)];
        role.lets(&Ask { action: "dynamodb:PutItem", resource: &table, context: &context })
    };
    assert!(put("OUT#00000000-0000-0000-0000-000000000000#i-0123456789abcdef0"));
    assert!(!put("EXEC#00000000-0000-0000-0000-000000000000"));
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn a_function_writes_its_own_log_which_does_not_stay_for_ever() {
    let stack = Stack::deployed(&[("LogRetentionDays", "14")]);
    for (name, function) in FUNCTIONS {
        let group = format!("/aws/lambda/fleetwright-{name}");
        assert_eq!(stack.resource(function).properties["LoggingConfig"]["LogGroup"], group.as_str());
        let mut logs = stack.of_kind("AWS::Logs::LogGroup").map(|log| log.properties);
        let log = logs.find(|log| log["LogGroupName"] == group.as_str()).expect(function);
        assert_eq!(log["RetentionInDays"], Value::from("14"));
        for action in LOGS {
            let own = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*");
            let role = stack.role_of(function);
            assert!(role.lets(&Ask { action, resource: &own, context: &[] }), "{function}");
            let other = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/another:*");
            assert!(!role.lets(&Ask { action, resource: &other, context: &[] }), "{function}");
        }
    }
}
