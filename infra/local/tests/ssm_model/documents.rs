//! Documents with their versions, and the nodes as SSM tells them.

use crate::support::{World, steady, text};
use fleetwright_local::fleet::{Agent, Fleet, Platform};
use fleetwright_local::ssm::SsmOptions;
use serde_json::{Value, json};

fn content(description: &str) -> String {
    let step =
        json!({"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": [description]}});
    json!({"schemaVersion": "2.2", "description": description, "mainSteps": [step]}).to_string()
}

fn names(answer: &Value, list: &str, member: &str) -> Vec<String> {
    answer[list].as_array().into_iter().flatten().map(|one| text(&one[member])).collect()
}

/// A service with the document `Say` in the versions 1 (its default) and 2 (called `second`).
fn world() -> World {
    let mut world = World::exact(1, &steady(1));
    let tags = json!([{"Key": "team", "Value": "ops"}]);
    world.call("CreateDocument", &json!({"Name": "Say", "Content": content("one"), "Tags": tags}));
    let update = json!({"Name": "Say", "Content": content("two"), "VersionName": "second", "DocumentVersion": "$LATEST"});
    world.call("UpdateDocument", &update);
    world
}

#[test]
fn an_update_is_used_once_it_is_the_default() {
    let mut world = world();
    let described = |world: &mut World| {
        let document = world.call("DescribeDocument", &json!({"Name": "Say"}))["Document"].clone();
        ["DocumentVersion", "DefaultVersion", "LatestVersion", "Description"]
            .map(|member| text(&document[member]))
    };
    assert_eq!(described(&mut world), ["1", "1", "2", "one"]);
    world.call("UpdateDocumentDefaultVersion", &json!({"Name": "Say", "DocumentVersion": "2"}));
    assert_eq!(described(&mut world), ["2", "2", "2", "two"]);
    let named = world.call("GetDocument", &json!({"Name": "Say", "VersionName": "second"}));
    assert_eq!(named["DocumentVersion"], "2");
    let versions = world.call("ListDocumentVersions", &json!({"Name": "Say"}));
    assert_eq!(names(&versions, "DocumentVersions", "DocumentVersion"), ["2", "1"]);
    assert_eq!(versions["DocumentVersions"][0]["IsDefaultVersion"], true);
}

#[test]
fn an_update_that_changes_nothing_or_something_old_is_refused() {
    let mut world = world();
    let update = |content: String, version: &str| json!({"Name": "Say", "Content": content, "DocumentVersion": version});
    for (request, code) in [
        (update(content("two"), "2"), "DuplicateDocumentContent"),
        (update(content("three"), "1"), "InvalidDocumentVersion"),
        (update("{}".to_owned(), "2"), "InvalidDocumentContent"),
        (
            json!({"Name": "Say", "Content": content("three"), "VersionName": "second"}),
            "DuplicateDocumentVersionName",
        ),
        (json!({"Name": "Nobody", "Content": content("three")}), "InvalidDocument"),
        (json!({"Name": "AWS-RunShellScript", "Content": content("three")}), "AccessDeniedException"),
        (json!({"Name": "Say"}), "ValidationException"),
    ] {
        assert_eq!(world.refusal("UpdateDocument", &request).code, code, "{request}");
    }
    assert_eq!(world.call("DescribeDocument", &json!({"Name": "Say"}))["Document"]["LatestVersion"], "2");
}

#[test]
fn a_deleted_version_is_gone_and_its_number_is_not_given_again() {
    let mut world = world();
    let one = json!({"Name": "Say", "DocumentVersion": "1"});
    assert_eq!(world.refusal("DeleteDocument", &one).code, "InvalidDocumentOperation");
    world.call("DeleteDocument", &json!({"Name": "Say", "VersionName": "second"}));
    let update = json!({"Name": "Say", "Content": content("three"), "DocumentVersion": "$LATEST"});
    assert_eq!(world.call("UpdateDocument", &update)["DocumentDescription"]["DocumentVersion"], "3");
    world.call("DeleteDocument", &json!({"Name": "Say"}));
    assert_eq!(world.refusal("GetDocument", &json!({"Name": "Say"})).code, "InvalidDocument");
}

