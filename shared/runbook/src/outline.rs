//! What the text says of its steps, whether or not each of them can be read. Names, targets, circles and
//! references are checked against it, so that one broken step does not hide what is wrong with the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    OtherKind, Position, Setting, StepName, ValueType, output,
    reference::output_and_path,
    source::node::{Content, Node},
};

/// The steps of a document in document order, those of a loop after the loop.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) steps: Vec<StepOutline>,
    by_name: BTreeMap<StepName, usize>,
}

/// What the text says of one step.
#[derive(Debug)]
pub(crate) struct StepOutline {
    pub(crate) name: Option<StepName>,
    pub(crate) position: Position,
    /// Its action as written, and where.
    pub(crate) action: Option<(String, Position)>,
    /// Whether approval is by levels, which only Change Manager has.
    pub(crate) has_enhanced_approvals: bool,
    /// The loops it stands in, the outermost first.
    pub(crate) loops: Vec<usize>,
    /// The steps that can come directly after it.
    pub(crate) next: Vec<usize>,
    /// Whether it may lead to steps that cannot be made out.
    pub(crate) leads_anywhere: bool,
    outputs: Option<BTreeMap<String, OutputOutline>>,
}

/// What the text says of an output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputOutline {
    pub(crate) portable: bool,
    pub(crate) is_list: bool,
}

impl Outline {
    /// Reads the `mainSteps` of a document.
    pub(crate) fn new(main_steps: Option<&Node>) -> Self {
        let mut outline = Self::default();
        outline.take(main_steps.map_or(&[], Node::items), &[]);
        outline
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &StepName> {
        self.by_name.keys()
    }

    fn take(&mut self, items: &[Node], loops: &[usize]) {
        let mut places = Vec::new();
        for item in items {
            let at = self.steps.len();
            places.push(at);
            self.steps.push(step(item, loops));
            if let Some(name) = &self.steps[at].name {
                self.by_name.entry(name.clone()).or_insert(at);
            }
            let inner = steps_of_loop(item);
            if !inner.is_empty() {
                self.take(inner, &[loops, &[at]].concat());
            }
        }
        let siblings = self.siblings(&places);
        for (order, item) in items.iter().enumerate() {
            let Links { next, leads_anywhere } = links(item, &siblings, places.get(order + 1).copied());
            let step = &mut self.steps[places[order]];
            step.next = next;
            step.leads_anywhere = leads_anywhere;
        }
    }

    /// The steps that can be the target of one another. A name that occurs twice leads nobody knows where.
    fn siblings(&self, places: &[usize]) -> BTreeMap<String, Option<usize>> {
        let mut siblings = BTreeMap::new();
        for at in places {
            if let Some(name) = &self.steps[*at].name {
                siblings.entry(name.to_string()).and_modify(|place| *place = None).or_insert(Some(*at));
            }
        }
        siblings
    }
}

impl StepOutline {
    /// The output that `{{ step.text }}` reads, which may be a field of it; None if there is no such output.
    pub(crate) fn output(&self, text: &str) -> Option<OutputOutline> {
        const UNKNOWN: OutputOutline = OutputOutline { portable: true, is_list: false };
        let Some(outputs) = &self.outputs else { return Some(UNKNOWN) };
        let (name, path) = output_and_path(text);
        // What a path leads to is not the list that the output is.
        let part =
            |output: &OutputOutline| OutputOutline { is_list: output.is_list && path.is_empty(), ..*output };
        outputs.get(text).copied().or_else(|| outputs.get(name).map(part))
    }

    /// What it is that cannot be run here yet, if that is known.
    pub(crate) fn unsupported(&self) -> Option<String> {
        let (action, _) = self.action.as_ref()?;
        if action == "aws:approve" && self.has_enhanced_approvals {
            return Some(format!("{action} with EnhancedApprovals"));
        }
        OtherKind::named(action).map(|kind| kind.as_str().to_owned())
    }

