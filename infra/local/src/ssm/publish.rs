//! Notifications: SNS messages and EventBridge events (user guide, "Monitoring Systems Manager
//! status changes using Amazon SNS notifications" and "Amazon EventBridge event examples for Systems Manager").

use super::Ssm;
use super::agenda::Happening;
use super::command::Command;
use super::status::StatusDetails;
use super::time::{iso, iso_seconds, timestamp};
use jiff::Timestamp;
use rand::RngExt;
use serde_json::{Value, json};

/// Resources an event of a command names; what SSM does beyond is not documented.
const MAX_RESOURCES: usize = 50;

/// What SSM publishes.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// A message to an SNS topic.
    Sns {
        /// The topic.
        topic_arn: String,
        /// The role it is published with.
        role_arn: String,
        /// JSON text.
        message: String,
        /// When it is published.
        at: Timestamp,
    },
    /// An event on the default bus.
    Event {
        /// The envelope.
        event: Value,
        /// When it is published.
        at: Timestamp,
    },
}

impl Published {
    /// When it is published.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Sns { at, .. } | Self::Event { at, .. } => *at,
        }
    }

    const fn at_mut(&mut self) -> &mut Timestamp {
        match self {
            Self::Sns { at, .. } | Self::Event { at, .. } => at,
        }
    }
}

impl Ssm {
    /// Tells that a command's status has changed. Pending and Cancelling are never told.
    pub(super) fn publish_command(&mut self, c: usize) {
        let Some(command) = self.commands.get(c) else { return };
        let status = command.status.status();
        if status == "Pending" || status == "Cancelling" {
            return;
        }
        let sns =
            topic(command, "Command", status).map(|topic| (topic, self.command_message(command, status)));
        let event = self.options.notifications.command_events.then(|| self.command_event(command, status));
        self.publish(sns, event);
    }

    /// Tells that an invocation's status has changed.
    pub(super) fn publish_invocation(&mut self, c: usize, i: usize) {
        let Some(command) = self.commands.get(c) else { return };
        let Some(invocation) = command.invocations.get(i) else { return };
        let Some(node) = self.nodes.get(invocation.node) else { return };
        let details = invocation.details;
        let status = details.status();
        let kinds = self.options.notifications;
        if status == "Pending" || status == "Cancelling" || (details.unstarted() && !kinds.unstarted) {
            return;
        }
        let (id, requested) = (&*node.node.id, iso(command.requested_at));
        let sns = topic(command, "Invocation", status).map(|topic| {
            let message = json!({
                "commandId": &*command.id, "documentName": &*command.document.name, "instanceId": id,
                "requestedDateTime": &requested, "status": status, "eventTime": iso(self.now),
            });
            (topic, message.to_string())
        });
        let finer = kinds.details_in_events
            && matches!(details, StatusDetails::Undeliverable | StatusDetails::Terminated);
        let event = kinds.invocation_events.then(|| {
            let detail = json!({
                "command-id": &*command.id, "document-name": &*command.document.name, "instance-id": id,
                "requested-date-time": &requested, "status": if finer { details.name() } else { status },
            });
            let kind = "EC2 Command Invocation Status-change Notification";
            self.envelope(kind, &[self.arn(id)], detail)
        });
        self.publish(sns, event);
    }

    fn command_message(&self, command: &Command, status: &str) -> String {
        let request = &command.request;
        json!({
            "commandId": &*command.id,
            "documentName": &*command.document.name,
            "instanceIds": request.instance_ids.as_deref().unwrap_or_default(),
            "requestedDateTime": iso(command.requested_at),
            "expiresAfter": iso(command.expires_at),
            "outputS3BucketName": request.output_s3_bucket_name.as_deref().unwrap_or_default(),
            "outputS3KeyPrefix": request.output_s3_key_prefix.as_deref().unwrap_or_default(),
            "status": status,
            "eventTime": iso(self.now),
        })
        .to_string()
    }

    fn command_event(&self, command: &Command, status: &str) -> Value {
        let detail = json!({
            "command-id": &*command.id,
            "document-name": &*command.document.name,
            "expire-after": iso(command.expires_at),
            "parameters": command.request.parameters.clone().unwrap_or_default(),
            "requested-date-time": iso(command.requested_at),
            "status": status,
        });
        let nodes = command.invocations.iter().take(MAX_RESOURCES).filter_map(|one| self.nodes.get(one.node));
        let resources: Vec<String> = nodes.map(|node| self.arn(&node.node.id)).collect();
        self.envelope("EC2 Command Status-change Notification", &resources, detail)
    }

    /// An event's envelope. Its id is drawn when it is published.
    fn envelope(&self, kind: &str, resources: &[String], detail: Value) -> Value {
        let mut envelope = json!({
            "version": "0", "id": "", "detail-type": kind, "source": "aws.ssm", "account": self.options.account,
            "time": iso_seconds(self.now), "region": self.options.region, "resources": resources,
        });
        envelope["detail"] = detail;
        envelope
    }

    fn arn(&self, node: &str) -> String {
        let (account, region) = (&self.options.account, &self.options.region);
        match node.starts_with("mi-") {
            true => format!("arn:aws:ssm:{region}:{account}:managed-instance/{node}"),
            false => format!("arn:aws:ec2:{region}:{account}:instance/{node}"),
        }
    }

    /// Lets notifications leave after their lags; loses some, doubles some.
    fn publish(&mut self, sns: Option<(Topic, String)>, event: Option<Value>) {
        let at = timestamp(self.now);
        if let Some((topic, message)) = sns.filter(|_| self.options.notifications.sns) {
            let Topic { arn: topic_arn, role_arn } = topic;
            self.leave(&Published::Sns { topic_arn, role_arn, message, at });
        }
        if let Some(mut event) = event {
            event["id"] = Value::String(self.uuid());
            self.leave(&Published::Event { event, at });
        }
    }

    fn leave(&mut self, published: &Published) {
        let chance: f64 = self.rng.random_range(0.0..1.0);
        if chance < self.options.event_loss {
            return;
        }
        let twice = self.rng.random_range(0.0..1.0) < self.options.event_duplication;
        for _ in 0..=u8::from(twice) {
            let at = self.now.saturating_add(self.options.event_lag.draw(&mut self.rng));
            let mut copy = published.clone();
            *copy.at_mut() = timestamp(at);
            self.agenda.enter(at, Happening::Publish(Box::new(copy)));
        }
    }
}

/// Where a notification goes.
struct Topic {
    arn: String,
    /// Whose right to publish there it is.
    role_arn: String,
}

/// The topic that wants to hear of this status, if there is one.
fn topic(command: &Command, kind: &str, status: &str) -> Option<Topic> {
    let config = command.request.notification_config.as_ref()?;
    let arn = config.notification_arn.as_ref().filter(|arn| !arn.is_empty())?;
    let wanted_kind = config.notification_type.as_deref().unwrap_or("Command");
    let events = config.notification_events.as_deref().unwrap_or_default();
    let wanted = events.is_empty() || events.iter().any(|event| event == "All" || event == status);
    let role_arn = command.request.service_role_arn.clone().unwrap_or_default();
    (wanted && wanted_kind == kind).then(|| Topic { arn: arn.clone(), role_arn })
}
