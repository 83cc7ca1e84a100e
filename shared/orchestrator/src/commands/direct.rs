//! SendCommand and CancelCommand for callers of our API (protocols, P3).

use super::Description;
use crate::error::{Known, known, words};
use crate::planted::{Bug, is_planted};
use crate::send::{ATTEMPT_TIMEOUT, COMMENT_CHARS_MAX, expires_after};
use crate::start::hex;
use crate::table::{Begun, DirectState};
use crate::{Allowance, Error, Orchestrator};
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::operation::send_command::builders::SendCommandFluentBuilder;
use aws_sdk_ssm::types::{
    Alarm, AlarmConfiguration, CloudWatchOutputConfig, DocumentHashType, NotificationConfig,
    NotificationEvent, NotificationType, Target,
};
use fleetwright_engine::{Send, SendToken};
use fleetwright_fleet::{CommandId, NodeId};
use fleetwright_wire as wire;
use fleetwright_wire::{Command, SendCommandRequest};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// No SendCommand with less time left than its timeout and the writes around it.
const SEND_TAKES: SignedDuration = SignedDuration::from_secs(14);
/// When SSM is asked about a request without an outcome, counted from its try: as soon as it can be expected to show
/// a command, and as long as one may still show up (protocols, P3).
const LOOK_AFTER: [SignedDuration; 5] = [
    SignedDuration::from_secs(90),
    SignedDuration::from_secs(150),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(60),
];
/// When a command is looked at if nothing is heard of it.
pub(super) const FIRST_LOOK_AFTER: SignedDuration = SignedDuration::from_secs(90);
const RATE_EXCEEDED: &str = "Rate exceeded";

/// Who sends a command through our API.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The caller's ARN.
    pub arn: String,
    /// What an SDK calls the request by: its own retry of it has the same.
    pub request_id: Option<String>,
}

impl Orchestrator {
    /// Sends a command for a caller, once however often an SDK repeats the request (protocols, P3).
    ///
    /// # Errors
    /// [`Error::Refused`] with SSM's own error; `InternalServerError` where nobody knows whether SSM took it: then the
    /// message says how to recognise the command.
    pub async fn send_command(
        &self,
        request: &SendCommandRequest,
        sender: &Sender,
        turn: Allowance,
    ) -> Result<Command, Error> {
        if turn.left(self.now()) < SEND_TAKES {
            return Err(Error::Again("no time left".to_owned()));
        }
        let key = self.key(request, sender)?;
        let (begun_by, now) = (self.entropy.uuid(), self.now());
        let comment = request.comment.as_deref();
        match self.table.begin_direct(&key, &begun_by, comment, now + LOOK_AFTER[0], now).await? {
            Begun::Now(item) => self.call_ssm(&key, item.tries, request).await,
            Begun::Before(item) => match item.state {
                DirectState::Sent(id) => self.sent_before(&id).await,
                // Refused only now, by the one who tries: the next repetition may try again.
                DirectState::Refused => Err(refused("ThrottlingException", RATE_EXCEEDED)),
                DirectState::Trying if is_planted(Bug::RepeatedRequestSent) => {
                    self.call_ssm(&key, item.tries, request).await
                }
                DirectState::Trying => match self.find_direct(&key).await? {
                    Some(id) => self.sent_before(&id).await,
                    None => Err(unknown(&token(&key))),
                },
            },
        }
    }

    /// What makes two requests the same one: who makes it, what the SDK calls it, and what it says.
    fn key(&self, request: &SendCommandRequest, sender: &Sender) -> Result<String, Error> {
        let id = sender.request_id.clone().unwrap_or_else(|| self.entropy.uuid());
        let said = serde_json::to_string(request).map_err(|error| Error::Ours(error.to_string()))?;
        Ok(hex(&Sha256::digest(format!("{}\n{id}\n{said}", sender.arn))))
    }

