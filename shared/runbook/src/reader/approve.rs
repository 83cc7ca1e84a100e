use super::{Fields, Reader, run_command};
use crate::{Approve, Approvers, Code, OrReference, Template, TextList};

/// Bounds of the inputs (SSM User Guide, automation-action-approve).
const APPROVERS_MAX: usize = 10;
const MESSAGE_CHARS_MAX: usize = 4_096;
const TOPIC_PREFIX: &str = "Automation";

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
    let min_required_approvals: Option<OrReference<u32>> =
        inputs.get("MinRequiredApprovals").and_then(|node| reader.setting(node, "MinRequiredApprovals"));
    let notification_arn = run_command::text(reader, inputs, "NotificationArn");
    let message = run_command::text(reader, inputs, "Message");
    if let Some(Approvers::Listed(list)) = &approvers {
        count(reader, inputs, list, min_required_approvals.as_ref());
    }
    texts(reader, notification_arn.as_ref(), message.as_ref());
    Some(Approve { approvers: approvers?, min_required_approvals, notification_arn, message })
}

/// Whether enough people are named, and not too many. A reference may stand for any number of them.
fn count(reader: &mut Reader, inputs: Fields<'_>, approvers: &TextList, min: Option<&OrReference<u32>>) {
    let count = approvers.items.len();
    let is_known = approvers.items.iter().all(|item| item.literal().is_some());
    if let Some(node) = inputs.get("Approvers") {
        if count > APPROVERS_MAX {
            let message = format!("Approvers has {count} items, SSM takes at most {APPROVERS_MAX}");
            reader.report(Code::InvalidValue, node.position, message);
        } else if count == 0 {
            reader.report(Code::MissingProperty, node.position, "Approvers names nobody");
        }
    }
    let (Some(OrReference::Literal(min)), Some(node)) = (min, inputs.get("MinRequiredApprovals")) else {
        return;
    };
    let min = usize::try_from(*min).unwrap_or(usize::MAX);
    if min == 0 || (is_known && count > 0 && min > count) {
        let message = format!("MinRequiredApprovals is 1 to the number of approvers, not {min}");
        reader.report(Code::InvalidValue, node.position, message);
    }
}

fn texts(reader: &mut Reader, topic: Option<&Template>, message: Option<&Template>) {
    let literal = |template: Option<&Template>| {
        let template = template?;
        Some((template.literal()?.as_str()?.to_owned(), template.position))
    };
    if let Some((text, position)) = literal(message)
        && text.chars().count() > MESSAGE_CHARS_MAX
    {
        let message = format!("Message has at most {MESSAGE_CHARS_MAX} characters");
        reader.report(Code::InvalidValue, position, message);
    }
    if let Some((arn, position)) = literal(topic)
        && !arn.is_empty()
        && !arn.rsplit(':').next().unwrap_or_default().starts_with(TOPIC_PREFIX)
    {
        // The role that AWS prepares may publish to such topics only; another role may be allowed more.
        let message = format!("the name of the topic does not begin with {TOPIC_PREFIX}");
        reader.warn(Code::InvalidValue, position, message);
    }
}
