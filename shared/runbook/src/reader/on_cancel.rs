use super::{Fields, Reader};
use crate::{
    Code, Diagnostic,
    outline::steps_of_loop,
    source::node::{Content, Node},
};

/// The actions that a cancelled step cannot go on to (SSM User Guide, automation-actions, "onCancel").
const NO_TARGETS: [&str; 8] = [
    "aws:approve",
    "aws:copyImage",
    "aws:createImage",
    "aws:createStack",
    "aws:createTags",
    "aws:pause",
    "aws:runInstances",
    "aws:sleep",
];

/// The actions without `onCancel` (SSM User Guide, automation-action-loop, automation-action-update-variable).
const WITHOUT: [&str; 2] = ["aws:loop", "aws:updateVariable"];

/// Checks where cancelled steps go on. The name of the target is checked where the step is read.
pub(super) fn check(reader: &mut Reader, root: Fields<'_>) {
    check_steps(reader, root.get("mainSteps").map_or(&[], Node::items));
}

fn check_steps(reader: &mut Reader, items: &[Node]) {
    for item in items {
        check_step(reader, item);
        check_steps(reader, steps_of_loop(item));
    }
}

fn check_step(reader: &mut Reader, item: &Node) {
    let Some(node) = item.get("onCancel") else { return };
    let action = item.get("action").and_then(Node::text).unwrap_or_default();
    if WITHOUT.contains(&action.as_ref()) {
        reader.report(Code::InvalidValue, node.position, format!("{action} does not take onCancel"));
        return;
    }
    let Content::Text(text) = &node.content else { return };
    let Some(name) = text.strip_prefix("step:").map(str::trim) else { return };
    let outline = &reader.scope.outline;
    let target = outline.index(name).and_then(|at| outline.steps[at].action.as_ref());
    let Some((action, _)) = target.filter(|(action, _)| NO_TARGETS.contains(&action.as_str())) else {
        return;
    };
    let message = format!("SSM does not go on to {action} after a cancel, which step {name} is");
    let hint = format!("it goes on to none of {}", NO_TARGETS.join(", "));
    // A published runbook does that, so SSM takes it when the document is created.
    reader.diagnostics.push(Diagnostic::warning(Code::InvalidValue, node.position, message).hint(hint));
}
