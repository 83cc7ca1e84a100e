//! The actions of other services: what they take and what they give.

mod common;

use common::{accepted, places, refused, shown, steps};
use fleetwright_runbook::{Action, Code, OtherKind, Portability, Severity, validate};

/// A step of that action. Its inputs begin in line 7, column 5.
fn step(action: &str, inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("\n  {line}")).collect();
    steps(&[&format!("name: a\naction: {action}\ninputs:{inputs}")])
}

/// The least each action takes.
fn least(kind: OtherKind) -> &'static str {
    match kind {
        OtherKind::AssertAwsResourceProperty | OtherKind::WaitForAwsResourceProperty => {
            "Service: ec2\nApi: DescribeVolumes\nVolumeIds: [ v ]\nPropertySelector: $.Volumes[0].State\nDesiredValues: [ available ]"
        }
        OtherKind::ChangeInstanceState => "InstanceIds: [ i-1 ]\nDesiredState: running",
        OtherKind::CopyImage => "SourceRegion: us-east-1\nSourceImageId: ami-1\nImageName: x",
        OtherKind::CreateImage => "InstanceId: i-1\nImageName: x",
        OtherKind::CreateStack => "StackName: x\nTemplateURL: https://x",
        OtherKind::CreateTags => "ResourceIds: [ i-1 ]\nTags: [ { Key: a, Value: b } ]",
        OtherKind::DeleteImage => "ImageId: ami-1",
        OtherKind::DeleteStack => "StackName: x",
        OtherKind::ExecuteAutomation => "DocumentName: x",
        OtherKind::ExecuteAwsApi => "Service: ec2\nApi: DescribeVolumes\nVolumeIds: [ v ]",
        OtherKind::ExecuteScript => "Runtime: python3.11\nHandler: main\nScript: x",
        OtherKind::ExecuteStateMachine => "stateMachineArn: x",
        OtherKind::InvokeLambdaFunction => "FunctionName: x",
        OtherKind::InvokeWebhook => "IntegrationName: x",
        OtherKind::RunInstances => "ImageId: ami-1",
    }
}

#[test]
fn every_action_is_taken_with_the_least_it_needs_and_refused_without() {
    for kind in OtherKind::ALL {
        let text = step(kind.as_str(), least(kind));
        let runbook = accepted(&text);
        let Action::Other(other) = &runbook.first().action else { panic!("another action") };
        assert_eq!(other.kind, kind);
        let validation = validate(&text, Portability::Here);
        assert_eq!(validation.unsupported, [kind.as_str()]);
        assert!(validation.is_valid() && !validation.is_runnable());
        let warning = &validation.diagnostics[0];
        assert_eq!((warning.severity, warning.code), (Severity::Warning, Code::UnsupportedAction));
        assert_eq!((warning.position.line, warning.position.column), (5, 11), "where the action stands");
        assert!(warning.message.contains(kind.as_str()) && warning.message.contains('a'));
        let without = format!("name: a\naction: {}\ninputs: {{}}", kind.as_str());
        let diagnostics = refused(&steps(&[&without]));
        assert!(diagnostics.iter().all(|d| d.code == Code::MissingProperty), "{}", shown(&diagnostics));
    }
}

