//! Executions end, in time, as they were told to, and people hear of it; nobody calls in circles.

use super::{CLOCKS_DIFFER, Findings};
use crate::item::{document, is_over, number, text};
use crate::run::Stage;
use crate::violation::{Invariant, Violation};
use crate::weather::TOLD;
use crate::workload::Workload;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What reconcile may take to find that something is over.
const RECONCILED_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// With every message lost, reconcile ends an execution a quarter of an hour after its last command's ExpiresAfter or its
/// last step's deadline, at the latest.
pub(crate) fn in_time(stage: &mut Stage, workload: &Workload) -> Vec<Violation> {
    let items = stage.items();
    let mut findings = Findings { stage, workload, found: Vec::new() };
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    for id in findings.stage.ids() {
        let own = format!("EXEC#{id}");
        let mut latest = findings.stage.began;
        let mut ended = None;
        for item in &items {
            let body = document(item, "body");
            match (text(item, "pk") == Some(&own), text(item, "sk").unwrap_or_default()) {
                (true, "EXEC") => ended = moment(&body["phase"]["Ended"]["at"]),
                (true, sk) if sk.starts_with("STEP#") => {
                    // What has neither a deadline nor commands ends when it does: a sleep, a branch.
                    let is_instant =
                        !["aws:runCommand", "aws:loop"].contains(&body["action"].as_str().unwrap_or(""));
                    let own = || moment(&body["ended_at"]).filter(|_| is_instant);
                    let due = moment(&body["deadline"]).or_else(own);
                    latest = latest.max(due.unwrap_or(latest));
                }
                _ if text(item, "owner_execution") == Some(&id) => {
                    let ms = number(item, "expires_after").and_then(|ms| i64::try_from(ms).ok());
                    let expires = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                    latest = latest.max(expires.unwrap_or(latest));
                }
                _ => {}
            }
        }
        if ended.is_none_or(|ended| ended > latest + RECONCILED_AFTER) {
            let what = format!("{id} ended at {ended:?}, and its last wait was over at {latest}");
            findings.wrong(Invariant::EverythingEnds, what);
        }
    }
    findings.found
}

impl Findings<'_> {
    pub(super) fn nothing_forbidden(&mut self) {
        let violations = self.stage.deployment.simulation.cloud().violations.clone();
        for violation in violations {
            self.wrong(Invariant::Permitted, format!("{violation:?}"));
        }
    }

    pub(super) fn everything_is_over(&mut self, items: &[Value]) {
        for item in items {
            let (pk, sk) = (text(item, "pk").unwrap_or_default(), text(item, "sk").unwrap_or_default());
            if !pk.starts_with("EXEC#") {
                continue;
            }
            if (sk == "EXEC" || sk.starts_with("STEP#")) && !is_over(item) {
                self.wrong(Invariant::EverythingEnds, format!("{pk} {sk} is {:?}", text(item, "status")));
            }
            if sk.starts_with("SEND#") && text(item, "state") != Some("ended") {
                self.wrong(Invariant::EverythingEnds, format!("{pk} {sk} is {:?}", text(item, "state")));
            }
        }
    }

    /// A stop that was answered stands, unless the execution had ended before.
    pub(super) fn stops_stand(&mut self, items: &[Value]) {
        for (id, answered_at) in self.stage.stopped() {
            let own = format!("EXEC#{id}");
            let head =
                items.iter().find(|item| text(item, "pk") == Some(&own) && text(item, "sk") == Some("EXEC"));
            let body = head.map(|head| document(head, "body")).unwrap_or_default();
            let ended: Option<Timestamp> =
                body["phase"]["Ended"]["at"].as_str().and_then(|text| text.parse().ok());
            let before = ended.is_some_and(|ended| ended < answered_at + CLOCKS_DIFFER);
            if body["stop"].is_null() && !before {
                self.wrong(Invariant::StopMeansStop, format!("{id} was stopped, and does not know"));
            }
        }
    }

    /// Whoever is to be told of ends is told of each.
    pub(super) fn every_end_is_announced(&mut self) {
        if !self.workload.announce {
            return;
        }
        for who in TOLD {
            let told = self.stage.deployment.collected(who);
            for id in self.stage.ids() {
                if !told.iter().any(|message| message.contains(&id)) {
                    let what = format!("the end of {id} was not told to {who}");
                    self.wrong(Invariant::NothingAcceptedIsLost, what);
                }
            }
        }
    }

    /// Nobody calls in circles: what is asked of SSM is bounded by commands, by time, and by messages that come twice.
    pub(super) fn within_budget(&mut self) {
        let (calls, commands) = {
            let cloud = self.stage.deployment.simulation.cloud();
            let calls: u64 = cloud
                .counters
                .calls
                .values()
                .flat_map(|actions| actions.iter())
                .filter(|(action, _)| action.starts_with("ssm:"))
                // One that fails is made four times.
                .map(|(_, count)| count.applied + count.lost.div_ceil(4))
                .sum();
            (calls, u64::try_from(cloud.ssm.ledger().commands().len()).unwrap_or(0))
        };
        let passed = self.stage.deployment.simulation.now().duration_since(self.stage.began);
        let minutes = u64::try_from(passed.as_mins()).unwrap_or(0);
        // A copy of a message is taken by somebody who does not know of the other.
        let messages = self.stage.weather.messages();
        let copies: u64 = messages.iter().map(|message| u64::from(message.copies.saturating_sub(1))).sum();
        if calls > 50 + 30 * commands + 20 * minutes + 2 * copies {
            let what = format!("{calls} calls to SSM for {commands} commands in {minutes} minutes");
            self.wrong(Invariant::WithinBudget, what);
        }
    }
}
