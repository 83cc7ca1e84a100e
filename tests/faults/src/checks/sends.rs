//! At most one command a send; cancels that were noted were made; every command is known.

use super::{CLOCKS_DIFFER, Findings, was_hidden};
use crate::item::{number, sends, text, texts, token_of};
use crate::violation::Invariant;
use fleetwright_local::ssm::{CommandEntry, Ledger};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Commands beyond the first of each mark.
pub(crate) fn duplicates(ledger: &Ledger) -> u64 {
    let marks: BTreeSet<&str> =
        ledger.commands().iter().filter_map(|command| token_of(&command.comment)).collect();
    u64::try_from(ledger.commands().len() - marks.len()).unwrap_or(0)
}

impl Findings<'_> {
    /// At most one command a send; what is more, where SSM hid one for long, is reported and runs no longer.
    pub(super) fn one_command_a_send(&mut self, items: &[Value]) {
        let sends: BTreeMap<&str, &Value> = sends(items).collect();
        let requests = items.iter().filter(|item| text(item, "sk") == Some("DIRECT")).count();
        let mut of: BTreeMap<String, Vec<CommandEntry>> = BTreeMap::new();
        for command in self.commands() {
            match token_of(&command.comment) {
                Some(token) => of.entry(token.to_owned()).or_default().push(command),
                None => {
                    self.wrong(Invariant::OneCommandASend, format!("{} bears no mark", command.command_id));
                }
            }
        }
        let mut asked_for = 0;
        for (token, commands) in &of {
            match sends.get(token.as_str()) {
                Some(send) => self.one_command(token, send, commands),
                None => {
                    asked_for += 1;
                    if commands.len() > 1 {
                        let what = format!("one request, {} commands of {token}", commands.len());
                        self.wrong(Invariant::OneCommandASend, what);
                    }
                }
            }
        }
        if asked_for > requests {
            let what = format!("{requests} requests to send a command, and {asked_for} were sent");
            self.wrong(Invariant::OneCommandASend, what);
        }
    }

    fn one_command(&mut self, token: &str, send: &Value, commands: &[CommandEntry]) {
        let named = text(send, "command_id");
        let is_any_hidden = commands.iter().any(was_hidden);
        let reported = texts(send, "extra_commands");
        for command in commands.iter().filter(|command| named != Some(&*command.command_id)) {
            let id = &command.command_id;
            let wrong = if !is_any_hidden {
                "is not the send's, and SSM showed them all in time"
            } else if !reported.contains(&**id) {
                "is one too many and not reported"
            } else if command.ended_at.is_none() {
                "is one too many and runs on"
            } else {
                continue;
            };
            self.wrong(Invariant::OneCommandASend, format!("{id} of {token} {wrong}"));
        }
    }

    /// A send that says its command's cancel was accepted is right, unless there was nothing left to cancel.
    pub(super) fn cancels_are_true(&mut self, items: &[Value]) {
        for (token, send) in sends(items) {
            let Some(id) = text(send, "command_id") else { continue };
            let ms = number(send, "cancelled_at").and_then(|ms| i64::try_from(ms).ok());
            let Some(at) = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else { continue };
            let is_true = {
                let cloud = self.stage.deployment.simulation.cloud();
                cloud.ssm.ledger().command(id).is_some_and(|command| {
                    let was_over = command.ended_at.is_some_and(|ended| ended < at + CLOCKS_DIFFER);
                    command.cancelled_at.is_some() || was_over
                })
            };
            if !is_true {
                self.wrong(Invariant::StopMeansStop, format!("{id} of {token} was never cancelled"));
            }
        }
    }

    /// Every command has its place in the lists; but one that SSM hid from everybody who looked.
    pub(super) fn every_command_is_known(&mut self, items: &[Value]) {
        let known: BTreeSet<&str> = items
            .iter()
            .filter(|item| text(item, "sk") == Some("CMD") && !item["recent_at"].is_null())
            .filter_map(|item| text(item, "pk")?.strip_prefix("CMD#"))
            .collect();
        for command in self.commands() {
            if !known.contains(&*command.command_id) && !was_hidden(&command) {
                let what = format!("{} is in no list", command.command_id);
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
    }
}
