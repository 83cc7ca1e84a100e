use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{Fields, Reader, on_cancel, parameter, references, step};
use crate::{
    AttachedFile, Code, Diagnostic, DocumentOutput, Position, Reference, Runbook, Step, StepName, ValueType,
    VariableName, graph,
    outline::{Outline, step_name},
    runbook::Frame,
    source::{
        self,
        node::{Content, Node},
    },
};

/// What a document has at the top (SSM User Guide, documents-syntax-data-elements); the last four are those of change
/// templates, which run like any other runbook (change-templates-custom-create).
const PROPERTIES: [&str; 12] = [
    "schemaVersion",
    "description",
    "assumeRole",
    "parameters",
    "variables",
    "mainSteps",
    "outputs",
    "files",
    "emergencyChange",
    "autoApprovable",
    "executableRunBooks",
    "templateInformation",
];

/// Reads a whole document.
pub(super) fn read(reader: &mut Reader, root: &Node) -> Option<Runbook> {
    let Content::Map(entries) = &root.content else {
        let message = format!("a runbook is a mapping of properties, not {}", root.kind());
        reader.report(Code::NotAMapping, root.position, message);
        return None;
    };
    let fields = Fields { entries, position: root.position };
    schema_version(reader, fields);
    warn_of_unknown(reader, fields);
    declare(reader, fields);
    let frame = Frame {
        description: fields.get("description").and_then(|node| reader.text(node, "description")),
        assume_role: fields.get("assumeRole").map(|node| reader.template(node)),
        parameters: parameter::read_all(reader, fields),
        variables: parameter::read_variables(reader, fields),
        outputs: outputs(reader, fields),
        files: files(reader, fields),
    };
    let steps = steps(reader, fields);
    references::check(reader, fields);
    on_cancel::check(reader, fields);
    reader.diagnostics.append(&mut graph::cycles(&reader.scope.outline));
    unsupported(reader);
    Runbook::new(frame, steps)
}

/// Properties at the top that are not known: SSM may have more, and a misspelt one is ignored in silence.
fn warn_of_unknown(reader: &mut Reader, fields: Fields<'_>) {
    for entry in fields.entries.iter().filter(|entry| !PROPERTIES.contains(&entry.key.as_str())) {
        let message = format!("a runbook has no property {:?}", entry.key);
        let mut diagnostic = Diagnostic::warning(Code::UnknownProperty, entry.key_position, message);
        diagnostic.hint = reader.hint_for(&entry.key, PROPERTIES.into_iter());
        reader.diagnostics.push(diagnostic);
    }
}

/// Actions that are known and cannot be run here yet: one warning for each, at the first step that has it.
fn unsupported(reader: &mut Reader) {
    let mut found: Vec<(String, Position, Vec<String>)> = Vec::new();
    for step in &reader.scope.outline.steps {
        let (Some(what), Some((_, position))) = (step.unsupported(), &step.action) else { continue };
        let name = step.name.as_ref().map_or("one without a name", StepName::as_str).to_owned();
        match found.iter_mut().find(|(known, ..)| *known == what) {
            Some((_, _, names)) => names.push(name),
            None => found.push((what, *position, vec![name])),
        }
    }
    for (what, position, names) in found {
        let message = format!("{what} cannot be run here yet ({})", listed(&names));
        reader.warn(Code::UnsupportedAction, position, message);
    }
}

/// "steps a, b and 3 more"
fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 3;
    match names {
        [name] => format!("step {name}"),
        [names @ .., last] if names.len() < NAMES_MAX => format!("steps {} and {last}", names.join(", ")),
        _ => {
            let (named, more) = names.split_at(NAMES_MAX - 1);
            format!("steps {} and {} more", named.join(", "), more.len())
        }
    }
}

fn schema_version(reader: &mut Reader, fields: Fields<'_>) {
    const HINT: &str = "Automation runbooks begin with schemaVersion: '0.3'";
    let diagnostic = match fields.get("schemaVersion").map(|node| (node.position, &node.content)) {
        None => Diagnostic::new(Code::SchemaVersion, fields.position, "schemaVersion is missing"),
        Some((_, Content::Text(text))) if text == "0.3" => return,
        Some((_, Content::Number(number))) if number.to_string() == "0.3" => return,
        Some((position, _)) => Diagnostic::new(Code::SchemaVersion, position, "schemaVersion is not 0.3"),
    };
    reader.diagnostics.push(diagnostic.hint(HINT));
}