#[test]
fn inputs_are_held_to_their_pages() {
    use OtherKind::{
        ChangeInstanceState, CreateStack, CreateTags, ExecuteAutomation, ExecuteAwsApi, ExecuteScript,
        InvokeLambdaFunction, RunInstances, WaitForAwsResourceProperty,
    };
    let table = [
        (ChangeInstanceState, "InstanceIds: \"{{ Wait }}\"\nDesiredState: stopped\nForce: 'true'", None),
        (ChangeInstanceState, "InstanceIds: { a: b }\nDesiredState: stopped", Some((Code::WrongType, 7, 18))),
        (
            ChangeInstanceState,
            "InstanceIds: [ [ a ] ]\nDesiredState: stopped",
            Some((Code::WrongType, 7, 20)),
        ),
        (ChangeInstanceState, "InstanceIds: [ a ]\nDesiredState: asleep", Some((Code::InvalidValue, 8, 19))),
        (
            ChangeInstanceState,
            "InstanceIds: [ a ]\nDesiredState: running\nForce: maybe",
            Some((Code::WrongType, 9, 12)),
        ),
        (
            ChangeInstanceState,
            "InstanceIds: [ a ]\nDesiredState: running\nforce: true",
            Some((Code::UnknownProperty, 9, 5)),
        ),
        (ExecuteAwsApi, "Service: ec2\nApi: X\nAnything: { at: [ all ] }", None),
        (ExecuteAwsApi, "Service: [ ec2 ]\nApi: X", Some((Code::WrongType, 7, 14))),
        (ExecuteScript, "Runtime: PowerShell 7.0\nScript: x", None),
        (ExecuteScript, "Runtime: python3.11\nHandler: f\nAttachment: x.zip\nInputPayload: { a: b }", None),
        (ExecuteScript, "Runtime: python3.11\nScript: x", Some((Code::MissingProperty, 7, 5))),
        (ExecuteScript, "Runtime: python3.11\nHandler: f", Some((Code::MissingProperty, 7, 5))),
        (ExecuteAutomation, "DocumentName: x\nRuntimeParameters: [ a ]", Some((Code::WrongType, 8, 24))),
        (ExecuteAutomation, "DocumentName: x\nTargetLocations: [ \"{{ Wait }}\" ]", None),
        (ExecuteAutomation, "DocumentName: x\nTargetLocations: [ a ]", Some((Code::WrongType, 8, 24))),
        (ExecuteAutomation, "DocumentName: x\nTargets: a", Some((Code::WrongType, 8, 14))),
        (CreateStack, "StackName: x\nTemplateURL: y\nTemplateBody: z", Some((Code::InvalidValue, 8, 18))),
        (
            CreateStack,
            "StackName: x\nTemplateBody: { a: b }\nTimeoutInMinutes: soon",
            Some((Code::WrongType, 9, 23)),
        ),
        (
            CreateStack,
            "StackName: x\nTemplateBody: z\nDisableRollback: true\nOnFailure: DELETE",
            Some((Code::InvalidValue, 10, 16)),
        ),
        (CreateTags, "ResourceIds: [ a ]\nTags: text", Some((Code::WrongType, 8, 11))),
        (InvokeLambdaFunction, "FunctionName: x\nInvocationType: Later", Some((Code::InvalidValue, 8, 21))),
        (RunInstances, "ImageId: x\nMetadataOptions: { HttpTokens: required }\nMinInstanceCount: '1'", None),
        (
            WaitForAwsResourceProperty,
            "Service: ec2\nApi: X\nPropertySelector: $.a[\nDesiredValues: [ b ]",
            Some((Code::Selector, 9, 23)),
        ),
        (WaitForAwsResourceProperty, "Service: ec2\nApi: X\nPropertySelector: a.b\nDesiredValues: b", None),
    ];
    for (kind, inputs, expected) in table {
        let text = step(kind.as_str(), inputs);
        match expected {
            None => drop(accepted(&text)),
            Some(place) => assert_eq!(places(&refused(&text)), [place], "{inputs}"),
        }
    }
    let hinted = refused(&step("aws:deleteStack", "StackName: x\nRoleArn: y"));
    assert_eq!(hinted[0].hint.as_deref(), Some("did you mean \"RoleARN\"?"));
    let unknown = refused(&step("aws:executeScripts", "Runtime: x"));
    assert_eq!(unknown[0].hint.as_deref(), Some("did you mean \"aws:executeScript\"?"));
}

#[test]
fn outputs_of_an_action_without_a_response_are_doubted() {
    for kind in OtherKind::ALL {
        let text =
            step(kind.as_str(), least(kind)) + "  outputs:\n  - { Name: A, Selector: $.A, Type: String }\n";
        let validation = validate(&text, Portability::Here);
        assert!(validation.is_valid(), "{}", shown(&validation.diagnostics));
        let is_doubted = validation.diagnostics.iter().any(|d| d.code == Code::UnknownProperty);
        let has_response = !matches!(
            kind,
            OtherKind::AssertAwsResourceProperty
                | OtherKind::ChangeInstanceState
                | OtherKind::CreateTags
                | OtherKind::DeleteImage
                | OtherKind::DeleteStack
                | OtherKind::WaitForAwsResourceProperty
        );
        assert_eq!(is_doubted, !has_response, "{}", kind.as_str());
    }
}

#[test]
fn built_in_outputs_and_timeouts_are_those_of_the_user_guide() {
    let names = |text: &str| -> Vec<&'static str> {
        accepted(text).first().action.built_in_outputs().iter().map(|output| output.name).collect()
    };
    let table: [(&str, &[&str]); 4] = [
        ("aws:runInstances", &["InstanceIds", "InstanceStates"]),
        ("aws:executeAutomation", &["Output", "ExecutionId", "Status"]),
        ("aws:createImage", &["ImageId", "ImageState"]),
        ("aws:deleteImage", &[]),
    ];
    for (action, expected) in table {
        let kind = OtherKind::ALL.into_iter().find(|kind| kind.as_str() == action).expect("known");
        assert_eq!(names(&step(action, least(kind))), expected);
    }
    let command = |document: &str| {
        names(&step("aws:runCommand", &format!("DocumentName: {document}\nInstanceIds: i-1")))
    };
    assert_eq!(command("AWS-RunShellScript").len(), 16);
    assert_eq!(command("AWS-RunPatchBaseline").len(), 20);
    assert_eq!(command("\"{{ Wait }}\"").len(), 20, "it may be one that patches");
    let timeouts: Vec<(&str, u32)> = OtherKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind.as_str(), kind.default_timeout_seconds()?)))
        .collect();
    assert_eq!(
        timeouts,
        [
            ("aws:changeInstanceState", 3_600),
            ("aws:executeAwsApi", 25),
            ("aws:executeScript", 600),
            ("aws:invokeLambdaFunction", 300),
            ("aws:waitForAwsResourceProperty", 3_600),
        ]
    );
}