    async fn call_ssm(&self, key: &str, tries: u32, request: &SendCommandRequest) -> Result<Command, Error> {
        let token = token(key);
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        let config = aws_sdk_ssm::config::Config::builder().timeout_config(timeouts);
        let sent = self.builder(request, &token).customize().config_override(config).send().await;
        let error = match sent {
            Ok(answer) => {
                let Some(command) = answer.command else { return Err(unknown(&token)) };
                let mut description = Description::of(&command, self.now());
                description.command.comment = request.comment.clone().or(Some(String::new()));
                let expires = expires_after(Some(&command), description.requested_at);
                self.record_direct_command(key, &description, expires).await?;
                return Ok(description.command);
            }
            Err(error) => error,
        };
        match known(&error) {
            Known::Unknown if is_planted(Bug::UnknownRequestIsRefused) => {
                self.refuse_direct(key, tries).await;
                Err(refused("ThrottlingException", RATE_EXCEEDED))
            }
            Known::Unknown => {
                tracing::warn!(send = %token, "SendCommand: no answer");
                Err(unknown(&token))
            }
            Known::Throttled => {
                self.refuse_direct(key, tries).await;
                Err(refused("ThrottlingException", RATE_EXCEEDED))
            }
            Known::Rejected => {
                self.refuse_direct(key, tries).await;
                let (code, message) = words(&error);
                Err(Error::Refused { code, message })
            }
        }
    }

    /// What SSM said is the answer, whether or not it can be written. Not written, a repetition finds a request without
    /// an answer.
    async fn refuse_direct(&self, key: &str, tries: u32) {
        if let Err(error) = self.table.refuse_direct(key, tries).await {
            tracing::warn!(send = %token(key), %error, "a refusal was not written");
        }
    }

    /// First what makes the command known and looked after, then that the request is done: a crash between is found by
    /// the request's own look.
    async fn record_direct_command(
        &self,
        key: &str,
        description: &Description,
        expires: crate::table::Expiry,
    ) -> Result<CommandId, Error> {
        let id = description.id().ok_or_else(|| Error::Unreadable("SendCommand's answer".to_owned()))?;
        if is_planted(Bug::RequestNamedFirst) {
            self.table.record_direct(key, &id).await?;
        }
        self.make_known(&id, description, expires).await?;
        self.table.record_direct(key, &id).await
    }

    /// Looks for the command of a request whose call has no outcome.
    async fn find_direct(&self, key: &str) -> Result<Option<CommandId>, Error> {
        let Some(item) = self.table.direct(key).await? else { return Ok(None) };
        let token = token(key);
        let listed = self.list_marked(item.last_try_at).await?;
        let is_ours = |command: &&aws_sdk_ssm::types::Command| {
            command.comment.as_deref().and_then(Send::token_of).as_ref() == Some(&token)
        };
        let Some(found) = listed.iter().find(is_ours) else { return Ok(None) };
        let mut description = Description::of(found, item.last_try_at);
        if item.comment.is_some() {
            description.command.comment = item.comment;
        }
        let expires = expires_after(Some(found), description.requested_at);
        let id = self.record_direct_command(key, &description, expires).await?;
        tracing::info!(send = %token, command = %id, "adopted");
        Ok(Some(id))
    }

    /// One of the looks for a request's command; `claimed` is when it is due by the claim.
    pub(crate) async fn look_for_direct(
        &self,
        key: &str,
        pk_sk: (&str, &str),
        claimed: Timestamp,
        scheduled: Timestamp,
    ) -> Result<(), Error> {
        let Some(item) = self.table.direct(key).await? else { return Ok(()) };
        if item.state == DirectState::Trying && self.find_direct(key).await?.is_some() {
            return Ok(());
        }
        let next = LOOK_AFTER.iter().map(|after| item.last_try_at + *after).find(|at| *at > scheduled);
        let next =
            next.filter(|_| item.state == DirectState::Trying && !is_planted(Bug::RequestLookedForOnce));
        self.table.move_due(pk_sk.0, pk_sk.1, claimed, next).await.map(drop)
    }

    /// The answer to a request that was made before.
    async fn sent_before(&self, id: &CommandId) -> Result<Command, Error> {
        match self.shown(std::slice::from_ref(id)).await?.pop() {
            Some(shown) => Ok(shown.command),
            None => Err(Error::Again(format!("command {id}: not recorded yet"))),
        }
    }

    /// Cancels a command for a caller: on these nodes, or on all if there are none.
    ///
    /// # Errors
    /// [`Error::Refused`] with SSM's own error.
    pub async fn request_cancel(&self, id: &CommandId, nodes: &[NodeId]) -> Result<(), Error> {
        let ids = (!nodes.is_empty()).then(|| nodes.iter().map(ToString::to_string).collect());
        let sent = self.ssm().cancel_command().command_id(id.as_str()).set_instance_ids(ids).send().await;
        match sent {
            Ok(_) if nodes.is_empty() => self.table.mark_cancelling(id).await,
            Ok(_) => Ok(()),
            Err(error) => Err(match known(&error) {
                Known::Rejected => {
                    let (code, message) = words(&error);
                    Error::Refused { code, message }
                }
                Known::Throttled => refused("ThrottlingException", RATE_EXCEEDED),
                Known::Unknown => refused("InternalServerError", "SSM did not answer; it may be repeated"),
            }),
        }
    }

