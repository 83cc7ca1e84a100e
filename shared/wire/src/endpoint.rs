//! The two endpoints of our API: one role may read, another control.

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// What tells and changes nothing; the results too.
    Read,
    /// What sends, starts, stops and decides.
    Control,
}

impl Endpoint {
    /// The endpoint for a request with this `X-Amz-Target`, such as `AmazonSSM.SendCommand`; for one without (GET), and
    /// for an operation that nobody knows, the one that reads.
    #[must_use]
    pub fn of(target: Option<&str>) -> Self {
        target.and_then(|target| target.strip_prefix("AmazonSSM.")).map_or(Self::Read, Self::of_operation)
    }

    /// The endpoint for an operation, such as `SendCommand`; for one that nobody knows, the one that reads.
    #[must_use]
    pub fn of_operation(name: &str) -> Self {
        match name {
            "SendCommand"
            | "CancelCommand"
            | "StartAutomationExecution"
            | "StopAutomationExecution"
            | "SendAutomationSignal" => Self::Control,
            _ => Self::Read,
        }
    }

    /// What a deployment calls it, `read` or `control`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Control => "control",
        }
    }

    /// The function that serves it in the embedded cloud.
    #[must_use]
    pub const fn function(self) -> &'static str {
        match self {
            Self::Read => "api-read",
            Self::Control => "api-control",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_goes_to_control() {
        for (target, endpoint) in [
            (Some("AmazonSSM.SendCommand"), Endpoint::Control),
            (Some("AmazonSSM.SendAutomationSignal"), Endpoint::Control),
            (Some("AmazonSSM.ListCommands"), Endpoint::Read),
            (Some("AmazonSSM.GetCommandInvocation"), Endpoint::Read),
            (Some("AmazonSSM.Nonsense"), Endpoint::Read),
            (Some("SendCommand"), Endpoint::Read),
            (None, Endpoint::Read),
        ] {
            assert_eq!(Endpoint::of(target), endpoint, "{target:?}");
        }
    }
}
