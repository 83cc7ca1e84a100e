//! The table is the one the code makes for itself where it is not deployed.

use fleetwright_local::fleet::Fleet;
use fleetwright_local::{Deployment, DeploymentOptions, TABLE};
use fleetwright_template::Stack;
use serde_json::{Value, json};

/// What the embedded cloud says of its table.
fn described(operation: &str) -> Value {
    let deployment = Deployment::new(Fleet::plain(1, 1), &DeploymentOptions::seeded(1)).expect("deploys");
    deployment.simulation.cloud().dynamodb.handle(operation, &json!({ "TableName": TABLE })).0.body
}

/// These members of each, in the order of their names.
fn sorted(list: &Value, name: &str, members: &[&str]) -> Vec<Value> {
    let list = list.as_array().expect("a list").iter();
    let mut list: Vec<Value> = list
        .map(|one| members.iter().map(|member| ((*member).to_owned(), one[*member].clone())).collect())
        .collect();
    list.sort_by_key(|one: &Value| one[name].to_string());
    list
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn keys_and_indexes_are_the_codes() {
    let stack = Stack::deployed(&[]);
    let (table, code) = (stack.resource("Table").properties, described("DescribeTable"));
    let code = &code["Table"];
    assert_eq!(table["KeySchema"], code["KeySchema"]);
    let attributes = |table: &Value| {
        sorted(&table["AttributeDefinitions"], "AttributeName", &["AttributeName", "AttributeType"])
    };
    assert_eq!(attributes(&table), attributes(code));
    let indexes = |table: &Value| {
        let list = &table["GlobalSecondaryIndexes"];
        sorted(list, "IndexName", &["IndexName", "KeySchema"])
    };
    assert_eq!(indexes(&table), indexes(code));
    let projections = |table: &Value| {
        let list = sorted(&table["GlobalSecondaryIndexes"], "IndexName", &["IndexName", "Projection"]);
        list.iter().map(|index| index["Projection"]["ProjectionType"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(projections(&table), projections(code));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn items_go_when_their_time_has_come() {
    let stack = Stack::deployed(&[]);
    let ours = &stack.resource("Table").properties["TimeToLiveSpecification"];
    let code = described("DescribeTimeToLive");
    assert_eq!(ours["AttributeName"], code["TimeToLiveDescription"]["AttributeName"]);
    assert_eq!(ours["Enabled"], true);
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn it_is_encrypted_can_be_restored_and_outlives_its_stack() {
    let stack = Stack::deployed(&[]);
    let table = stack.resource("Table").properties;
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["DeletionProtectionEnabled"], true);
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert_eq!(stack.declared("Table")[policy], "Retain");
    }
}
