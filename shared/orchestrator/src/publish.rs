//! Telling people how an execution ended. May be repeated freely: who is told twice is told the same.

use crate::advance::Performed;
use crate::{Error, Operation, Orchestrator};
use fleetwright_engine::{Execution, PendingKind, Phase};
use jiff::SignedDuration;
use serde_json::json;

/// SNS API reference, Publish.Subject.
const SUBJECT_CHARS_MAX: usize = 100;
/// After a day nobody waits for the news any more.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Orchestrator {
    /// Publishes the end of an execution to the topic for people. Names, ids and times only: outputs may hold secrets.
    pub(crate) async fn publish(&self, execution: &Execution) -> Result<Performed, Error> {
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
}
