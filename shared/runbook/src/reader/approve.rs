use super::{Fields, Reader, run_command};
use crate::{Approve, Approvers, Code};

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<Approve> {
    let known = ["Approvers", "EnhancedApprovals", "MinRequiredApprovals", "NotificationArn", "Message"];
    inputs.only(reader, &known, "aws:approve");
    let approvers = match (inputs.get("Approvers"), inputs.get("EnhancedApprovals")) {
        (Some(node), _) => Some(Approvers::Listed(reader.text_list(node))),
        (None, Some(node)) => Some(Approvers::Enhanced(reader.template(node))),
        (None, None) => {
            reader.report(Code::MissingProperty, inputs.position, format!("{label} has no Approvers"));
            None
        }
    };
    let min_required_approvals =
        inputs.get("MinRequiredApprovals").and_then(|node| reader.setting(node, "MinRequiredApprovals"));
    let notification_arn = run_command::text(reader, inputs, "NotificationArn");
    let message = run_command::text(reader, inputs, "Message");
    Some(Approve { approvers: approvers?, min_required_approvals, notification_arn, message })
}
