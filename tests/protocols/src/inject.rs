//! What others do to a deployment: messages put into its queues and topics, and what of it counts as an intent.

use crate::Run;
use fleetwright_local::fleet::{Behaviour, Fleet, Span};
use fleetwright_local::names::{queue_url, topic_arn};
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::{Channel, Cloud, Delivery, DeliveryFault, Faults, TABLE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Alike nodes on which every run takes this many seconds and succeeds.
#[must_use]
pub fn steady_fleet(nodes: usize, seconds: i64) -> Fleet {
    let mut fleet = Fleet::plain(nodes, 1);
    let behaviour = Behaviour { duration: Span::seconds(seconds, seconds), ..Behaviour::default() };
    for node in fleet.nodes_mut() {
        node.behaviours = [behaviour.clone()].into();
    }
    fleet
}

/// Whether the table's items are as wanted: looked at only after something was written.
pub fn stored(wanted: impl Fn(&[Value]) -> bool) -> impl FnMut(&Cloud) -> bool {
    let mut seen = 0;
    move |cloud| {
        let writes =
            ["TransactWriteItems", "UpdateItem", "PutItem"].map(|operation| format!("dynamodb:{operation}"));
        let writes = writes.iter().map(|action| cloud.counters.applied(action)).sum();
        if std::mem::replace(&mut seen, writes) == writes {
            return false;
        }
        wanted(&cloud.dynamodb.items(TABLE).expect("the table"))
    }
}

impl Run {
    /// Puts a message into a queue.
    pub fn put(&self, queue: &str, message: &str) {
        self.somebody(
            Service::Sqs,
            "SendMessage",
            json!({ "QueueUrl": queue_url(queue), "MessageBody": message }),
        );
    }

    /// Says, as SSM would, that a command has ended like this on a node.
    pub fn say(&self, command_id: &str, node: &str, status: &str) {
        let message = node_notification(command_id, node, status, self.now()).to_string();
        let body = json!({ "TopicArn": topic_arn("run-command"), "Message": message });
        self.somebody(Service::Sns, "Publish", body);
    }

    /// Lets days pass in which nothing is due: reconcile is not even asked.
    pub fn pass_days(&mut self, days: i64) {
        self.deployment.simulation.set_faults(Box::new(NoTicks));
        self.pass(SignedDuration::from_hours(24 * days));
        self.calm();
    }

    fn somebody(&self, service: Service, operation: &str, body: Value) {
        let request = Request { service, operation: operation.to_owned(), body };
        let answer = self.cloud().handle("somebody", &request);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Every send with its tries: the intents so far. After a stop there are no others.
    pub fn intents(&self) -> BTreeMap<String, u32> {
        self.sends().into_iter().map(|send| (send.token, send.tries)).collect()
    }

    /// The names of the steps that began, in order, and how each stands.
    pub fn steps(&mut self) -> Vec<(String, String)> {
        let execution = self.execution();
        let steps = execution["StepExecutions"].as_array().expect("steps");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        steps.iter().map(|step| (text(&step["StepName"]), text(&step["StepStatus"]))).collect()
    }

    /// Node ids of the fleet, in its order.
    pub fn nodes(&self) -> Vec<String> {
        self.cloud().ssm.node_ids().map(str::to_owned).collect()
    }
}

/// Nothing goes wrong, and the schedule rests.
struct NoTicks;

impl Faults for NoTicks {
    fn on_delivery(&mut self, delivery: &Delivery<'_>) -> DeliveryFault {
        if delivery.channel == Channel::Schedule { DeliveryFault::Drop } else { DeliveryFault::Deliver }
    }
}

/// The message of a notification about one node (User Guide, monitoring-sns-examples).
#[must_use]
pub fn node_notification(command_id: &str, node: &str, status: &str, at: Timestamp) -> Value {
    json!({
        "commandId": command_id, "documentName": "AWS-RunShellScript", "instanceId": node,
        "requestedDateTime": at.to_string(), "status": status, "eventTime": at.to_string(),
    })
}
