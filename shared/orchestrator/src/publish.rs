//! Telling people how an execution ended. May be repeated freely: who is told twice is told the same.

use crate::advance::Performed;
use crate::planted::{Bug, is_planted};
use crate::{Error, Operation, Orchestrator};
use fleetwright_engine::{Approval, Execution, PendingKind, Phase, StepExecution, Work};
use jiff::SignedDuration;
use serde_json::json;

/// SNS API reference, Publish.Subject.
const SUBJECT_CHARS_MAX: usize = 100;
/// Topics that approvals are asked for by (User Guide, automation-action-approve): no runbook publishes to any other.
const APPROVAL_TOPIC_PREFIX: &str = "Automation";
/// After a day nobody waits for the news any more.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Orchestrator {
    /// Publishes the end of an execution to the topic for people. Names, ids and times only: outputs may hold secrets.
    pub(crate) async fn publish(&self, execution: &Execution) -> Result<Performed, Error> {
        if is_planted(Bug::PublishNotedFirst) {
            self.table.performed(&execution.id, &PendingKind::Publish.key()).await?;
        }
        if let (Some(topic), Phase::Ended { ending, at }) = (&self.config.people_topic_arn, &execution.phase)
            && self.now() < *at + GIVE_UP_AFTER
        {
            let status = ending.status.as_str();
            let subject = format!("{status}: {}", execution.document.name);
            // The detail of SSM's own event (User Guide, monitoring-systems-manager-event-examples).
            let message = json!({
                "ExecutionId": execution.id.as_str(),
                "Definition": execution.document.name,
                "DefinitionVersion": execution.document.version,
                "Status": status,
                "StartTime": execution.started_at.to_string(),
                "EndTime": at.to_string(),
                "ExecutedBy": execution.executed_by,
            });
            self.clients
                .sns
                .publish()
                .topic_arn(topic)
                .subject(subject.chars().take(SUBJECT_CHARS_MAX).collect::<String>())
                .message(message.to_string())
                .send()
                .await
                .map_err(|error| Error::of(Operation::Publish, &error))?;
        }
        self.table.performed(&execution.id, &PendingKind::Publish.key()).await?;
        Ok(Performed::Done)
    }

    /// Tells an approval's topic that somebody is waited for (User Guide, automation-action-approve). Its message is the
    /// author's; what else is told is how to answer.
    pub(crate) async fn ask_approval(&self, execution: &Execution, ordinal: u32) -> Result<Performed, Error> {
        let waiting = execution.open_step().filter(|step| step.ordinal == ordinal);
        if let Some((step, approval)) = waiting.and_then(waiting_approval)
            && let Some(topic) = &approval.notification_arn
        {
            let asked = self.publish_request(execution, step, approval, topic).await;
            if let Err(Error::Denied { code, .. }) = &asked {
                // It will be no other tomorrow, and whoever waits for the message should know.
                tracing::error!(execution = %execution.id, step = %step.name, %code, "nobody was asked to approve");
                let warning =
                    format!("Nobody was told that step {} waits for approval: {topic}: {code}", step.name);
                self.table.warn(&execution.id, &warning).await?;
            } else {
                asked?;
            }
        }
        self.table.performed(&execution.id, &PendingKind::AskApproval(ordinal).key()).await?;
        Ok(Performed::Done)
    }

    async fn publish_request(
        &self,
        execution: &Execution,
        step: &StepExecution,
        approval: &Approval,
        topic: &str,
    ) -> Result<(), Error> {
        let name = topic.rsplit(':').next().unwrap_or(topic);
        if !name.starts_with(APPROVAL_TOPIC_PREFIX) {
            let message = format!("a topic for approvals is called {APPROVAL_TOPIC_PREFIX}…");
            let (operation, code) = (Operation::Publish, "InvalidNotificationArn".to_owned());
            return Err(Error::Denied { operation, code, message });
        }
        let subject = format!("Approval needed: {}, step {}", execution.document.name, step.name);
        self.clients
            .sns
            .publish()
            .topic_arn(topic)
            .subject(subject.chars().take(SUBJECT_CHARS_MAX).collect::<String>())
            .message(approval_request(execution, step, approval))
            .send()
            .await
            .map(drop)
            .map_err(|error| Error::of(Operation::Publish, &error))
    }
}

fn waiting_approval(step: &StepExecution) -> Option<(&StepExecution, &Approval)> {
    match &step.work {
        Some(Work::Approval(approval)) => Some((step, approval)),
        Some(Work::Fleet(_) | Work::Sleep { .. } | Work::Pause | Work::Answered) | None => None,
    }
}

fn approval_request(execution: &Execution, step: &StepExecution, approval: &Approval) -> String {
    let mut text = approval.message.clone().map(|message| format!("{message}\n\n")).unwrap_or_default();
    let (id, document, name) = (&execution.id, &execution.document.name, &step.name);
    let (required, approvers) = (approval.required, approval.approvers.join(", "));
    text.push_str(&format!(
        "Execution {id} of {document} waits in step {name} for {required} of these to approve: {approvers}.\n\
         aws ssm send-automation-signal --automation-execution-id {id} --signal-type Approve\n\
         aws ssm send-automation-signal --automation-execution-id {id} --signal-type Reject\n"
    ));
    text
}