#[test]
fn documents_are_found_by_what_they_are() {
    let mut world = world();
    assert!(world.ssm.register_document("Night", "schemaVersion: '0.3'", "Automation", "YAML").is_ok());
    let mut found = |key: &str, value: &str| {
        let answer = world.call("ListDocuments", &json!({"Filters": [{"Key": key, "Values": [value]}]}));
        names(&answer, "DocumentIdentifiers", "Name")
    };
    assert_eq!(found("Owner", "Self"), ["Say", "Night"]);
    assert_eq!(found("DocumentType", "Automation"), ["Night"]);
    assert_eq!(found("tag:team", "ops"), ["Say"]);
    assert_eq!(found("Name", "AWS-RunShell"), ["AWS-RunShellScript"]);
    assert_eq!(found("Owner", "ThirdParty"), [""; 0]);
    let unknown = json!({"Filters": [{"Key": "Colour", "Values": ["red"]}]});
    assert_eq!(world.refusal("ListDocuments", &unknown).code, "InvalidFilterKey");
}

#[test]
fn pages_of_documents_miss_none_that_was_there_and_repeat_none() {
    let mut world = world();
    let all = names(&world.call("ListDocuments", &json!({})), "DocumentIdentifiers", "Name");
    let (mut seen, mut request) = (Vec::new(), json!({"MaxResults": 3}));
    loop {
        let page = world.call("ListDocuments", &request);
        seen.extend(names(&page, "DocumentIdentifiers", "Name"));
        if page["NextToken"].is_null() {
            break;
        }
        if seen.len() == 3 {
            let early = json!({"Name": "AAA", "Content": content("early")});
            world.call("CreateDocument", &early);
        }
        request["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(seen.pop().as_deref(), Some("AAA"), "what is new comes last");
    assert_eq!(seen, all);
    request["Filters"] = json!([{"Key": "Owner", "Values": ["Self"]}]);
    assert_eq!(world.refusal("ListDocuments", &request).code, "InvalidNextToken", "another request's token");
}

#[test]
fn nodes_are_told_with_what_is_known_of_them() {
    let mut fleet = Fleet::plain(12, 7);
    for (position, node) in fleet.nodes_mut().iter_mut().enumerate() {
        match position {
            0 => node.agent = Agent::Offline,
            1 => node.agent = Agent::Unregistered,
            2 => node.platform = Platform::Windows,
            _ => {}
        }
    }
    let mut world = World::new(fleet, SsmOptions::exact());
    let ids = world.ids();
    let mut found = |request: Value| {
        names(&world.call("DescribeInstanceInformation", &request), "InstanceInformationList", "InstanceId")
    };
    let by = |key: &str, value: &str| json!({"Filters": [{"Key": key, "Values": [value]}]});
    assert_eq!(found(json!({})).len(), 11, "all but the one SSM doesn't know any more");
    assert_eq!(found(by("PingStatus", "ConnectionLost")), [ids[0].clone()]);
    assert_eq!(found(by("PlatformTypes", "Windows")), [ids[2].clone()]);
    assert_eq!(found(by("InstanceIds", &ids[5])), [ids[5].clone()]);
    let earlier =
        json!({"InstanceInformationFilterList": [{"key": "PlatformTypes", "valueSet": ["Windows"]}]});
    assert_eq!(found(earlier), [ids[2].clone()]);
    assert_eq!(found(json!({"MaxResults": 5})).len(), 5);
    for (request, code) in [
        (by("PingStatus", "Asleep"), "InvalidInstanceInformationFilterValue"),
        (by("Colour", "red"), "InvalidFilterKey"),
        (json!({"MaxResults": 4}), "ValidationException"),
        (json!({"NextToken": "made up"}), "InvalidNextToken"),
    ] {
        assert_eq!(world.refusal("DescribeInstanceInformation", &request).code, code, "{request}");
    }
}

#[test]
fn a_parameter_is_overwritten_only_on_purpose() {
    let mut world = World::exact(1, &steady(1));
    let put = |value: &str, overwrite: bool| json!({"Name": "/app/key", "Value": value, "Type": "SecureString", "Overwrite": overwrite});
    assert_eq!(world.call("PutParameter", &put("a", false))["Version"], 1);
    assert_eq!(world.refusal("PutParameter", &put("b", false)).code, "ParameterAlreadyExists");
    assert_eq!(world.call("PutParameter", &put("b", true))["Version"], 2);
    let get = |decrypted: bool| json!({"Name": "/app/key", "WithDecryption": decrypted});
    assert_eq!(world.call("GetParameter", &get(true))["Parameter"]["Value"], "b");
    assert_ne!(world.call("GetParameter", &get(false))["Parameter"]["Value"], "b");
    assert_eq!(world.refusal("GetParameter", &json!({"Name": "/app/other"})).code, "ParameterNotFound");
}
