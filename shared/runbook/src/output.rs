use crate::{OtherKind, ValueType};

/// An output that a step has without declaring it (SSM User Guide, automation-action-…, "Output").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInOutput {
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub value_type: ValueType,
    /// Whether SSM has it too; some are ours only.
    pub portable: bool,
}

const fn theirs(name: &'static str, value_type: ValueType) -> BuiltInOutput {
    BuiltInOutput { name, value_type, portable: true }
}

const fn ours(name: &'static str, value_type: ValueType) -> BuiltInOutput {
    BuiltInOutput { name, value_type, portable: false }
}

/// SSM's own first, then those of a fleet, whose lists partition the nodes of the command, and last what a patch
/// baseline reports and no other document does.
const PATCH: [BuiltInOutput; 20] = [
    theirs("CommandId", ValueType::String),
    theirs("Status", ValueType::String),
    theirs("ResponseCode", ValueType::Integer),
    theirs("Output", ValueType::String),
    ours("TargetCount", ValueType::Integer),
    ours("SuccessCount", ValueType::Integer),
    ours("FailedCount", ValueType::Integer),
    ours("TimedOutCount", ValueType::Integer),
    ours("UnknownCount", ValueType::Integer),
    ours("NotRunCount", ValueType::Integer),
    ours("SuccessInstanceIds", ValueType::StringList),
    ours("FailedInstanceIds", ValueType::StringList),
    ours("TimedOutInstanceIds", ValueType::StringList),
    ours("UnknownInstanceIds", ValueType::StringList),
    ours("NotRunInstanceIds", ValueType::StringList),
    ours("SuccessPercentage", ValueType::Integer),
    ours("MissingCount", ValueType::Integer),
    ours("NonCompliantInstanceIds", ValueType::StringList),
    ours("PendingRebootInstanceIds", ValueType::StringList),
    ours("PatchStateUnknownInstanceIds", ValueType::StringList),
];

/// How many of them come from a patch baseline.
const PATCH_ONLY: usize = 4;

/// The documents whose nodes report the state of their patches.
const PATCH_DOCUMENTS: &str = "AWS-RunPatchBaseline";

/// `OutputPayload` is how the API of later years names the whole response.
const PAYLOAD: BuiltInOutput = theirs("OutputPayload", ValueType::StringMap);

/// The outputs of `aws:runCommand`. A document known only when it runs may be one that patches.
pub(crate) fn run_command(document: Option<&str>) -> &'static [BuiltInOutput] {
    match document {
        Some(name) if !name.starts_with(PATCH_DOCUMENTS) => &PATCH[..PATCH.len() - PATCH_ONLY],
        Some(_) | None => &PATCH,
    }
}

/// The outputs of `aws:approve`.
pub(crate) const APPROVE: &[BuiltInOutput] =
    &[theirs("ApprovalStatus", ValueType::String), theirs("ApproverDecisions", ValueType::StringList)];

/// The outputs of `aws:loop` that goes over items, which its own steps read.
pub(crate) const LOOP_OVER_ITEMS: &[BuiltInOutput] =
    &[theirs("CurrentIteratorValue", ValueType::String), theirs("CurrentIteration", ValueType::Integer)];

/// The outputs of `aws:loop` that goes by a condition.
pub(crate) const LOOP_WHILE: &[BuiltInOutput] = &[theirs("CurrentIteration", ValueType::Integer)];

/// The outputs of an action of another service.
pub(crate) const fn other(kind: OtherKind) -> &'static [BuiltInOutput] {
    match kind {
        OtherKind::ExecuteAwsApi => const { &[PAYLOAD] },
        OtherKind::ExecuteScript => const { &[theirs("Payload", ValueType::StringMap), PAYLOAD] },
        OtherKind::InvokeLambdaFunction => {
            const {
                &[
                    theirs("StatusCode", ValueType::Integer),
                    theirs("FunctionError", ValueType::String),
                    theirs("LogResult", ValueType::String),
                    theirs("Payload", ValueType::String),
                    PAYLOAD,
                ]
            }
        }
        OtherKind::ExecuteAutomation => {
            const {
                &[
                    theirs("Output", ValueType::StringList),
                    theirs("ExecutionId", ValueType::String),
                    theirs("Status", ValueType::String),
                ]
            }
        }
        OtherKind::ExecuteStateMachine => {
            const {
                &[
                    theirs("executionArn", ValueType::String),
                    theirs("input", ValueType::String),
                    theirs("name", ValueType::String),
                    theirs("output", ValueType::String),
                    theirs("startDate", ValueType::String),
                    theirs("stateMachineArn", ValueType::String),
                    theirs("status", ValueType::String),
                    theirs("stopDate", ValueType::String),
                ]
            }
        }
        OtherKind::InvokeWebhook => {
            const { &[theirs("Response", ValueType::String), theirs("ResponseCode", ValueType::Integer)] }
        }
        OtherKind::CopyImage | OtherKind::CreateImage => {
            const { &[theirs("ImageId", ValueType::String), theirs("ImageState", ValueType::String)] }
        }
        OtherKind::CreateStack => {
            const {
                &[
                    theirs("StackId", ValueType::String),
                    theirs("StackStatus", ValueType::String),
                    theirs("StackStatusReason", ValueType::String),
                ]
            }
        }
        OtherKind::RunInstances => {
            const {
                &[
                    theirs("InstanceIds", ValueType::StringList),
                    theirs("InstanceStates", ValueType::StringList),
                ]
            }
        }
        // The User Guide says "None"; responses of the API show it.
        OtherKind::ChangeInstanceState => const { &[theirs("InstanceStates", ValueType::StringList)] },
        OtherKind::AssertAwsResourceProperty
        | OtherKind::CreateTags
        | OtherKind::DeleteImage
        | OtherKind::DeleteStack
        | OtherKind::WaitForAwsResourceProperty => &[],
    }
}
