use std::collections::BTreeMap;

use serde_json::Value;

use crate::{OrReference, Reference, Template, template::into_texts};

/// `aws:runCommand` with every input of SendCommand (SSM User Guide, automation-action-runcommand).
#[derive(Clone, Debug, PartialEq)]
pub struct RunCommand {
    /// The command document.
    pub document_name: Template,
    /// Its version.
    pub document_version: Option<Template>,
    /// Its hash.
    pub document_hash: Option<Template>,
    /// How the hash was made, `Sha256`.
    pub document_hash_type: Option<Template>,
    /// The nodes, by id.
    pub instance_ids: Option<TextList>,
    /// The nodes, by tags and the like.
    pub targets: Option<OrReference<Vec<Target>>>,
    /// The parameters of the command document; a value that is not a list stands for a list of one.
    pub parameters: Option<OrReference<BTreeMap<String, Template>>>,
    /// How long a node may take to start, in seconds.
    pub timeout_seconds: Option<OrReference<u32>>,
    /// How many nodes at a time, a number or a percentage.
    pub max_concurrency: Option<Template>,
    /// How many may fail, a number or a percentage.
    pub max_errors: Option<Template>,
    /// The comment of the command.
    pub comment: Option<Template>,
    /// Where outputs are written.
    pub output_s3_bucket_name: Option<Template>,
    /// Below which prefix.
    pub output_s3_key_prefix: Option<Template>,
    /// In which region; SSM no longer reads it.
    pub output_s3_region: Option<Template>,
    /// What is told to an SNS topic.
    pub notification_config: Option<OrReference<NotificationConfig>>,
    /// The role that may publish to the topic.
    pub service_role_arn: Option<Template>,
    /// Whether and where outputs go to CloudWatch Logs.
    pub cloud_watch_output_config: Option<OrReference<CloudWatchOutputConfig>>,
    /// The alarms that stop the command.
    pub alarm_configuration: Option<OrReference<AlarmConfiguration>>,
}

/// Where a list of texts is wanted. A bare text stands for a list of one.
#[derive(Clone, Debug, PartialEq)]
pub struct TextList {
    /// The items; one may stand for a list.
    pub items: Vec<Template>,
}

impl TextList {
    /// The texts, with the lists that references gave spliced into one.
    ///
    /// # Errors
    /// The first error of `lookup`.
    pub fn resolve<E>(&self, lookup: &impl Fn(&Reference) -> Result<Value, E>) -> Result<Vec<String>, E> {
        let values = self.items.iter().map(|item| item.resolve(lookup)).collect::<Result<Vec<_>, E>>()?;
        Ok(values.into_iter().flat_map(into_texts).collect())
    }
}

/// One target of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// `tag:Name`, `InstanceIds`, `resource-groups:Name` and the like.
    pub key: Template,
    /// The values of the key.
    pub values: TextList,
}

/// What is told to an SNS topic.
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationConfig {
    /// The topic.
    pub notification_arn: Option<Template>,
    /// Which statuses are told.
    pub notification_events: Option<TextList>,
    /// Whether the command or each invocation is told.
    pub notification_type: Option<Template>,
}

/// Whether and where outputs go to CloudWatch Logs.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudWatchOutputConfig {
    /// The log group.
    pub log_group_name: Option<Template>,
    /// Whether they go there.
    pub output_enabled: Option<OrReference<bool>>,
}

/// The alarms that stop a command.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmConfiguration {
    /// Whether the command goes on when the alarm cannot be read.
    pub ignore_poll_alarm_failure: Option<OrReference<bool>>,
    /// The names of the alarms.
    pub alarms: Vec<Template>,
}

impl RunCommand {
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut templates = vec![&self.document_name];
        templates.extend(self.plain());
        templates.extend(self.instance_ids.iter().flat_map(|list| &list.items));
        templates.extend(self.timeout_seconds.as_ref().and_then(OrReference::template));
        each(self.targets.as_ref(), &mut templates, |targets, templates| {
            for target in targets {
                templates.push(&target.key);
                templates.extend(&target.values.items);
            }
        });
        each(self.parameters.as_ref(), &mut templates, |parameters, templates| {
            templates.extend(parameters.values());
        });
        each(self.notification_config.as_ref(), &mut templates, |config, templates| {
            templates.extend(&config.notification_arn);
            templates.extend(&config.notification_type);
            templates.extend(config.notification_events.iter().flat_map(|list| &list.items));
        });
        each(self.cloud_watch_output_config.as_ref(), &mut templates, |config, templates| {
            templates.extend(&config.log_group_name);
            templates.extend(config.output_enabled.as_ref().and_then(OrReference::template));
        });
        each(self.alarm_configuration.as_ref(), &mut templates, |config, templates| {
            templates.extend(&config.alarms);
            templates.extend(config.ignore_poll_alarm_failure.as_ref().and_then(OrReference::template));
        });
        templates
    }

    fn plain(&self) -> impl Iterator<Item = &Template> {
        [
            &self.document_version,
            &self.document_hash,
            &self.document_hash_type,
            &self.max_concurrency,
            &self.max_errors,
            &self.comment,
            &self.output_s3_bucket_name,
            &self.output_s3_key_prefix,
            &self.output_s3_region,
            &self.service_role_arn,
        ]
        .into_iter()
        .flatten()
    }
}

fn each<'a, T>(
    setting: Option<&'a OrReference<T>>,
    templates: &mut Vec<&'a Template>,
    literal: impl Fn(&'a T, &mut Vec<&'a Template>),
) {
    match setting {
        Some(OrReference::Literal(value)) => literal(value, templates),
        Some(OrReference::Template(template)) => templates.push(template),
        None => {}
    }
}
