//! What leads events to the functions: queues, topics, rules and event sources.

use std::time::Duration;

use serde_json::{Value, json};

use super::DeploymentOptions;
use crate::eventbridge::{Rule, Trigger};
use crate::lambda::EventSource;
use crate::names::topic_arn;
use crate::queue::{QueueOptions, Redrive};
use crate::simulation::Simulation;
use crate::sns::{Subscription, Target};

/// Node notifications, gathered.
const FACTS: &str = "facts";
/// Command status changes and wakes, at once.
pub(super) const PROMPT: &str = "prompt";
/// The topic Run Command publishes to.
pub(super) const TOPIC: &str = "run-command";
/// The role it does that with.
pub(super) const NOTIFIER: &str = "fleetwright-notifications";
/// The topic, and the queue behind it, that people are told by.
pub(super) const PEOPLE: &str = "people";
/// The rule, and the queue behind it, that programs hear of ends by.
const PROGRAMS: &str = "programs";
/// Queue visibility: six times the function timeout (Lambda developer guide, services-sqs-configure).
const VISIBILITY: Duration = Duration::from_secs(360);
/// Receives before a message is put aside.
const RECEIVES_MAX: u32 = 5;

/// Queues, topic and rules.
pub(super) fn connect(simulation: &Simulation, options: &DeploymentOptions) {
    let mut cloud = simulation.cloud();
    for queue in [FACTS, PROMPT] {
        let dead = format!("{queue}-dead");
        cloud.sqs.create(&dead, QueueOptions::default());
        let redrive = Some(Redrive { dead_letter_queue: dead, maximum_receives: RECEIVES_MAX });
        cloud.sqs.create(
            queue,
            QueueOptions { visibility_timeout: VISIBILITY, redrive, ..QueueOptions::default() },
        );
    }
    let now = cloud.now();
    cloud.iam.create(NOTIFIER, "ssm.amazonaws.com", "sns:Publish", &topic_arn(TOPIC), now);
    cloud
        .sns
        .subscribe(&topic_arn(TOPIC), Subscription { target: Target::Queue(FACTS.to_owned()), raw: false });
    if options.announce {
        cloud.sqs.create(PEOPLE, QueueOptions::default());
        let target = Target::Queue(PEOPLE.to_owned());
        cloud.sns.subscribe(&topic_arn(PEOPLE), Subscription { target, raw: true });
        cloud.sqs.create(PROGRAMS, QueueOptions::default());
        let pattern = json!({
            "source": ["fleetwright"],
            "detail-type": ["EC2 Automation Execution Status-change Notification"]
        });
        cloud.eventbridge.add(rule(PROGRAMS, pattern, PROGRAMS));
    }
    if options.command_events {
        // Terminal statuses only: a step goes on when one comes, and nothing is decided before.
        let pattern = json!({
            "source": ["aws.ssm"],
            "detail-type": ["EC2 Command Status-change Notification"],
            "detail": { "status": ["Success", "Failed", "TimedOut", "Cancelled"] }
        });
        cloud.eventbridge.add(rule("command-status", pattern, PROMPT));
    }
    if options.invocation_events {
        let pattern = json!({
            "source": ["aws.ssm"],
            "detail-type": ["EC2 Command Invocation Status-change Notification"],
            "detail": { "status": ["Success", "Failed", "TimedOut", "Cancelled"] }
        });
        cloud.eventbridge.add(rule("invocation-status", pattern, FACTS));
    }
    cloud.eventbridge.add(Rule {
        name: "every-minute".to_owned(),
        trigger: Trigger::EveryMinute,
        target: Target::Function("reconcile".to_owned()),
        input_template: None,
    });
}

/// A rule that puts what fits into a queue.
fn rule(name: &str, pattern: Value, queue: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        trigger: Trigger::Pattern(pattern),
        target: Target::Queue(queue.to_owned()),
        input_template: None,
    }
}

/// How the queues are worked off.
pub(super) fn event_sources() -> [EventSource; 2] {
    let source = |queue: &str, batch_size, window_s| EventSource {
        queue: queue.to_owned(),
        function: "on-command-event".to_owned(),
        batch_size,
        batch_window: Duration::from_secs(window_s),
        concurrency: 5,
    };
    [source(FACTS, 250, 2), source(PROMPT, 10, 0)]
}
