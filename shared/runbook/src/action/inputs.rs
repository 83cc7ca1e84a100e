//! The inputs of the actions of other services, from their pages of the SSM User Guide (automation-action-…).

use self::InputKind::{
    Anything, Boolean, Mapping, MappingList, OneOf, Selector, Text, TextList, WholeNumber,
};
use super::OtherKind;

/// What an action takes.
pub(crate) struct Inputs {
    /// The inputs its page lists.
    pub(crate) known: &'static [Input],
    /// Whether it takes more: "this action supports most API parameters".
    pub(crate) is_open: bool,
    /// Inputs that exclude each other.
    pub(crate) exclusive: &'static [Exclusive],
}

/// One input.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) kind: InputKind,
    pub(crate) is_required: bool,
}

/// Two inputs of which only one may be given.
pub(crate) struct Exclusive {
    pub(crate) left: &'static str,
    pub(crate) right: &'static str,
    /// Whether one of them has to be.
    pub(crate) is_required: bool,
}

/// What an input takes. A reference may stand for any of it.
#[derive(Clone, Copy)]
pub(crate) enum InputKind {
    Text,
    OneOf(&'static [&'static str]),
    TextList,
    WholeNumber,
    Boolean,
    Mapping,
    MappingList,
    Selector,
    Anything,
}

const fn needs(name: &'static str, kind: InputKind) -> Input {
    Input { name, kind, is_required: true }
}

const fn takes(name: &'static str, kind: InputKind) -> Input {
    Input { name, kind, is_required: false }
}

const fn closed(known: &'static [Input]) -> Inputs {
    Inputs { known, is_open: false, exclusive: &[] }
}

const fn open(known: &'static [Input]) -> Inputs {
    Inputs { known, is_open: true, exclusive: &[] }
}

impl OtherKind {
    /// What the action takes.
    pub(crate) const fn inputs(self) -> Inputs {
        match self {
            Self::ExecuteAwsApi => open(EXECUTE_AWS_API),
            Self::AssertAwsResourceProperty | Self::WaitForAwsResourceProperty => {
                open(WAIT_FOR_AWS_RESOURCE_PROPERTY)
            }
            Self::ExecuteScript => closed(EXECUTE_SCRIPT),
            Self::InvokeLambdaFunction => open(INVOKE_LAMBDA_FUNCTION),
            Self::ExecuteAutomation => closed(EXECUTE_AUTOMATION),
            Self::ExecuteStateMachine => open(EXECUTE_STATE_MACHINE),
            Self::InvokeWebhook => closed(INVOKE_WEBHOOK),
            Self::ChangeInstanceState => closed(CHANGE_INSTANCE_STATE),
            Self::CreateTags => open(CREATE_TAGS),
            Self::DeleteImage => closed(DELETE_IMAGE),
            Self::CopyImage => open(COPY_IMAGE),
            Self::CreateImage => open(CREATE_IMAGE),
            Self::DeleteStack => closed(DELETE_STACK),
            Self::CreateStack => CREATE_STACK,
            Self::RunInstances => open(RUN_INSTANCES),
        }
    }

    /// Whether it gives a response that outputs can be selected from.
    pub(crate) const fn has_response(self) -> bool {
        match self {
            Self::ExecuteAwsApi
            | Self::ExecuteScript
            | Self::InvokeLambdaFunction
            | Self::ExecuteAutomation
            | Self::ExecuteStateMachine
            | Self::InvokeWebhook
            | Self::CopyImage
            | Self::CreateImage
            | Self::CreateStack
            | Self::RunInstances => true,
            Self::AssertAwsResourceProperty
            | Self::ChangeInstanceState
            | Self::CreateTags
            | Self::DeleteImage
            | Self::DeleteStack
            | Self::WaitForAwsResourceProperty => false,
        }
    }
}

const EXECUTE_AWS_API: &[Input] = &[needs("Service", Text), needs("Api", Text)];

const WAIT_FOR_AWS_RESOURCE_PROPERTY: &[Input] = &[
    needs("Service", Text),
    needs("Api", Text),
    needs("PropertySelector", Selector),
    needs("DesiredValues", TextList),
];

const EXECUTE_SCRIPT: &[Input] = &[
    needs("Runtime", Text),
    takes("Handler", Text),
    takes("InputPayload", Anything),
    takes("Script", Text),
    takes("Attachment", Text),
];

