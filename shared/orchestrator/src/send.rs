//! SendCommand: intent, effect, record (protocols, P3).

use crate::advance::Performed;
use crate::commands::Description;
use crate::error::{Known, known, words};
use crate::moment::moment;
use crate::observe::{Lists, Seen};
use crate::planted::{Bug, is_planted};
use crate::table::{CommandItem, Expiry, Owner, Recorded};
use crate::{Allowance, Error, Notifications, Orchestrator};
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::operation::send_command::builders::SendCommandFluentBuilder;
use aws_sdk_ssm::types::{
    Alarm, AlarmConfiguration, CloudWatchOutputConfig, DocumentHashType, NotificationConfig,
    NotificationEvent, NotificationType, Target,
};
use fleetwright_engine::{Decision, ExecutionId, Refusal, Request, Send, SendToken, Slice, Targets, Work};
use fleetwright_fleet::{CommandId, NodeId};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// A SendCommand that has no answer by then is of unknown outcome.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// A try that cannot start so soon after the write that began it is given up: others count from that write.
const START_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// No SendCommand with less time left than its timeout and a write.
const SEND_TAKES: SignedDuration = SignedDuration::from_secs(12);
/// SSM API reference, SendCommand.Comment.
pub(crate) const COMMENT_CHARS_MAX: usize = 100;
/// One node of these makes SSM refuse the whole call (SSM API reference, SendCommand).
const BAD_NODE: [&str; 2] = ["InvalidInstanceId", "UnsupportedPlatformType"];
/// The longest back-off, in milliseconds.
const BACK_OFF_MS_MAX: u64 = 60_000;

/// What came of a try.
enum Outcome {
    Accepted(Box<aws_sdk_ssm::types::Command>),
    Refused(Refusal),
    Unknown,
}

impl Orchestrator {
    /// The first try of a planned send: the commit itself began it.
    pub(crate) async fn first_try(
        &self,
        decision: &Decision,
        seen: &Seen,
        token: &SendToken,
        turn: Allowance,
    ) -> Result<Performed, Error> {
        match decision.planned.iter().find(|send| send.token == *token) {
            Some(send) => self.try_send(decision, seen, send, turn).await,
            None => Err(Error::Ours(format!("send {token} was not planned"))),
        }
    }

    /// A further try: after a write that only one can win.
    pub(crate) async fn further_try(
        &self,
        decision: &Decision,
        seen: &Seen,
        token: &SendToken,
        turn: Allowance,
    ) -> Result<Performed, Error> {
        let Some(before) = seen.observations.sends.get(token) else {
            return Err(Error::Ours(format!("send {token} was not read")));
        };
        if turn.left(self.now()) < SEND_TAKES {
            return Ok(Performed::Later(self.now()));
        }
        if is_planted(Bug::SendBeforeIntent) {
            let begun = Send { tries: before.tries + 1, last_try_at: self.now(), ..before.clone() };
            let performed = self.try_send(decision, seen, &begun, turn).await;
            self.table.begin_try(&decision.execution.id, before, self.now()).await?;
            return performed;
        }
        match self.table.begin_try(&decision.execution.id, before, self.now()).await? {
            Some(send) => self.try_send(decision, seen, &send, turn).await,
            None => Ok(Performed::Done),
        }
    }

    async fn try_send(
        &self,
        decision: &Decision,
        seen: &Seen,
        send: &Send,
        turn: Allowance,
    ) -> Result<Performed, Error> {
        let id = &decision.execution.id;
        let step = decision.execution.open_step();
        let Some(Work::Fleet(work)) = step.and_then(|step| step.work.as_ref()) else {
            return Err(Error::Ours(format!("send {} has no open step", send.token)));
        };
        let known = Lists { fresh: &decision.lists, read: &seen.observations.lists };
        let Ok(nodes) = self.nodes_of(id, &send.slice, known).await else {
            // The try has begun and never left: that is known, so it is written.
            let refusal =
                Refusal::Later { code: "GivenUp".to_owned(), not_before: self.now() + START_WITHIN };
            self.table.refuse_try(id, send, &refusal).await?;
            return Ok(Performed::Later(self.now() + START_WITHIN));
        };
        let now = self.now();
        let too_late = now.duration_since(send.last_try_at) > START_WITHIN || turn.left(now) < SEND_TAKES;
        let mut outcome = if too_late {
            Outcome::Refused(Refusal::Later { code: "GivenUp".to_owned(), not_before: now })
        } else {
            self.call(send, &work.request, &work.targets, nodes.as_deref()).await
        };
        if is_planted(Bug::SendCalledAgain) && matches!(outcome, Outcome::Unknown) {
            outcome = self.call(send, &work.request, &work.targets, nodes.as_deref()).await;
        }
        match outcome {
            Outcome::Accepted(command) => self.record(id, send, nodes.as_deref(), &command).await,
            // Not tried again at once, and not recorded: a look will tell.
            Outcome::Unknown => {
                tracing::warn!(execution = %id, send = %send.token, tries = send.tries, "SendCommand: no answer");
                Ok(Performed::Done)
            }
            Outcome::Refused(refusal) => {
                self.table.refuse_try(id, send, &refusal).await?;
                match refusal {
                    Refusal::Later { not_before, code } => {
                        tracing::warn!(execution = %id, send = %send.token, tries = send.tries, %code, "refused");
                        Ok(Performed::Later(not_before))
                    }
                    Refusal::BadNode | Refusal::Rejected { .. } => Ok(Performed::More),
                }
            }
        }
    }

