//! A service, a clock, and short ways to call it.

use fleetwright_local::fleet::{Behaviour, Fleet, Share, Span};
use fleetwright_local::ssm::{Published, Ssm, SsmOptions};
use fleetwright_wire::ServiceError;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_767_225_600;

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:facts";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/notify";

pub(crate) struct World {
    pub(crate) ssm: Ssm,
    pub(crate) now: Timestamp,
}

/// Runs that take exactly this long and always succeed.
pub(crate) fn steady(seconds: i64) -> Behaviour {
    Behaviour { duration: Span::seconds(seconds, seconds), ..Behaviour::default() }
}

/// Runs that take exactly this long and always fail.
pub(crate) fn failing(seconds: i64) -> Behaviour {
    Behaviour { failed: Share::new(1.0), ..steady(seconds) }
}

/// Linux nodes that all behave like this.
pub(crate) fn fleet(count: usize, behaviour: &Behaviour) -> Fleet {
    let mut fleet = Fleet::plain(count, 7);
    for node in fleet.nodes_mut() {
        node.behaviours = [behaviour.clone()].into();
    }
    fleet
}

impl World {
    pub(crate) fn new(fleet: Fleet, options: SsmOptions) -> Self {
        let now = Timestamp::from_second(START).unwrap_or_default();
        Self { ssm: Ssm::new(fleet, options, 42), now }
    }

    /// A service without lags whose nodes all behave like this.
    pub(crate) fn exact(count: usize, behaviour: &Behaviour) -> Self {
        Self::new(fleet(count, behaviour), SsmOptions::exact())
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.ssm.node_ids().map(str::to_owned).collect()
    }

    pub(crate) fn try_call(&mut self, operation: &str, body: &Value) -> Result<Value, ServiceError> {
        self.ssm.handle(operation, body, self.now)
    }

    #[track_caller]
    pub(crate) fn call(&mut self, operation: &str, body: &Value) -> Value {
        match self.try_call(operation, body) {
            Ok(answer) => answer,
            Err(error) => panic!("{operation} {body}: {error}"),
        }
    }

    #[track_caller]
    pub(crate) fn refusal(&mut self, operation: &str, body: &Value) -> ServiceError {
        match self.try_call(operation, body) {
            Ok(answer) => panic!("{operation} {body} was accepted: {answer}"),
            Err(error) => error,
        }
    }

    /// Sends a script with these further members; returns the command's id.
    #[track_caller]
    pub(crate) fn send(&mut self, members: &Value) -> String {
        let mut body =
            json!({"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["echo hello"]}});
        for (name, value) in members.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        text(&self.call("SendCommand", &body)["Command"]["CommandId"])
    }

    /// Lets this many milliseconds pass.
    pub(crate) fn pass(&mut self, millis: i64) -> Vec<Published> {
        self.now += SignedDuration::from_millis(millis);
        self.ssm.run_until(self.now)
    }

    /// Goes from one happening to the next until none is left.
    pub(crate) fn settle(&mut self) -> Vec<Published> {
        let mut published = Vec::new();
        while let Some(next) = self.ssm.next_at() {
            self.now = self.now.max(next);
            published.extend(self.ssm.run_until(self.now));
        }
        published
    }

    /// Seconds since the start.
    pub(crate) fn elapsed(&self) -> i64 {
        self.now.as_second() - START
    }

    #[track_caller]
    pub(crate) fn command(&mut self, id: &str) -> Value {
        self.call("ListCommands", &json!({"CommandId": id}))["Commands"][0].clone()
    }

    /// StatusDetails of a command's invocations, read page by page, in the order of the nodes.
    #[track_caller]
    pub(crate) fn details(&mut self, id: &str) -> Vec<String> {
        let mut details = Vec::new();
        let mut body = json!({"CommandId": id});
        loop {
            let page = self.call("ListCommandInvocations", &body);
            let invocations = page["CommandInvocations"].as_array().cloned().unwrap_or_default();
            details.extend(invocations.iter().map(|one| text(&one["StatusDetails"])));
            if page["NextToken"].is_null() {
                return details;
            }
            body["NextToken"] = page["NextToken"].clone();
        }
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// How many are this.
pub(crate) fn count(all: &[String], wanted: &str) -> usize {
    all.iter().filter(|one| *one == wanted).count()
}