const INVOKE_LAMBDA_FUNCTION: &[Input] = &[
    needs("FunctionName", Text),
    takes("Qualifier", Text),
    takes("InvocationType", OneOf(&["Event", "RequestResponse", "DryRun"])),
    takes("LogType", OneOf(&["None", "Tail"])),
    takes("ClientContext", Anything),
    takes("InputPayload", Anything),
    takes("Payload", Anything),
];

const EXECUTE_AUTOMATION: &[Input] = &[
    needs("DocumentName", Text),
    takes("DocumentVersion", Text),
    takes("RuntimeParameters", Mapping),
    takes("MaxConcurrency", Text),
    takes("MaxErrors", Text),
    takes("Tags", MappingList),
    takes("TargetLocations", MappingList),
    takes("TargetMaps", MappingList),
    takes("TargetParameterName", Text),
    takes("Targets", MappingList),
];

const EXECUTE_STATE_MACHINE: &[Input] =
    &[needs("stateMachineArn", Text), takes("name", Text), takes("input", Anything)];

const INVOKE_WEBHOOK: &[Input] = &[needs("IntegrationName", Text), takes("Body", Anything)];

const CHANGE_INSTANCE_STATE: &[Input] = &[
    needs("InstanceIds", TextList),
    needs("DesiredState", OneOf(&["running", "stopped", "terminated"])),
    takes("CheckStateOnly", Boolean),
    takes("Force", Boolean),
    takes("AdditionalInfo", Text),
];

const CREATE_TAGS: &[Input] =
    &[needs("ResourceIds", TextList), needs("Tags", MappingList), takes("ResourceType", Text)];

const DELETE_IMAGE: &[Input] = &[needs("ImageId", Text)];

const COPY_IMAGE: &[Input] = &[
    needs("SourceRegion", Text),
    needs("SourceImageId", Text),
    needs("ImageName", Text),
    takes("ImageDescription", Text),
    takes("Encrypted", Boolean),
    takes("KmsKeyId", Text),
    takes("ClientToken", Text),
];

const CREATE_IMAGE: &[Input] = &[
    needs("InstanceId", Text),
    needs("ImageName", Text),
    takes("ImageDescription", Text),
    takes("NoReboot", Boolean),
    takes("BlockDeviceMappings", Anything),
];

const DELETE_STACK: &[Input] = &[
    needs("StackName", Text),
    takes("ClientRequestToken", Text),
    takes("RetainResources", TextList),
    takes("RoleARN", Text),
];

const CREATE_STACK: Inputs = Inputs {
    exclusive: &[
        Exclusive { left: "TemplateBody", right: "TemplateURL", is_required: true },
        Exclusive { left: "DisableRollback", right: "OnFailure", is_required: false },
        Exclusive { left: "StackPolicyBody", right: "StackPolicyURL", is_required: false },
    ],
    ..closed(CREATE_STACK_INPUTS)
};

const CREATE_STACK_INPUTS: &[Input] = &[
    needs("StackName", Text),
    takes("Capabilities", TextList),
    takes("ClientRequestToken", Text),
    takes("DisableRollback", Boolean),
    takes("NotificationARNs", TextList),
    takes("OnFailure", OneOf(&["DO_NOTHING", "ROLLBACK", "DELETE"])),
    takes("Parameters", MappingList),
    takes("ResourceTypes", TextList),
    takes("RoleARN", Text),
    takes("StackPolicyBody", Anything),
    takes("StackPolicyURL", Text),
    takes("Tags", MappingList),
    takes("TemplateBody", Anything),
    takes("TemplateURL", Text),
    takes("TimeoutInMinutes", WholeNumber),
];

const RUN_INSTANCES: &[Input] = &[
    needs("ImageId", Text),
    takes("InstanceType", Text),
    takes("MinInstanceCount", WholeNumber),
    takes("MaxInstanceCount", WholeNumber),
    takes("AdditionalInfo", Text),
    takes("BlockDeviceMappings", MappingList),
    takes("ClientToken", Text),
    takes("DisableApiTermination", Boolean),
    takes("EbsOptimized", Boolean),
    takes("IamInstanceProfileArn", Text),
    takes("IamInstanceProfileName", Text),
    takes("InstanceInitiatedShutdownBehavior", Text),
    takes("KernelId", Text),
    takes("KeyName", Text),
    takes("Monitoring", Boolean),
    takes("NetworkInterfaces", MappingList),
    takes("Placement", Mapping),
    takes("PrivateIpAddress", Text),
    takes("RamdiskId", Text),
    takes("SecurityGroupIds", TextList),
    takes("SecurityGroups", TextList),
    takes("SubnetId", Text),
    takes("TagSpecifications", MappingList),
    takes("UserData", Text),
];