/// Collects what the document declares, before anything that may refer to it is read. Names that are not
/// well formed are reported where they are read.
fn declare(reader: &mut Reader, fields: Fields<'_>) {
    let keys = |property: &str| match fields.get(property).map(|node| &node.content) {
        Some(Content::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => Vec::new(),
    };
    reader.scope.parameters = keys("parameters").into_iter().filter_map(|key| key.parse().ok()).collect();
    reader.scope.variables = variables(fields.get("variables"));
    let steps = fields.get("mainSteps");
    reader.scope.outline = Outline::new(steps);
    reader.scope.targets = step_names(steps.map_or(&[], Node::items));
}

fn variables(node: Option<&Node>) -> BTreeMap<VariableName, Option<ValueType>> {
    let Some(Content::Map(entries)) = node.map(|node| &node.content) else { return BTreeMap::new() };
    let value_type = |node: &Node| ValueType::declared(&node.get("type")?.text()?);
    let read = |entry: &source::node::Entry| Some((entry.key.parse().ok()?, value_type(&entry.value)));
    entries.iter().filter_map(read).collect()
}

pub(super) fn step_names(steps: &[Node]) -> BTreeSet<StepName> {
    steps.iter().filter_map(step_name).collect()
}

fn steps(reader: &mut Reader, fields: Fields<'_>) -> Vec<Step> {
    let Some(node) = fields.require(reader, "mainSteps", "the document") else { return Vec::new() };
    let Some(items) = reader.list(node, "mainSteps") else { return Vec::new() };
    if items.is_empty() {
        reader.report(Code::MissingProperty, node.position, "mainSteps has no step");
    }
    read_steps(reader, items)
}

/// Reads the steps of the document or of a loop. A name is unique in the whole document: references know no loops.
pub(super) fn read_steps(reader: &mut Reader, items: &[Node]) -> Vec<Step> {
    let mut steps = Vec::new();
    for item in items {
        if let Some(name) = step_name(item) {
            let position = item.get("name").map_or(item.position, |name| name.position);
            match reader.step_positions.entry(name) {
                Entry::Occupied(first) => {
                    let message =
                        format!("the step at {} is called {:?} already", first.get(), first.key().as_str());
                    reader.report(Code::DuplicateStep, position, message);
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(item.position);
                }
            }
        }
        steps.extend(step::read(reader, item));
    }
    steps
}

fn outputs(reader: &mut Reader, fields: Fields<'_>) -> Vec<DocumentOutput> {
    let Some(node) = fields.get("outputs") else { return Vec::new() };
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        // One published document has a text here.
        Content::Text(_) => std::slice::from_ref(node),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Map(_) => {
            reader.wrong_type(node, "outputs", "a list");
            return Vec::new();
        }
    };
    let mut outputs = Vec::new();
    for item in items {
        let Some(text) = reader.text(item, "an output") else { continue };
        let reference = output_reference(reader, &text);
        outputs.push(DocumentOutput { text, reference, position: item.position });
    }
    outputs
}

/// `step.Output`, also with braces around it, which some write and SSM does not mind.
fn output_reference(reader: &Reader, text: &str) -> Option<Reference> {
    let (step, output) = bare(text).split_once('.')?;
    let step = &reader.scope.outline.steps[reader.scope.outline.index(step)?];
    let step = step.name.clone()?;
    (!output.is_empty()).then(|| Reference::StepOutput { step, output: output.to_owned() })
}

/// A text without braces around it.
pub(super) fn bare(text: &str) -> &str {
    text.trim().trim_start_matches("{{").trim_end_matches("}}").trim()
}

fn files(reader: &mut Reader, fields: Fields<'_>) -> BTreeMap<String, AttachedFile> {
    let Some(entries) = fields.get("files").and_then(|node| reader.map(node, "files")) else {
        return BTreeMap::new();
    };
    let mut files = BTreeMap::new();
    for entry in entries.entries {
        let Some(file) = reader.map(&entry.value, "a file") else { continue };
        let checksums = file.get("checksums").and_then(|node| reader.map(node, "checksums"));
        let mut texts = BTreeMap::new();
        for checksum in checksums.iter().flat_map(|checksums| checksums.entries) {
            texts.extend(reader.text(&checksum.value, "a checksum").map(|text| (checksum.key.clone(), text)));
        }
        let size = file.get("size").and_then(|node| reader.literal::<u32>(node, "size")).map(u64::from);
        files.insert(entry.key.clone(), AttachedFile { checksums: texts, size });
    }
    files
}
