//! `aws:approve`: who may decide, and what their decisions come to (User Guide, automation-action-approve).

use crate::leave::StepEnd;
use crate::scope::{Scope, Unopened};
use crate::{Approval, ApprovalDecision, ApproverDecision, Output, StepExecution};
use fleetwright_runbook::{Approve, Approvers, Template};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long it waits unless `timeoutSeconds` says otherwise.
const TIME_DEFAULT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The longest it waits; more counts as this.
const TIME_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most approvers.
const APPROVERS_MAX: usize = 10;
/// Characters of the message.
const MESSAGE_CHARS_MAX: usize = 4_096;

/// How long an approval waits.
pub(crate) fn time(given: Option<SignedDuration>) -> SignedDuration {
    given.map_or(TIME_DEFAULT, |given| given.min(TIME_MAX))
}

/// An approval that nobody has decided yet.
pub(crate) fn resolve(approve: &Approve, scope: &Scope<'_>) -> Result<Approval, Unopened> {
    let look_up = |reference: &_| scope.look_up(reference);
    let text = |template: &Option<Template>| -> Result<Option<String>, Unopened> {
        Ok(template.as_ref().map(|template| template.resolve_text(&look_up)).transpose()?)
    };
    let given = match &approve.approvers {
        Approvers::Listed(list) => list.resolve(&look_up)?,
        Approvers::Enhanced(_) => {
            return Err(Unopened::Fails("EnhancedApprovals cannot be executed here".to_owned()));
        }
    };
    let mut approvers: Vec<String> = Vec::new();
    for approver in given {
        if !approvers.contains(&approver) {
            approvers.push(approver);
        }
    }
    let required = match &approve.min_required_approvals {
        None => 1,
        Some(required) => required.resolve(&look_up)?,
    };
    let message = text(&approve.message)?;
    let notification_arn = text(&approve.notification_arn)?.filter(|arn| !arn.is_empty());
    let approval = Approval { approvers, required, notification_arn, message, decisions: Vec::new() };
    check(&approval).map_err(Unopened::Fails)?;
    Ok(approval)
}

fn check(approval: &Approval) -> Result<(), String> {
    let count = approval.approvers.len();
    if !(1..=APPROVERS_MAX).contains(&count) {
        return Err(format!("Approvers: {count} of them, it takes 1 to {APPROVERS_MAX}"));
    }
    let required = approval.required;
    if required == 0 || usize::try_from(required).is_ok_and(|required| required > count) {
        return Err(format!("MinRequiredApprovals: {required} of {count} approvers"));
    }
    let chars = approval.message.as_ref().map_or(0, |message| message.chars().count());
    if chars > MESSAGE_CHARS_MAX {
        return Err(format!("Message: {chars} characters, it takes at most {MESSAGE_CHARS_MAX}"));
    }
    Ok(())
}

/// What a decision comes to.
pub(crate) enum Decided {
    /// The caller may not decide.
    NoApprover,
    /// The caller said so before.
    Again,
    /// Every approver that the caller is has approved already, by somebody else's word.
    Taken,
    /// It counts, and ends the step if so.
    Counts(Option<StepEnd>),
}

/// Takes a decision. Each approval is one approver's, and each approver's is one: two sessions of a role are no two
/// voices where the role stands there once, for a caller is free to name the sessions of a role it may assume. One
/// rejection is enough, whoever approved before.
pub(crate) fn decide(approval: &mut Approval, decision: ApproverDecision, account_id: &str) -> Decided {
    let entries = |caller: &str| -> Vec<usize> {
        let approvers = approval.approvers.iter().enumerate();
        approvers
            .filter(|(_, approver)| is_approver(approver, caller, account_id))
            .map(|(at, _)| at)
            .collect()
    };
    let mine = entries(&decision.approver);
    if mine.is_empty() {
        return Decided::NoApprover;
    }
    let end = match decision.decision {
        ApprovalDecision::Reject => Some(StepEnd::failed(format!("Rejected by {}", decision.approver))),
        ApprovalDecision::Approve => {
            if approval.decisions.iter().any(|earlier| earlier.approver == decision.approver) {
                return Decided::Again;
            }
            // Each decision so far is an approval: a rejection ends the step.
            let before = approval.decisions.iter().map(|earlier| entries(&earlier.approver));
            let voices: Vec<Vec<usize>> = before.chain([mine]).collect();
            if !have_one_each(&voices) {
                return Decided::Taken;
            }
            let approvals = u32::try_from(voices.len()).unwrap_or(u32::MAX);
            (approvals >= approval.required).then(StepEnd::success)
        }
    };
    approval.decisions.push(decision);
    Decided::Counts(end)
}

/// Whether each voice can be an approver of its own; a voice is the approvers it can be. A voice that finds all of
/// its own taken has one of the others look for another (Kuhn's algorithm for matchings): there are at most ten.
fn have_one_each(voices: &[Vec<usize>]) -> bool {
    let mut taken = BTreeMap::new();
    voices.iter().all(|voice| finds_one(voice, &mut taken, &mut BTreeSet::new()))
}

fn finds_one<'a>(
    voice: &'a [usize],
    taken: &mut BTreeMap<usize, &'a [usize]>,
    tried: &mut BTreeSet<usize>,
) -> bool {
    for approver in voice {
        if !tried.insert(*approver) {
            continue;
        }
        let holder = taken.get(approver).copied();
        if holder.is_none_or(|holder| finds_one(holder, taken, tried)) {
            taken.insert(*approver, voice);
            return true;
        }
    }
    false
}

/// Sets the outputs of an approval that is over.
pub(crate) fn set_outputs(step: &mut StepExecution, approval: &Approval, status: &str) {
    let decisions: Vec<Value> = approval.decisions.iter().map(shown).collect();
    step.outputs.insert("ApprovalStatus".to_owned(), Output::Value(json!(status)));
    step.outputs.insert("ApproverDecisions".to_owned(), Output::Value(Value::Array(decisions)));
}

fn shown(decision: &ApproverDecision) -> Value {
    json!({
        "Approver": decision.approver,
        "Decision": decision.decision.as_str(),
        "Comment": decision.comment.as_deref().unwrap_or(""),
        "Time": decision.at.to_string(),
    })
}

impl ApprovalDecision {
    /// SSM's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "Approve",
            Self::Reject => "Reject",
        }
    }
}

/// Whether a caller, by its ARN, is that approver: the same ARN, the user of that bare name in this account, or a session
/// of that role.
fn is_approver(approver: &str, caller: &str, account_id: &str) -> bool {
    if approver == caller {
        return true;
    }
    let Some(caller) = Arn::parse(caller) else { return false };
    match Arn::parse(approver) {
        Some(role) => {
            let name = role.resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
            let session =
                caller.resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
            let same_place = role.partition == caller.partition && role.account == caller.account;
            same_place
                && role.service == "iam"
                && caller.service == "sts"
                && name.is_some_and(|name| !name.is_empty() && session == Some(name))
        }
        None => {
            let user = caller.resource.strip_prefix("user/").and_then(|path| path.rsplit('/').next());
            caller.service == "iam" && caller.account == account_id && user == Some(approver)
        }
    }
}

/// The parts of `arn:partition:service:region:account:resource` that tell who somebody is.
struct Arn<'a> {
    partition: &'a str,
    service: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, _, account, resource] = parts.as_slice() else { return None };
        Some(Self { partition, service, account, resource })
    }
}
