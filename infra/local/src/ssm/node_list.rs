//! DescribeInstanceInformation: the nodes SSM manages.

use super::chance::digest;
use super::document_list::{cut, size};
use super::page::Cursor;
use super::time::epoch;
use super::validate::{Violations, request};
use super::{ManagedNode, Ssm};
use crate::fleet::{Agent, Platform, is_node_id};
use fleetwright_wire::{
    DescribeInstanceInformationRequest, DescribeInstanceInformationResult, InstanceInformation, ServiceError,
};
use serde_json::Value;

/// The version of every agent.
const AGENT: &str = "3.3.2299.0";
/// Milliseconds between two signs of life of an agent.
const PING_INTERVAL: i64 = 300_000;
/// Milliseconds that nothing had been heard of nodes nothing reaches, when the service began.
const SILENCE: i64 = 3_600_000;

/// What a node must be: any of the values.
#[derive(Debug)]
struct Filter {
    key: Key,
    values: Vec<String>,
}

#[derive(Debug)]
enum Key {
    InstanceIds,
    AgentVersion,
    PingStatus,
    PlatformTypes,
    ResourceType,
    SourceIds,
    SourceTypes,
    /// Activations, roles and associations, which no simulated node has.
    Never,
    Tag(String),
    HasTag,
}

impl Filter {
    fn read(key: &str, values: Vec<String>) -> Result<Self, ServiceError> {
        let known: &[&str] = match key {
            "PingStatus" => &["Online", "ConnectionLost", "Inactive"],
            "PlatformTypes" => &["Windows", "Linux", "MacOS"],
            "ResourceType" => &["ManagedInstance", "EC2Instance"],
            _ => &[],
        };
        let wrong = |value: &&String| {
            (!known.is_empty() && !known.contains(&value.as_str()))
                || (key == "InstanceIds" && !is_node_id(value))
        };
        if let Some(value) = values.iter().find(wrong) {
            return Err(ServiceError::invalid_instance_information_filter_value(format!(
                "The filter {key} doesn't know the value {value}."
            )));
        }
        let key = match key {
            "InstanceIds" => Key::InstanceIds,
            "AgentVersion" => Key::AgentVersion,
            "PingStatus" => Key::PingStatus,
            "PlatformTypes" => Key::PlatformTypes,
            "ResourceType" => Key::ResourceType,
            "SourceIds" => Key::SourceIds,
            "SourceTypes" => Key::SourceTypes,
            "ActivationIds" | "IamRole" | "AssociationStatus" => Key::Never,
            "tag-key" => Key::HasTag,
            other => match other.strip_prefix("tag:") {
                Some(tag) if !tag.is_empty() => Key::Tag(tag.to_owned()),
                Some(_) | None => return Err(ServiceError::invalid_filter_key("")),
            },
        };
        Ok(Self { key, values })
    }

    fn matches(&self, node: &ManagedNode, told: &InstanceInformation) -> bool {
        let is = |text: &str| self.values.iter().any(|value| value == text);
        let any_of = |text: Option<&String>| text.is_some_and(|text| is(text));
        match &self.key {
            Key::InstanceIds => any_of(told.instance_id.as_ref()),
            Key::AgentVersion => any_of(told.agent_version.as_ref()),
            Key::PingStatus => any_of(told.ping_status.as_ref()),
            Key::PlatformTypes => any_of(told.platform_type.as_ref()),
            Key::ResourceType => any_of(told.resource_type.as_ref()),
            Key::SourceIds => any_of(told.source_id.as_ref()),
            Key::SourceTypes => any_of(told.source_type.as_ref()),
            Key::Never => false,
            Key::Tag(key) => match node.node.tags.get(key) {
                Some(value) => is(value),
                None => key == "Name" && is(&node.node.name),
            },
            Key::HasTag => node.node.tags.keys().any(|key| is(key)) || is("Name"),
        }
    }
}

