//! A command and its invocations, as the model keeps them.

use super::agenda::Slot;
use super::document::Document;
use super::outcome::Plan;
use super::rate::Limit;
use super::status::{CommandStatus, StatusDetails, Tally};
use super::time::{epoch, seconds};
use fleetwright_wire as wire;
use std::sync::Arc;

/// A command: what was asked for, how far it is, and what reads may see of that.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) id: Arc<str>,
    pub(super) document: Arc<Document>,
    pub(super) request: wire::SendCommandRequest,
    /// Milliseconds since 1970, as all times here.
    pub(super) requested_at: i64,
    pub(super) expires_at: i64,
    /// After this it doesn't begin anywhere any more.
    pub(super) begins_until: i64,
    pub(super) execution_timeout: i64,
    pub(super) max_concurrency: Limit,
    pub(super) max_errors: Limit,
    pub(super) status: CommandStatus,
    pub(super) tally: Tally,
    pub(super) invocations: Vec<Invocation>,
    /// The first invocation that has not been sent.
    pub(super) next: usize,
    /// Sent and not ended.
    pub(super) in_flight: u32,
    /// Nodes that may be in flight, while it grows.
    pub(super) window: u32,
    pub(super) cancelled: bool,
    /// When SSM takes the next steps by itself.
    pub(super) slots: Vec<Slot>,
    /// What reads see, from when.
    pub(super) log: Vec<Seen>,
}

/// What ListCommands tells of a command from a moment on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) from: i64,
    changed_at: i64,
    pub(super) status: CommandStatus,
    pub(super) tally: Tally,
}

/// One command on one node.
#[derive(Debug)]
pub(super) struct Invocation {
    /// Position of the node in the fleet.
    pub(super) node: usize,
    pub(super) details: StatusDetails,
    pub(super) sent: bool,
    pub(super) cancel_requested: bool,
    /// Forgotten by reads.
    pub(super) hidden: bool,
    pub(super) plan: Option<Plan>,
    pub(super) slot: Option<Slot>,
    /// Position of its run in the ledger.
    pub(super) run: Option<usize>,
    pub(super) began: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) exit_code: i32,
    /// The node's patches when it ended, for outputs.
    pub(super) installed: u32,
    pub(super) missing: u32,
    log: Vec<(i64, StatusDetails)>,
}

impl Command {
    /// Number of nodes.
    pub(super) fn targets(&self) -> u32 {
        u32::try_from(self.invocations.len()).unwrap_or(u32::MAX)
    }

    /// Errors it tolerates.
    pub(super) fn tolerated(&self) -> u32 {
        self.max_errors.of(self.targets())
    }

    /// Nodes it may run on at the same time: at least one.
    pub(super) fn concurrency(&self) -> u32 {
        self.max_concurrency.of(self.targets()).max(1)
    }

    /// Writes down how it stands now, for reads after `lag`.
    pub(super) fn note(&mut self, now: i64, lag: i64) {
        let (status, tally) = (self.status, self.tally);
        match self.log.last_mut() {
            Some(last) if last.changed_at == now => (last.status, last.tally) = (status, tally),
            Some(last) => {
                let from = last.from.max(now.saturating_add(lag));
                self.log.push(Seen { from, changed_at: now, status, tally });
            }
            None => self.log.push(Seen { from: now.saturating_add(lag), changed_at: now, status, tally }),
        }
    }

    /// How reads see it.
    pub(super) fn seen(&self, now: i64) -> Option<&Seen> {
        let known = self.log.partition_point(|seen| seen.from <= now);
        known.checked_sub(1).and_then(|last| self.log.get(last))
    }

    /// When reads see it first.
    pub(super) fn visible_from(&self) -> i64 {
        self.log.first().map_or(i64::MAX, |first| first.from)
    }

    /// As responses tell it.
    pub(super) fn wire(&self, seen: &Seen) -> wire::Command {
        let request = self.request.clone();
        wire::Command {
            command_id: Some(self.id.to_string()),
            document_name: Some(self.document.name.to_string()),
            document_version: Some(request.document_version.unwrap_or_else(|| "$DEFAULT".to_owned())),
            comment: Some(request.comment.unwrap_or_default()),
            expires_after: Some(epoch(self.expires_at)),
            parameters: Some(request.parameters.unwrap_or_default()),
            instance_ids: Some(request.instance_ids.unwrap_or_default()),
            targets: Some(request.targets.unwrap_or_default()),
            requested_date_time: Some(epoch(self.requested_at)),
            status: Some(seen.status.status().to_owned()),
            status_details: Some(seen.status.name().to_owned()),
            output_s3_region: request.output_s3_region,
            output_s3_bucket_name: Some(request.output_s3_bucket_name.unwrap_or_default()),
            output_s3_key_prefix: Some(request.output_s3_key_prefix.unwrap_or_default()),
            max_concurrency: Some(request.max_concurrency.unwrap_or_else(|| "50".to_owned())),
            max_errors: Some(request.max_errors.unwrap_or_else(|| "0".to_owned())),
            target_count: Some(i64::from(seen.tally.total())),
            completed_count: Some(i64::from(seen.tally.completed())),
            error_count: Some(i64::from(seen.tally.errors())),
            delivery_timed_out_count: Some(i64::from(seen.tally.count(StatusDetails::DeliveryTimedOut))),
            service_role: Some(request.service_role_arn.unwrap_or_default()),
            notification_config: Some(request.notification_config.unwrap_or_else(no_notifications)),
            cloud_watch_output_config: Some(request.cloud_watch_output_config.unwrap_or_else(no_cloud_watch)),
            timeout_seconds: Some((self.begins_until - self.requested_at) / seconds(1)),
            alarm_configuration: request.alarm_configuration,
            triggered_alarms: None,
        }
    }
}

impl Invocation {
    /// Pending on a node.
    pub(super) fn new(node: usize) -> Self {
        Self {
            node,
            details: StatusDetails::Pending,
            sent: false,
            cancel_requested: false,
            hidden: false,
            plan: None,
            slot: None,
            run: None,
            began: None,
            ended: None,
            exit_code: -1,
            installed: 0,
            missing: 0,
            log: Vec::new(),
        }
    }

    /// Writes down how it stands, for reads from `from` on.
    pub(super) fn note(&mut self, from: i64) {
        let from = self.log.last().map_or(from, |(last, _)| from.max(*last));
        self.log.push((from, self.details));
    }

    /// How reads see it.
    pub(super) fn seen(&self, now: i64) -> Option<StatusDetails> {
        let known = self.log.partition_point(|(from, _)| *from <= now);
        known.checked_sub(1).and_then(|last| self.log.get(last)).map(|(_, details)| *details)
    }
}

/// What responses say of a command without notifications.
pub(super) fn no_notifications() -> wire::NotificationConfig {
    wire::NotificationConfig {
        notification_arn: Some(String::new()),
        notification_events: Some(Vec::new()),
        notification_type: Some(String::new()),
    }
}

/// What responses say of a command whose output doesn't go to CloudWatch Logs.
pub(super) fn no_cloud_watch() -> wire::CloudWatchOutputConfig {
    wire::CloudWatchOutputConfig {
        cloud_watch_log_group_name: Some(String::new()),
        cloud_watch_output_enabled: Some(false),
    }
}
