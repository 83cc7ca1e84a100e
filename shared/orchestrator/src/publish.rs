//! Telling people how an execution ended. May be repeated freely: who is told twice is told the same.

use crate::advance::Performed;
use crate::planted::{Bug, is_planted};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use fleetwright_engine::{Approval, Execution, PendingKind, Phase, StepExecution, Work};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// SNS API reference, Publish.Subject.
const SUBJECT_CHARS_MAX: usize = 100;
/// Topics that approvals are asked for by (User Guide, automation-action-approve): no runbook publishes to any other.
const APPROVAL_TOPIC_PREFIX: &str = "Automation";
/// The source of our events.
const SOURCE: &str = "fleetwright";
/// After a day nobody waits for the news any more.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Orchestrator {
    /// Tells the end of an execution to whoever is to hear of it. Names, ids and times only: outputs may hold secrets.
    pub(crate) async fn publish(&self, execution: &Execution) -> Result<Performed, Error> {
        if is_planted(Bug::PublishNotedFirst) {
            self.table.performed(&execution.id, &PendingKind::Publish.key()).await?;
        }
        if let Phase::Ended { ending, at } = &execution.phase
            && self.now() < *at + GIVE_UP_AFTER
        {
            let status = ending.status.as_str();
            futures::try_join!(
                self.tell_people(execution, status, *at),
                self.put_event(execution, status, *at)
            )?;
        }
        self.table.performed(&execution.id, &PendingKind::Publish.key()).await?;
        Ok(Performed::Done)
    }

    /// To the topic for people.
    async fn tell_people(&self, execution: &Execution, status: &str, at: Timestamp) -> Result<(), Error> {
        let Some(topic) = &self.config.people_topic_arn else { return Ok(()) };
        let subject = format!("{status}: {}", execution.document.name);
        let message = json!({
            "ExecutionId": execution.id.as_str(),
            "Definition": execution.document.name,
            "DefinitionVersion": execution.document.version,
            "Status": status,
            "StartTime": execution.started_at.to_string(),
            "EndTime": at.to_string(),
            "ExecutedBy": execution.executed_by,
        });
        let sent = self.clients.sns.publish().topic_arn(topic).message(message.to_string());
        let subject: String = subject.chars().take(SUBJECT_CHARS_MAX).collect();
        let sent = sent.subject(subject).send().await;
        sent.map(drop).map_err(|error| Error::of(Operation::Publish, &error))
    }

    /// To the event bus, as SSM tells of its own executions (User Guide, monitoring-systems-manager-event-examples). The
    /// source is ours: events in the name of AWS are refused.
    async fn put_event(&self, execution: &Execution, status: &str, at: Timestamp) -> Result<(), Error> {
        let Some(bus) = &self.config.event_bus else { return Ok(()) };
        let (place, document) = (&self.config.place, &execution.document);
        let arn = |resource: String| {
            format!("arn:{}:ssm:{}:{}:{resource}", place.partition, place.region, place.account_id)
        };
        let ran_ms = i32::try_from(at.duration_since(execution.started_at).as_millis()).unwrap_or(i32::MAX);
        let detail = json!({
            "ExecutionId": execution.id.as_str(),
            "Definition": document.name,
            "DefinitionVersion": document.version.parse::<f64>().unwrap_or(1.0),
            "Status": status,
            "StartTime": in_words(execution.started_at),
            "EndTime": in_words(at),
            "Time": f64::from(ran_ms),
            "ExecutedBy": execution.executed_by,
        });
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(SOURCE)
            .detail_type("EC2 Automation Execution Status-change Notification")
            .resources(arn(format!("automation-execution/{}", execution.id)))
            .resources(arn(format!("automation-definition/{}:{}", document.name, document.version)))
            .detail(detail.to_string())
            .build();
        let answer = self.clients.events.put_events().entries(entry).send().await;
        let answer = answer.map_err(|error| Error::of(Operation::PutEvents, &error))?;
        match answer.entries.unwrap_or_default().into_iter().find_map(|entry| entry.error_code) {
            None => Ok(()),
            Some(code) => Err(Error::Again(format!("PutEvents: {code}"))),
        }
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

/// A moment as SSM's events write it, in UTC: "Nov 29, 2024 7:43:25 PM".
fn in_words(at: Timestamp) -> String {
    at.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
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
