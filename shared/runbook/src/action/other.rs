use crate::Template;

/// An action that is known and cannot be run here yet. Its inputs are checked, and it can be answered for in a
/// rehearsal.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherAction {
    /// Which.
    pub kind: OtherKind,
    /// Its inputs, a mapping.
    pub inputs: Template,
}

/// The actions of other services (SSM User Guide, automation-actions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are SSM's and say it")]
pub enum OtherKind {
    AssertAwsResourceProperty,
    ChangeInstanceState,
    CopyImage,
    CreateImage,
    CreateStack,
    CreateTags,
    DeleteImage,
    DeleteStack,
    ExecuteAutomation,
    ExecuteAwsApi,
    ExecuteScript,
    ExecuteStateMachine,
    InvokeLambdaFunction,
    InvokeWebhook,
    RunInstances,
    WaitForAwsResourceProperty,
}

impl OtherKind {
    /// Every one.
    pub const ALL: [Self; 16] = [
        Self::AssertAwsResourceProperty,
        Self::ChangeInstanceState,
        Self::CopyImage,
        Self::CreateImage,
        Self::CreateStack,
        Self::CreateTags,
        Self::DeleteImage,
        Self::DeleteStack,
        Self::ExecuteAutomation,
        Self::ExecuteAwsApi,
        Self::ExecuteScript,
        Self::ExecuteStateMachine,
        Self::InvokeLambdaFunction,
        Self::InvokeWebhook,
        Self::RunInstances,
        Self::WaitForAwsResourceProperty,
    ];

    /// The action of that name.
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// How long a step of it may take if it does not say, in seconds; None where nothing is documented
    /// (SSM User Guide, automation-action-changestate, -executeScript, -lamb, aws-apis-calling).
    pub const fn default_timeout_seconds(self) -> Option<u32> {
        match self {
            Self::ExecuteAwsApi => Some(25),
            Self::InvokeLambdaFunction => Some(300),
            Self::ExecuteScript => Some(600),
            Self::ChangeInstanceState | Self::WaitForAwsResourceProperty => Some(3_600),
            Self::AssertAwsResourceProperty
            | Self::CopyImage
            | Self::CreateImage
            | Self::CreateStack
            | Self::CreateTags
            | Self::DeleteImage
            | Self::DeleteStack
            | Self::ExecuteAutomation
            | Self::ExecuteStateMachine
            | Self::InvokeWebhook
            | Self::RunInstances => None,
        }
    }

    /// The name of the action.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssertAwsResourceProperty => "aws:assertAwsResourceProperty",
            Self::ChangeInstanceState => "aws:changeInstanceState",
            Self::CopyImage => "aws:copyImage",
            Self::CreateImage => "aws:createImage",
            Self::CreateStack => "aws:createStack",
            Self::CreateTags => "aws:createTags",
            Self::DeleteImage => "aws:deleteImage",
            Self::DeleteStack => "aws:deleteStack",
            Self::ExecuteAutomation => "aws:executeAutomation",
            Self::ExecuteAwsApi => "aws:executeAwsApi",
            Self::ExecuteScript => "aws:executeScript",
            Self::ExecuteStateMachine => "aws:executeStateMachine",
            Self::InvokeLambdaFunction => "aws:invokeLambdaFunction",
            Self::InvokeWebhook => "aws:invokeWebhook",
            Self::RunInstances => "aws:runInstances",
            Self::WaitForAwsResourceProperty => "aws:waitForAwsResourceProperty",
        }
    }
}
