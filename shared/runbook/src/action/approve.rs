use crate::{OrReference, Template, TextList};

/// `aws:approve` (SSM User Guide, automation-action-approve): waits until people have said yes or no.
#[derive(Clone, Debug, PartialEq)]
pub struct Approve {
    /// Who may say so.
    pub approvers: Approvers,
    /// How many must say yes; 1 unless set.
    pub min_required_approvals: Option<OrReference<u32>>,
    /// The topic that is told that somebody is waited for.
    pub notification_arn: Option<Template>,
    /// What is told there.
    pub message: Option<Template>,
}

/// Who may approve.
#[derive(Clone, Debug, PartialEq)]
pub enum Approvers {
    /// `Approvers`: user names, and ARNs of users, roles and assumed roles; at most 10.
    Listed(TextList),
    /// `EnhancedApprovals`: levels of approval, which only Change Manager has. Cannot be run here.
    Enhanced(Template),
}

impl Approve {
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut templates: Vec<&Template> = match &self.approvers {
            Approvers::Listed(list) => list.items.iter().collect(),
            Approvers::Enhanced(template) => vec![template],
        };
        templates.extend(self.min_required_approvals.as_ref().and_then(OrReference::template));
        templates.extend(&self.notification_arn);
        templates.extend(&self.message);
        templates
    }
}
