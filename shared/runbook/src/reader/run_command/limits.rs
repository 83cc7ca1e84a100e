//! What SendCommand takes, where the document says it literally (SSM API, SendCommand).

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::{Fields, Reader};
use crate::{
    Code, Diagnostic, Setting,
    source::node::{Content, Node},
};

const TIMEOUT_SECONDS: RangeInclusive<u32> = 30..=2_592_000;
const TARGETS_MAX: usize = 5;
const TARGET_VALUES_MAX: usize = 50;
const EVENTS: [&str; 6] = ["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"];
const NOTIFICATION_TYPES: [&str; 2] = ["Command", "Invocation"];
const HASH_TYPES: [&str; 2] = ["Sha256", "Sha1"];

/// What a literal text is held against, and how that is said.
type Rule = (&'static str, fn(&str) -> bool, &'static str);

const RULES: [Rule; 6] = [
    ("DocumentVersion", is_version, "$LATEST, $DEFAULT or a number from 1"),
    ("MaxConcurrency", |text| is_count(text, 1), "a number from 1 or a percentage from 1% to 100%"),
    ("MaxErrors", |text| is_count(text, 0), "a number from 0 or a percentage from 0% to 100%"),
    ("Comment", |text| text.chars().count() <= 100, "at most 100 characters"),
    // Left empty it means nowhere.
    (
        "OutputS3BucketName",
        |text| text.is_empty() || (3..=63).contains(&text.chars().count()),
        "the name of a bucket, 3 to 63 characters",
    ),
    ("OutputS3KeyPrefix", |text| text.chars().count() <= 500, "at most 500 characters"),
];

pub(super) fn check(reader: &mut Reader, inputs: Fields<'_>) {
    document_name(reader, inputs.get("DocumentName"));
    for (key, holds, expected) in RULES {
        rule(reader, inputs.get(key), key, holds, expected);
    }
    one_of(reader, inputs.get("DocumentHashType"), "DocumentHashType", &HASH_TYPES);
    timeout(reader, inputs.get("TimeoutSeconds"));
    notification(reader, inputs.get("NotificationConfig"));
    targets(reader, inputs.get("Targets"));
    instance_ids(reader, inputs.get("InstanceIds"));
}

/// Holds a literal text against a rule; a reference may become anything.
fn rule(reader: &mut Reader, node: Option<&Node>, key: &str, holds: impl Fn(&str) -> bool, expected: &str) {
    let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else { return };
    if reader.template(node).literal().is_some() && !holds(&text) {
        reader.report(Code::InvalidValue, node.position, format!("{key} is {expected}"));
    }
}

fn one_of(reader: &mut Reader, node: Option<&Node>, key: &str, values: &[&str]) {
    rule(reader, node, key, |text| values.contains(&text), &format!("one of {}", values.join(", ")));
}

fn timeout(reader: &mut Reader, node: Option<&Node>) {
    let Some(node) = node else { return };
    let seconds = reader.template(node).literal().as_ref().and_then(u32::read);
    if seconds.is_some_and(|seconds| !TIMEOUT_SECONDS.contains(&seconds)) {
        let (min, max) = (TIMEOUT_SECONDS.start(), TIMEOUT_SECONDS.end());
        let message = format!("TimeoutSeconds is a number from {min} to {max}");
        reader.report(Code::InvalidValue, node.position, message);
    }
}

fn notification(reader: &mut Reader, node: Option<&Node>) {
    let Some(node) = node else { return };
    let events = node.get("NotificationEvents");
    let bare = events.filter(|events| events.text().is_some());
    for event in events.into_iter().flat_map(Node::items).chain(bare) {
        one_of(reader, Some(event), "NotificationEvents", &EVENTS);
    }
    one_of(reader, node.get("NotificationType"), "NotificationType", &NOTIFICATION_TYPES);
}

fn targets(reader: &mut Reader, node: Option<&Node>) {
    let Some(node) = node else { return };
    let items = node.items();
    if matches!(&node.content, Content::List(items) if items.is_empty()) {
        reader.report(Code::MissingProperty, node.position, "Targets has no target");
    }
    for key in items.iter().filter_map(|item| item.get("Key")) {
        target_key(reader, key);
    }
    if items.len() > TARGETS_MAX {
        let message = format!("Targets has {} items, SSM takes at most {TARGETS_MAX}", items.len());
        reader.report(Code::InvalidValue, node.position, message);
    }
    for values in items.iter().filter_map(|item| item.get("Values")) {
        if values.items().len() > TARGET_VALUES_MAX {
            let message = format!("Values of a target are at most {TARGET_VALUES_MAX}");
            reader.report(Code::InvalidValue, values.position, message);
        }
    }
}

