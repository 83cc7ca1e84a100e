//! The two function URLs, and who may ask them.

use fleetwright_template::{Ask, FUNCTIONS, Policy, Stack};
use fleetwright_wire::Endpoint;

fn arn(function: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:fleetwright-{function}")
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn functions_are_called_what_people_and_doctor_look_for() {
    let stack = Stack::deployed(&[]);
    for (name, function) in FUNCTIONS {
        let deployed = stack.resource(function).properties;
        assert_eq!(deployed["FunctionName"], format!("fleetwright-{name}").as_str());
        assert_eq!(deployed["Runtime"], "provided.al2023");
        assert_eq!(deployed["Handler"], "bootstrap");
        assert_eq!(deployed["Architectures"], serde_json::json!(["arm64"]));
    }
    assert_eq!([Endpoint::Read, Endpoint::Control].map(Endpoint::function), ["api-read", "api-control"]);
}

/// The template as it is written: what SAM makes of it no longer says what is built.
const TEMPLATE: &str = include_str!("../../../../template.yaml");

#[test]
#[ignore = "cargo xtask template runs it"]
fn each_endpoint_is_its_own_program() {
    for endpoint in [Endpoint::Read, Endpoint::Control] {
        let name = endpoint.function();
        let mut resources = TEMPLATE.split("\n\n");
        let named = format!("FunctionName: !Sub ${{AWS::StackName}}-{name}\n");
        let function = resources.find(|resource| resource.contains(&named)).expect(name);
        assert!(function.contains(&format!("BuildProperties: {{ Binary: {name} }}")), "{function}");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn nobody_asks_without_being_known() {
    let stack = Stack::deployed(&[]);
    let urls: Vec<_> = stack.of_kind("AWS::Lambda::Url").map(|url| url.properties).collect();
    let mut asked: Vec<_> = urls.iter().map(|url| url["TargetFunctionArn"].clone()).collect();
    asked.sort_by_key(ToString::to_string);
    assert_eq!(asked, ["fleetwright-api-control", "fleetwright-api-read"]);
    assert!(urls.iter().all(|url| url["AuthType"] == "AWS_IAM"));
    for permission in stack.of_kind("AWS::Lambda::Permission") {
        assert_ne!(permission.properties["Principal"], "*", "{}", permission.id);
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn a_callers_policy_has_both_permissions_for_one_url_and_for_nothing_else() {
    let stack = Stack::deployed(&[]);
    for (policy, own, other) in
        [("ReadPolicy", "api-read", "api-control"), ("ControlPolicy", "api-control", "api-read")]
    {
        let policy = Policy::read(&stack.resource(policy).properties["PolicyDocument"]);
        let lets = |action, function: &str, context: &[(&str, &str)]| {
            policy.lets(&Ask { action, resource: &arn(function), context })
        };
        let (auth, via) =
            ([("lambda:FunctionUrlAuthType", "AWS_IAM")], [("lambda:InvokedViaFunctionUrl", "true")]);
        // Both, since October 2025 (Lambda Developer Guide, urls-auth).
        assert!(lets("lambda:InvokeFunctionUrl", own, &auth));
        assert!(lets("lambda:InvokeFunction", own, &via));
        assert!(!lets("lambda:InvokeFunctionUrl", other, &auth));
        assert!(!lets("lambda:InvokeFunction", other, &via));
        let past = [("lambda:InvokedViaFunctionUrl", "false")];
        assert!(!lets("lambda:InvokeFunction", own, &past), "past its URL nobody would know who asks");
        assert_eq!(policy.actions().len(), 2);
    }
}
