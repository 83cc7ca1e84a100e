//! SendCommand: what is refused, and what is made of the rest.

use super::Ssm;
use super::agenda::Happening;
use super::command::{Command, Invocation};
use super::document::{Document, MAX_SIZE};
use super::ledger::CommandEntry;
use super::rate::Limit;
use super::status::{CommandStatus, StatusDetails, Tally};
use super::time::{seconds, timestamp};
use crate::fleet::Agent;
use fleetwright_wire::{
    Parameters, SendCommandRequest, SendCommandResult, ServiceError, Target, read_request,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// TimeoutSeconds where the request has none (checked on recorded answers: ExpiresAfter is 7200 s with
/// AWS-RunShellScript's 3600 s).
const TIMEOUT_SECONDS: i64 = 3600;

impl Ssm {
    /// SSM API reference, SendCommand.
    pub(super) fn send_command(
        &mut self,
        body: &serde_json::Value,
    ) -> Result<SendCommandResult, ServiceError> {
        let request: SendCommandRequest = read_request("SendCommand", body)?;
        let ids = request.instance_ids.as_deref().unwrap_or_default();
        let targets = request.targets.as_deref().unwrap_or_default();
        one_kind_of_target(ids, targets)?;
        let document = self.runnable(&request)?;
        let nodes = self.named_nodes(ids)?;
        for node in nodes.iter().filter_map(|node| self.nodes.get(*node)) {
            if !document.supports(node.node.platform) {
                return Err(ServiceError::unsupported_platform_type(format!(
                    "The document {} does not support {}, the platform of {}.",
                    document.name,
                    node.node.platform.name(),
                    node.node.id
                )));
            }
        }
        check_notifications(&request)?;
        Ok(self.accept(request, document, &nodes))
    }

    /// The document, if it exists, is a Command document and takes these parameters.
    fn runnable(&self, request: &SendCommandRequest) -> Result<Arc<Document>, ServiceError> {
        let name = request.document_name.as_deref().unwrap_or_default();
        let document = Arc::clone(self.library.find(name, request.document_version.as_deref())?);
        if document.kind != "Command" {
            return Err(ServiceError::invalid_document(format!(
                "Document {name} is of type {}; SendCommand runs documents of type Command.",
                document.kind
            )));
        }
        let none = Parameters::new();
        let parameters = request.parameters.as_ref().unwrap_or(&none);
        let given: usize = parameters.values().flatten().map(String::len).sum();
        if document.content.len() + given > MAX_SIZE {
            return Err(ServiceError::max_document_size_exceeded(format!(
                "The document {name} with its parameters has {} bytes, more than {MAX_SIZE}.",
                document.content.len() + given
            )));
        }
        document.check(parameters)?;
        Ok(document)
    }

    /// Positions of nodes given by id: one that SSM doesn't manage refuses all.
    fn named_nodes(&self, ids: &[String]) -> Result<Vec<usize>, ServiceError> {
        let mut seen = BTreeSet::new();
        if !ids.iter().all(|id| seen.insert(id)) {
            return Err(ServiceError::duplicate_instance_id(""));
        }
        let known = |id: &&String| self.managed(id).is_some();
        let bad: Vec<&str> = ids.iter().filter(|id| !known(id)).map(String::as_str).collect();
        if !bad.is_empty() {
            return Err(ServiceError::invalid_instance_id(format!(
                "Instances [{}] not in a valid state for account {}",
                bad.join(", "),
                self.options.account
            )));
        }
        Ok(ids.iter().filter_map(|id| self.managed(id)).collect())
    }

    /// Position of a node SSM manages.
    pub(super) fn managed(&self, id: &str) -> Option<usize> {
        let node = *self.by_id.get(id)?;
        self.nodes.get(node).filter(|node| node.node.agent != Agent::Unregistered).map(|_| node)
    }

    /// Makes the command.
    fn accept(
        &mut self,
        request: SendCommandRequest,
        document: Arc<Document>,
        nodes: &[usize],
    ) -> SendCommandResult {
        let (c, now) = (self.commands.len(), self.now);
        let none = Parameters::new();
        let execution_timeout = document.execution_timeout(request.parameters.as_ref().unwrap_or(&none));
        let begins_until = now + seconds(request.timeout_seconds.unwrap_or(TIMEOUT_SECONDS));
        let limit = |text: Option<&String>, read: fn(&str) -> Option<Limit>, default| {
            text.and_then(|text| read(text)).unwrap_or(Limit::Count(default))
        };
        let mut command = Command {
            id: self.uuid().into(),
            max_concurrency: limit(request.max_concurrency.as_ref(), Limit::concurrency, 50),
            max_errors: limit(request.max_errors.as_ref(), Limit::errors, 0),
            requested_at: now,
            expires_at: begins_until + execution_timeout,
            begins_until,
            execution_timeout,
            document,
            request,
            status: CommandStatus::Pending,
            tally: Tally::default(),
            invocations: Vec::new(),
            next: 0,
            in_flight: 0,
            window: 1,
            cancelled: false,
            slots: Vec::new(),
            log: Vec::new(),
        };
        let hidden = self.hide_next.take();
        let lag = hidden.unwrap_or_else(|| self.options.read_lag.draw(&mut self.rng));
        self.by_command.insert(Arc::clone(&command.id), c);
        command.tally =
            Tally::of(&[(StatusDetails::Pending, u32::try_from(nodes.len()).unwrap_or(u32::MAX))]);
        command.note(now, lag);
        self.ledger.accept(entry(&command));
        let begins = now + self.options.resolve_lag.draw(&mut self.rng);
        command.slots.push(self.agenda.enter(begins, Happening::Begin(c)));
        command.slots.push(self.agenda.enter(command.expires_at, Happening::Expire(c)));
        if self.options.undelivered_ends_at_timeout_seconds {
            command.slots.push(self.agenda.enter(begins_until, Happening::DeliveryDeadline(c)));
        }
        let reply = command.log.first().map(|first| command.wire(first));
        self.commands.push(command);
        self.spread(c, nodes);
        SendCommandResult { command: reply }
    }

    /// Gives a command its invocations, all Pending.
    pub(super) fn spread(&mut self, c: usize, nodes: &[usize]) {
        let visible = self.commands.get(c).map_or(0, Command::visible_from);
        let mut invocations = Vec::with_capacity(nodes.len());
        for node in nodes {
            let mut invocation = Invocation::new(*node);
            let seen = self.now + self.options.read_lag.draw(&mut self.rng);
            invocation.note(seen.max(visible));
            invocations.push(invocation);
            if let Some(node) = self.nodes.get_mut(*node) {
                node.commands.push(c);
                if let Some(entry) = self.ledger.entry(c) {
                    entry.nodes.insert(Arc::clone(&node.node.id), StatusDetails::Pending);
                }
            }
        }
        let Some(command) = self.commands.get_mut(c) else { return };
        command.invocations = invocations;
        command.tally = Tally::of(&[(StatusDetails::Pending, command.targets())]);
    }

    /// Positions of the nodes that match all targets (SSM API reference, Target).
    pub(super) fn resolve(&self, targets: &[Target]) -> Vec<usize> {
        let mut matched: Option<BTreeSet<usize>> = None;
        for target in targets {
            let found = self.matching(target);
            matched = Some(match matched {
                Some(before) => before.intersection(&found).copied().collect(),
                None => found,
            });
        }
        let managed =
            |node: &usize| self.nodes.get(*node).is_some_and(|node| node.node.agent != Agent::Unregistered);
        matched.unwrap_or_default().into_iter().filter(managed).collect()
    }

    fn matching(&self, target: &Target) -> BTreeSet<usize> {
        let key = target.key.as_deref().unwrap_or_default();
        let values = target.values.as_deref().unwrap_or_default();
        if key.eq_ignore_ascii_case("InstanceIds") {
            return values.iter().filter_map(|id| self.by_id.get(id.as_str()).copied()).collect();
        }
        if key == "tag-key" {
            let tagged = values.iter().filter_map(|name| self.by_tag.get(name));
            return tagged.flat_map(|by_value| by_value.values().flatten().copied()).collect();
        }
        let tag = key.strip_prefix("tag:").unwrap_or(key);
        let by_value = self.by_tag.get(tag);
        values.iter().filter_map(|value| by_value?.get(value)).flatten().copied().collect()
    }
}

/// InstanceIds or Targets; the second only with keys this model knows.
fn one_kind_of_target(ids: &[String], targets: &[Target]) -> Result<(), ServiceError> {
    if ids.is_empty() == targets.is_empty() {
        let which = if ids.is_empty() {
            "Either InstanceIds or Targets is required"
        } else {
            "InstanceIds and Targets exclude each other"
        };
        return Err(ServiceError::validation(format!("{which}.")));
    }
    for target in targets {
        let key = target.key.as_deref().unwrap_or_default();
        let tag = key.strip_prefix("tag:").is_some_and(|tag| !tag.is_empty());
        if !tag
            && !key.eq_ignore_ascii_case("InstanceIds")
            && key != "tag-key"
            && key != "resource-groups:Name"
        {
            return Err(ServiceError::validation(format!(
                "The target key '{key}' is none of InstanceIds, tag:<key>, tag-key, resource-groups:Name."
            )));
        }
        if target.values.as_deref().unwrap_or_default().is_empty() {
            return Err(ServiceError::validation(format!("The target with the key '{key}' has no values.")));
        }
    }
    Ok(())
}

/// A topic SSM can publish to, and a role to do it with.
fn check_notifications(request: &SendCommandRequest) -> Result<(), ServiceError> {
    let config = request.notification_config.as_ref();
    let Some(topic) =
        config.and_then(|config| config.notification_arn.as_deref()).filter(|arn| !arn.is_empty())
    else {
        return Ok(());
    };
    let mut parts = topic.split(':');
    let arn = parts.next() == Some("arn") && parts.nth(1) == Some("sns") && parts.count() == 3;
    if !arn || topic.ends_with(".fifo") {
        return Err(ServiceError::invalid_notification_config(format!(
            "{topic} is not the ARN of a standard SNS topic."
        )));
    }
    let role = request.service_role_arn.as_deref().unwrap_or_default();
    if !role.starts_with("arn:") || !role.contains(":role/") {
        return Err(ServiceError::invalid_role(format!(
            "ServiceRoleArn '{role}' is not the ARN of a role SSM can publish with."
        )));
    }
    Ok(())
}

fn entry(command: &Command) -> CommandEntry {
    CommandEntry {
        command_id: Arc::clone(&command.id),
        comment: command.request.comment.clone().unwrap_or_default(),
        document: Arc::clone(&command.document.name),
        requested_at: timestamp(command.requested_at),
        shown_at: timestamp(command.visible_from()),
        cancelled_at: None,
        status: CommandStatus::Pending,
        ended_at: None,
        nodes: std::collections::BTreeMap::new(),
    }
}