    /// The names of its outputs, if they are known.
    pub(crate) fn output_names(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().flat_map(BTreeMap::keys).map(String::as_str)
    }
}

/// The name of a step, if it is well formed.
pub(crate) fn step_name(node: &Node) -> Option<StepName> {
    node.get("name")?.text()?.parse().ok()
}

/// The steps inside a step, if it is a loop.
pub(crate) fn steps_of_loop(node: &Node) -> &[Node] {
    let is_loop = node.get("action").and_then(Node::text).is_some_and(|action| action == "aws:loop");
    let steps = is_loop.then(|| node.get("inputs")?.get("Steps")).flatten();
    steps.map_or(&[], Node::items)
}

fn step(node: &Node, loops: &[usize]) -> StepOutline {
    let action = node.get("action").and_then(|action| Some((action.text()?.into_owned(), action.position)));
    let inputs = node.get("inputs");
    let input = |key: &str| inputs.and_then(|inputs| inputs.get(key));
    StepOutline {
        name: step_name(node),
        position: node.position,
        has_enhanced_approvals: input("EnhancedApprovals").is_some() && input("Approvers").is_none(),
        loops: loops.to_vec(),
        next: Vec::new(),
        leads_anywhere: false,
        outputs: action.as_ref().and_then(|(action, _)| outputs(node, action)),
        action,
    }
}

/// The outputs of a step, if all of them are known.
fn outputs(node: &Node, action: &str) -> Option<BTreeMap<String, OutputOutline>> {
    let input = |key: &str| node.get("inputs").and_then(|inputs| inputs.get(key));
    let built_in = match action {
        "aws:runCommand" => {
            let document = input("DocumentName").and_then(Node::text);
            output::run_command(document.as_deref().filter(|name| !name.contains("{{")))
        }
        "aws:approve" => output::APPROVE,
        "aws:loop" if input("Iterators").is_some() => output::LOOP_OVER_ITEMS,
        "aws:loop" => output::LOOP_WHILE,
        "aws:branch" | "aws:sleep" | "aws:pause" | "aws:updateVariable" => &[],
        _ => output::other(OtherKind::named(action)?),
    };
    let outline = |output: &output::BuiltInOutput| OutputOutline {
        portable: output.portable,
        is_list: output.value_type == ValueType::StringList,
    };
    let mut outputs: BTreeMap<_, _> =
        built_in.iter().map(|output| (output.name.to_owned(), outline(output))).collect();
    if let Some(declared) = node.get("outputs") {
        let Content::List(items) = &declared.content else { return None };
        for item in items {
            let name = item.get("Name").unwrap_or(item).text()?.into_owned();
            let is_list = item.get("Type").and_then(Node::text).is_some_and(|kind| kind == "StringList");
            outputs.insert(name, OutputOutline { portable: true, is_list });
        }
    }
    Some(outputs)
}

#[derive(Default)]
struct Links {
    next: Vec<usize>,
    leads_anywhere: bool,
}

impl Links {
    fn to(&mut self, target: Option<usize>) {
        match target {
            Some(at) if self.next.contains(&at) => {}
            Some(at) => self.next.push(at),
            None => self.leads_anywhere = true,
        }
    }
}

/// Where a step leads: the same rules as for a runbook that could be read, applied to what is there.
fn links(node: &Node, siblings: &BTreeMap<String, Option<usize>>, following: Option<usize>) -> Links {
    let mut links = Links::default();
    let place = |text: &str| siblings.get(text).copied().flatten();
    let target = |node: &Node| node.text().and_then(|text| place(&text));
    let action = node.get("action").and_then(Node::text);
    let mut default = None;
    if action.as_deref() == Some("aws:branch")
        && let Some(inputs) = node.get("inputs")
    {
        let mut seen = BTreeSet::new();
        for choice in inputs.get("Choices").into_iter().flat_map(Node::items) {
            let next = choice.get("NextStep").and_then(target);
            if seen.insert(next) {
                links.to(next);
            }
        }
        default = inputs.get("Default");
    }
    match (default, node.get("nextStep")) {
        (Some(default), _) => links.to(target(default)),
        (None, _) if is_end(node) => {}
        (None, Some(next)) => links.to(target(next)),
        (None, None) => following.into_iter().for_each(|at| links.to(Some(at))),
    }
    for property in ["onFailure", "onCancel"] {
        let text = node.get(property).and_then(Node::text);
        if let Some(name) = text.as_deref().and_then(|text| text.strip_prefix("step:")) {
            links.to(place(name.trim()));
        }
    }
    links
}

fn is_end(node: &Node) -> bool {
    let text = node.get("isEnd").and_then(Node::text);
    text.and_then(|text| bool::read(&text.into_owned().into())).unwrap_or(false)
}