/// What nodes are found by (SSM API, Target).
fn target_key(reader: &mut Reader, node: &Node) {
    const KEYS: [&str; 5] = [
        "InstanceIds",
        "tag-key",
        "resource-groups:Name",
        "resource-groups:ResourceTypeFilters",
        "ResourceGroup",
    ];
    let Some(text) = literal_text(reader, node) else { return };
    if KEYS.contains(&text.as_str()) || text.strip_prefix("tag:").is_some_and(|name| !name.is_empty()) {
        return;
    }
    let message = format!("{text:?} is not a Key that nodes are found by");
    let near = reader.hint_for(&text, KEYS.into_iter());
    let hint = near.unwrap_or_else(|| format!("the keys are tag:<name>, {}", KEYS.join(", ")));
    reader.diagnostics.push(Diagnostic::warning(Code::InvalidValue, node.position, message).hint(hint));
}

fn instance_ids(reader: &mut Reader, node: Option<&Node>) {
    let Some(node) = node else { return };
    let items = if let Content::List(items) = &node.content { items } else { std::slice::from_ref(node) };
    if items.is_empty() {
        let diagnostic = Diagnostic::warning(Code::InvalidValue, node.position, "the step runs on no node");
        reader.diagnostics.push(diagnostic.hint("name nodes, or remove the step"));
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        let Some(id) = literal_text(reader, item) else { continue };
        if !is_node_id(&id) {
            let message = format!("{id:?} is not the id of a node");
            let hint = "ids are i- or mi- and 17 lower-case letters and digits, or i- and 8";
            let diagnostic = Diagnostic::warning(Code::InvalidValue, item.position, message);
            reader.diagnostics.push(diagnostic.hint(hint));
        }
        let message = format!("{id:?} stands here already");
        let times = seen.entry(id).or_default();
        *times += 1;
        if *times == 2 {
            let diagnostic = Diagnostic::warning(Code::InvalidValue, item.position, message);
            reader.diagnostics.push(diagnostic.hint("remove one of them: the node gets the command once"));
        }
    }
}

/// `(i-[0-9a-z]{8}|i-[0-9a-z]{17}|mi-[0-9a-z]{17})` (SSM API, SendCommand).
fn is_node_id(text: &str) -> bool {
    let (rest, lengths): (_, &[usize]) = match text.strip_prefix("mi-") {
        Some(rest) => (rest, &[17]),
        None => (text.strip_prefix("i-").unwrap_or_default(), &[8, 17]),
    };
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    lengths.contains(&rest.len()) && rest.bytes().all(is_allowed)
}

/// The text of a node in which nothing could be meant as a reference.
fn literal_text(reader: &Reader, node: &Node) -> Option<String> {
    let text = node.text().filter(|text| !text.contains("{{"))?;
    reader.template(node).literal().map(|_| text.into_owned())
}

/// `^[a-zA-Z0-9_\-.:/]{3,128}$`, which SSM asks for when the step begins: by then a template has been filled in
/// (`${health_check}`), so this is only said.
fn document_name(reader: &mut Reader, node: Option<&Node>) {
    let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else { return };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    let is_name = (3..=128).contains(&text.len()) && text.bytes().all(is_allowed);
    if reader.template(node).literal().is_some() && !is_name {
        reader.warn(Code::InvalidValue, node.position, "DocumentName is not the name or ARN of a document");
    }
}

fn is_version(text: &str) -> bool {
    let is_number = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    ["$LATEST", "$DEFAULT"].contains(&text) || (is_number && !text.is_empty())
}

/// A number or a percentage, no less than `min`, written without leading zeros.
fn is_count(text: &str, min: u32) -> bool {
    const LENGTH_MAX: usize = 7;
    let digits = text.strip_suffix('%').unwrap_or(text);
    let is_plain =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let max = if text.ends_with('%') { 100 } else { u32::MAX };
    let is_within = digits.parse().is_ok_and(|count: u32| (min..=max).contains(&count));
    text.len() <= LENGTH_MAX && is_plain && is_within
}