    async fn call(
        &self,
        send: &Send,
        request: &Request,
        targets: &Targets,
        nodes: Option<&[NodeId]>,
    ) -> Outcome {
        let ids = nodes.map(|nodes| nodes.iter().map(ToString::to_string).collect());
        let builder = self.build(send, request).set_instance_ids(ids);
        let builder = match (targets, nodes) {
            (Targets::Query(query), None) => builder.set_targets(Some(
                query
                    .iter()
                    .map(|t| Target::builder().key(&t.key).set_values(Some(t.values.clone())).build())
                    .collect(),
            )),
            (Targets::Query(_) | Targets::Nodes(_), _) => builder,
        };
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        let config = aws_sdk_ssm::config::Config::builder().timeout_config(timeouts);
        match builder.customize().config_override(config).send().await {
            Ok(answer) => match answer.command {
                Some(command) if command.command_id.is_some() => Outcome::Accepted(Box::new(command)),
                _ => Outcome::Unknown,
            },
            Err(error) => match known(&error) {
                Known::Unknown if is_planted(Bug::UnknownIsRefused) => {
                    Outcome::Refused(self.back_off(send, words(&error).0))
                }
                Known::Unknown
                    if is_planted(Bug::ServerErrorIsRefusal) && error.as_service_error().is_some() =>
                {
                    let (code, message) = words(&error);
                    Outcome::Refused(Refusal::Rejected { code, message })
                }
                Known::Unknown => Outcome::Unknown,
                Known::Throttled => Outcome::Refused(self.back_off(send, words(&error).0)),
                Known::Rejected => Outcome::Refused(match words(&error) {
                    (code, _) if BAD_NODE.contains(&code.as_str()) && send.slice != Slice::Targets => {
                        Refusal::BadNode
                    }
                    (code, message) => Refusal::Rejected { code, message },
                }),
            },
        }
    }

    /// Full jitter over an exponential back-off (AWS Architecture Blog, exponential back-off and jitter).
    fn back_off(&self, send: &Send, code: String) -> Refusal {
        let ceiling = BACK_OFF_MS_MAX.min(1_000_u64 << send.tries.min(6));
        let wait = 500 + self.entropy.below(ceiling);
        let wait = SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX));
        Refusal::Later { code, not_before: self.now() + wait }
    }

    fn build(&self, send: &Send, request: &Request) -> SendCommandFluentBuilder {
        let builder = self
            .ssm()
            .send_command()
            .document_name(&request.document_name)
            .set_document_version(request.document_version.clone())
            .set_document_hash(request.document_hash.clone())
            .set_document_hash_type(request.document_hash_type.as_deref().map(DocumentHashType::from))
            .set_timeout_seconds(request.timeout_seconds)
            .comment(comment(send, request.comment.as_deref()))
            .set_parameters(
                (!request.parameters.is_empty()).then(|| request.parameters.clone().into_iter().collect()),
            )
            .set_output_s3_bucket_name(request.output_s3_bucket_name.clone())
            .set_output_s3_key_prefix(request.output_s3_key_prefix.clone())
            .set_output_s3_region(request.output_s3_region.clone())
            .set_max_concurrency(send.max_concurrency.clone())
            .set_max_errors(send.max_errors.clone())
            .set_cloud_watch_output_config(request.cloud_watch_output_config.as_ref().map(cloud_watch))
            .set_alarm_configuration(request.alarm_configuration.as_ref().and_then(alarms));
        // The author's own notifications are passed through unchanged; ours would replace them.
        match (&request.notification_config, &request.service_role_arn, &self.config.notifications) {
            (None, None, Some(ours)) => {
                builder.service_role_arn(&ours.role_arn).notification_config(our_notifications(ours))
            }
            (theirs, role, _) => builder
                .set_service_role_arn(role.clone())
                .set_notification_config(theirs.as_ref().map(notifications)),
        }
    }

    /// Two writes at the same time: the send learns its command, the command learns its owner. Either alone survives
    /// a crash.
    async fn record(
        &self,
        id: &ExecutionId,
        send: &Send,
        nodes: Option<&[NodeId]>,
        command: &aws_sdk_ssm::types::Command,
    ) -> Result<Performed, Error> {
        let Some(command_id) = command.command_id.as_deref().and_then(|id| id.parse().ok()) else {
            return Err(Error::Unreadable("SendCommand's answer: CommandId".to_owned()));
        };
        let expires = expires_after(Some(command), send.last_try_at);
        let description = Description::of(command, send.last_try_at);
        let requested_at = Some(description.requested_at);
        let (on_send, on_command) = futures::join!(
            self.record_on_send(id, &send.token, &command_id, Some(&description.command)),
            self.record_on_command(id, send, nodes, &command_id, expires, requested_at)
        );
        on_send?;
        Ok(if on_command?.command.is_complete() { Performed::More } else { Performed::Done })
    }

    /// Names the command on its send, once. `None`: it is one too many; it has been cancelled and reported.
    pub(crate) async fn record_on_send(
        &self,
        id: &ExecutionId,
        token: &SendToken,
        command_id: &CommandId,
        description: Option<&fleetwright_wire::Command>,
    ) -> Result<Option<Send>, Error> {
        match self.table.record_command(id, token, command_id, description).await? {
            Recorded::Stands(mut send) => {
                if send.halt && send.cancelled_at.is_none() {
                    // Failing to cancel must not hide that the command is known.
                    if self.cancel(id, token, command_id).await.unwrap_or(false) {
                        send.cancelled_at = Some(self.now());
                    } else {
                        self.cancel_later(id).await;
                    }
                }
                Ok(Some(*send))
            }
            Recorded::TooMany if is_planted(Bug::SecondCommandKept) => Ok(None),
            Recorded::TooMany => {
                if let Some(description) = description {
                    self.table.describe(command_id, description, self.now()).await?;
                }
                self.cancel_extra(id, token, command_id).await?;
                Ok(None)
            }
        }
    }

    /// Names the owner on the command.
    pub(crate) async fn record_on_command(
        &self,
        id: &ExecutionId,
        send: &Send,
        nodes: Option<&[NodeId]>,
        command_id: &CommandId,
        expires: Expiry,
        requested_at: Option<Timestamp>,
    ) -> Result<CommandItem, Error> {
        let owner = Owner { execution: id.clone(), step: send.step, token: send.token.clone() };
        self.table.record_owner(command_id, &owner, nodes, expires, requested_at, self.now()).await
    }
}