    /// Every parameter as the caller gave it, but for our mark in front of the comment, and our notifications where the
    /// caller wants none.
    fn builder(&self, request: &SendCommandRequest, token: &SendToken) -> SendCommandFluentBuilder {
        let request = request.clone();
        let number = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        let builder = self
            .ssm()
            .send_command()
            .set_document_name(request.document_name)
            .set_document_version(request.document_version)
            .set_document_hash(request.document_hash)
            .set_document_hash_type(request.document_hash_type.as_deref().map(DocumentHashType::from))
            .set_instance_ids(request.instance_ids)
            .set_targets(request.targets.map(|all| all.into_iter().map(target).collect()))
            .set_timeout_seconds(request.timeout_seconds.map(number))
            .comment(comment(token, request.comment.as_deref()))
            .set_parameters(request.parameters.map(|all| all.into_iter().collect()))
            .set_output_s3_region(request.output_s3_region)
            .set_output_s3_bucket_name(request.output_s3_bucket_name)
            .set_output_s3_key_prefix(request.output_s3_key_prefix)
            .set_max_concurrency(request.max_concurrency)
            .set_max_errors(request.max_errors)
            .set_cloud_watch_output_config(request.cloud_watch_output_config.map(cloud_watch))
            .set_alarm_configuration(request.alarm_configuration.and_then(alarms));
        match (request.notification_config, request.service_role_arn, &self.config.notifications) {
            (None, None, Some(ours)) => builder
                .service_role_arn(&ours.role_arn)
                .notification_config(crate::send::our_notifications(ours)),
            (theirs, role, _) => {
                builder.set_service_role_arn(role).set_notification_config(theirs.map(notifications))
            }
        }
    }
}

/// The token of a request: the same whoever computes it.
fn token(key: &str) -> SendToken {
    SendToken::of_request(key)
}

fn refused(code: &str, message: &str) -> Error {
    Error::Refused { code: code.to_owned(), message: message.to_owned() }
}

/// Never sent again by us: who repeats the request learns of the command as soon as SSM shows it.
fn unknown(token: &SendToken) -> Error {
    let mark = Send::mark(token);
    refused(
        "InternalServerError",
        &format!(
            "SSM did not answer: whether the command was sent is not known. If it was, its comment begins with {mark}; \
             it is looked for, and listed when it is found"
        ),
    )
}

/// Our mark and what fits of the caller's comment (SSM API reference, SendCommand.Comment: 100 characters).
fn comment(token: &SendToken, authors: Option<&str>) -> String {
    let mark = Send::mark(token);
    match authors {
        None | Some("") => mark,
        Some(authors) => format!("{mark} {authors}").chars().take(COMMENT_CHARS_MAX).collect(),
    }
}

fn target(target: wire::Target) -> Target {
    Target::builder().set_key(target.key).set_values(target.values).build()
}

fn notifications(config: wire::NotificationConfig) -> NotificationConfig {
    let events = config
        .notification_events
        .map(|all| all.iter().map(|event| NotificationEvent::from(event.as_str())).collect());
    NotificationConfig::builder()
        .set_notification_arn(config.notification_arn)
        .set_notification_type(config.notification_type.as_deref().map(NotificationType::from))
        .set_notification_events(events)
        .build()
}

fn cloud_watch(config: wire::CloudWatchOutputConfig) -> CloudWatchOutputConfig {
    CloudWatchOutputConfig::builder()
        .set_cloud_watch_log_group_name(config.cloud_watch_log_group_name)
        .cloud_watch_output_enabled(config.cloud_watch_output_enabled.unwrap_or(false))
        .build()
}

fn alarms(config: wire::AlarmConfiguration) -> Option<AlarmConfiguration> {
    let alarm = |alarm: wire::Alarm| Alarm::builder().name(alarm.name?).build().ok();
    AlarmConfiguration::builder()
        .ignore_poll_alarm_failure(config.ignore_poll_alarm_failure.unwrap_or(false))
        .set_alarms(Some(config.alarms?.into_iter().filter_map(alarm).collect()))
        .build()
        .ok()
}