impl Ssm {
    /// SSM API reference, DescribeInstanceInformation. Nodes that are not registered any more are left out.
    pub(super) fn describe_instance_information(
        &self,
        body: &Value,
    ) -> Result<DescribeInstanceInformationResult, ServiceError> {
        let request: DescribeInstanceInformationRequest = request(body)?;
        let filters = filters(&request)?;
        let scope = format!("DescribeInstanceInformation {filters:?}");
        let from = self.cursor(request.next_token.as_deref(), &scope)?.map_or(0, |cursor| cursor.first + 1);
        let mut found: Vec<(usize, &ManagedNode)> = self
            .nodes
            .iter()
            .enumerate()
            .skip(from)
            .filter(|(_, node)| node.node.agent != Agent::Unregistered)
            .filter(|(_, node)| {
                let told = self.information(node);
                filters.iter().all(|filter| filter.matches(node, &told))
            })
            .take(size(request.max_results) + 1)
            .collect();
        let next = cut(&mut found, request.max_results)
            .map(|(position, _)| self.token(Cursor { first: position, second: 0 }, &scope));
        let told = found.into_iter().map(|(_, node)| self.information(node));
        Ok(DescribeInstanceInformationResult {
            instance_information_list: Some(told.collect()),
            next_token: next,
        })
    }

    fn information(&self, managed: &ManagedNode) -> InstanceInformation {
        let node = &managed.node;
        let number = digest(self.seed, node.id.as_bytes());
        let [a, b, c, ..] = number.to_le_bytes();
        let offset = i64::from(a) * PING_INTERVAL / 256;
        let (ping, last_ping) = if node.agent == Agent::Online {
            ("Online", (self.now - offset).div_euclid(PING_INTERVAL) * PING_INTERVAL + offset)
        } else {
            ("ConnectionLost", self.began.unwrap_or(self.now) - SILENCE - offset)
        };
        let (system, version) = match node.platform {
            Platform::Linux => ("Amazon Linux", "2023"),
            Platform::Windows => ("Microsoft Windows Server 2022 Datacenter", "10.0.20348"),
        };
        let hybrid = node.id.starts_with("mi-");
        let (kind, source) = if hybrid {
            ("ManagedInstance", "AWS::SSM::ManagedInstance")
        } else {
            ("EC2Instance", "AWS::EC2::Instance")
        };
        InstanceInformation {
            instance_id: Some(node.id.to_string()),
            ping_status: Some(ping.to_owned()),
            last_ping_date_time: Some(epoch(last_ping)),
            agent_version: Some(AGENT.to_owned()),
            is_latest_version: Some(true),
            platform_type: Some(node.platform.name().to_owned()),
            platform_name: Some(system.to_owned()),
            platform_version: Some(version.to_owned()),
            resource_type: Some(kind.to_owned()),
            name: hybrid.then(|| node.name.clone()),
            ip_address: Some(format!("10.{a}.{b}.{c}")),
            computer_name: Some(format!("{}.internal", node.name)),
            source_id: Some(node.id.to_string()),
            source_type: Some(source.to_owned()),
            ..InstanceInformation::default()
        }
    }
}

/// The filters of a request, which has them of one kind only.
fn filters(request: &DescribeInstanceInformationRequest) -> Result<Vec<Filter>, ServiceError> {
    let earlier = request.instance_information_filter_list.iter().flatten();
    let earlier = earlier.map(|filter| ("instanceInformationFilterList", &filter.key, &filter.value_set));
    let today = request.filters.iter().flatten();
    let today = today.map(|filter| ("filters", &filter.key, &filter.values));
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 5, 50);
    let mut read = Vec::new();
    for (list, key, values) in earlier.chain(today) {
        violations.required(&format!("{list}.member.key"), key.as_ref());
        violations.length(&format!("{list}.member.key"), key.as_ref(), 1, usize::MAX);
        violations.required(&format!("{list}.member.values"), values.as_ref());
        violations.count(&format!("{list}.member.values"), values.as_deref(), 1, 100);
        read.push((list, key.clone().unwrap_or_default(), values.clone().unwrap_or_default()));
    }
    violations.finish()?;
    if read.iter().any(|(list, ..)| *list != read[0].0) {
        return Err(ServiceError::validation(
            "Filters and InstanceInformationFilterList cannot be used in one request.",
        ));
    }
    read.into_iter().map(|(_, key, values)| Filter::read(&key, values)).collect()
}