/// Node by node, and only what is final.
pub(crate) fn our_notifications(ours: &Notifications) -> NotificationConfig {
    NotificationConfig::builder()
        .notification_arn(&ours.topic_arn)
        .notification_type(NotificationType::Invocation)
        .notification_events(NotificationEvent::Success)
        .notification_events(NotificationEvent::Failed)
        .notification_events(NotificationEvent::TimedOut)
        .notification_events(NotificationEvent::Cancelled)
        .build()
}

/// When a command is over at the latest; without SSM's word, an hour of delivery and one of execution, its defaults.
pub(crate) fn expires_after(command: Option<&aws_sdk_ssm::types::Command>, sent_at: Timestamp) -> Expiry {
    let told = command.and_then(|command| command.expires_after);
    let told = told.and_then(|at| moment(&at));
    let guess = sent_at + SignedDuration::from_hours(2);
    Expiry { at: told.unwrap_or(guess), known: told.is_some() }
}

/// Our mark and what fits of the author's comment.
fn comment(send: &Send, authors: Option<&str>) -> String {
    let mark = Send::mark(&send.token);
    match authors {
        None | Some("") => mark,
        Some(authors) => format!("{mark} {authors}").chars().take(COMMENT_CHARS_MAX).collect(),
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn notifications(value: &Value) -> NotificationConfig {
    let events = value.get("NotificationEvents").and_then(Value::as_array);
    let events = events.map(|events| {
        events.iter().filter_map(Value::as_str).map(NotificationEvent::from).collect::<Vec<_>>()
    });
    NotificationConfig::builder()
        .set_notification_arn(text(value, "NotificationArn"))
        .set_notification_type(text(value, "NotificationType").as_deref().map(NotificationType::from))
        .set_notification_events(events)
        .build()
}

fn cloud_watch(value: &Value) -> CloudWatchOutputConfig {
    let enabled = match value.get("CloudWatchOutputEnabled") {
        Some(Value::Bool(enabled)) => *enabled,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    CloudWatchOutputConfig::builder()
        .set_cloud_watch_log_group_name(text(value, "CloudWatchLogGroupName"))
        .cloud_watch_output_enabled(enabled)
        .build()
}

fn alarms(value: &Value) -> Option<AlarmConfiguration> {
    let alarms = value.get("Alarms")?.as_array()?;
    let alarms = alarms.iter().filter_map(|alarm| Alarm::builder().name(text(alarm, "Name")?).build().ok());
    let ignore = value.get("IgnorePollAlarmFailure").and_then(Value::as_bool).unwrap_or(false);
    AlarmConfiguration::builder()
        .ignore_poll_alarm_failure(ignore)
        .set_alarms(Some(alarms.collect()))
        .build()
        .ok()
}
