//! Whether what stands between double braces exists, and has a value by then. Checked on the text itself, so
//! that the references of a step that could not be read are checked like any other.

use super::{Fields, Reader, document};
use crate::{
    Code, Diagnostic, Global, Position, Reference, Severity, ValueType,
    graph::Reach,
    outline::{Outline, steps_of_loop},
    reference::EXECUTION_ID,
    source::node::{Content, Node},
    template::{Brace, Braces},
};

mod place;

use self::place::{Place, is_foreign_input};

/// Checks every reference of a document. Keys are left out: SSM does not replace references in them.
pub(super) fn check(reader: &mut Reader, root: Fields<'_>) {
    // Taken out for as long as it is read from while diagnostics are written.
    let outline = std::mem::take(&mut reader.scope.outline);
    let mut check = Check { reader, reach: Reach::new(&outline), outline: &outline, moment: Moment::Start };
    if let Some(role) = root.get("assumeRole") {
        check.value(role, false);
    }
    for (_, variable) in entries(root.get("variables")) {
        variable.get("default").into_iter().for_each(|default| check.value(default, false));
    }
    for (_, parameter) in entries(root.get("parameters")) {
        check.default(parameter);
    }
    check.steps(root.get("mainSteps").map_or(&[], Node::items), &mut 0);
    check.moment = Moment::End;
    check.outputs(root.get("outputs"));
    reader.scope.outline = outline;
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match node.map(|node| &node.content) {
        Some(Content::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|entry| (entry.key.as_str(), &entry.value))
}

struct Check<'a, 'r> {
    reader: &'r mut Reader,
    outline: &'a Outline,
    reach: Reach<'a>,
    moment: Moment,
}

/// When references are looked up.
#[derive(Clone, Copy)]
enum Moment {
    /// Before the first step: in the role and in the defaults of variables.
    Start,
    /// When that step begins.
    Step(usize),
    /// After the last: in the outputs of the document.
    End,
}

impl Check<'_, '_> {
    /// Goes through the steps in the order of the outline, those of a loop after the loop.
    fn steps(&mut self, items: &[Node], next: &mut usize) {
        for item in items {
            let at = *next;
            *next += 1;
            self.moment = Moment::Step(at);
            for property in ["maxAttempts", "timeoutSeconds"] {
                item.get(property).into_iter().for_each(|node| self.value(node, false));
            }
            let inner = steps_of_loop(item);
            let is_command =
                self.outline.steps[at].action.as_ref().is_some_and(|(a, _)| a == "aws:runCommand");
            for (key, input) in entries(item.get("inputs")) {
                if key == "Steps" && !inner.is_empty() {
                    continue;
                }
                let is_foreign = is_foreign_input(key) || (is_command && key == "Parameters");
                self.value(input, is_foreign);
                if is_command && key == "InstanceIds" {
                    self.instance_ids(input);
                }
            }
            self.steps(inner, next);
        }
    }

    /// Of a foreign value (scripts, bodies, templates) it is not known whose braces stand in it.
    fn value(&mut self, node: &Node, is_foreign: bool) {
        match &node.content {
            Content::Text(text) => self.text(text, node.position, is_foreign),
            Content::List(items) => items.iter().for_each(|item| self.value(item, is_foreign)),
            Content::Map(entries) => {
                for entry in entries {
                    self.value(&entry.value, is_foreign || is_foreign_input(&entry.key));
                }
            }
            Content::Null | Content::Bool(_) | Content::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, position: Position, is_foreign: bool) {
        let whole = (text.len() - text.trim_start().len(), text.trim_end().len());
        if let Some(name) = place::unclosed(text) {
            let hint = format!("write \"{{{{ {name} }}}}\"");
            self.doubt(format!("the braces of {name:?} are not closed"), hint, position);
        }
        let mut braces = Braces::new(text);
        while let Some(Brace { open, inner, end }) = braces.next() {
            let place = Place::new(text, position, (open, end) == whole, is_foreign);
            if self.reference(inner.trim(), place) {
                braces.skip_to(end);
            }
        }
    }

    /// Checks what stands between braces, and says whether that could be a reference at all.
    fn reference(&mut self, text: &str, place: Place) -> bool {
        if self.reader.scope.parameters.contains(text) {
            return true;
        }
        if let Some((prefix, name)) = text.split_once(':') {
            return self.prefixed(prefix, name, text, place);
        }
        match text.parse() {
            Ok(Reference::StepOutput { step, output }) => {
                match (self.outline.index(step.as_str()), place.doubt) {
                    (Some(step), _) => self.output(step, &output, place),
                    (None, Some(severity)) => {
                        let names = self.outline.names().map(|name| name.as_str());
                        let hint = self.reader.hint_for(step.as_str(), names);
                        self.unknown(severity, &format!("there is no step {:?}", step.as_str()), hint, place);
                    }
                    (None, None) => {}
                }
            }
            Ok(Reference::Parameter(name)) => {
                let Some(severity) = place.doubt else { return true };
                let names = self.reader.scope.parameters.iter().map(|name| name.as_str());
                let hint = self.reader.hint_for(name.as_str(), names);
                self.unknown(severity, &format!("there is no parameter {:?}", name.as_str()), hint, place);
            }
            Ok(
                Reference::Variable(_)
                | Reference::Global(_)
                | Reference::ExecutionId
                | Reference::ResourceId,
            ) => {}
            Err(_) => return self.malformed(text, place),
        }
        true
    }

    /// What nearly is a reference, and is taken as text.
    fn malformed(&mut self, text: &str, place: Place) -> bool {
        if !place.is_whole || !place.is_meant {
            return false;
        }
        if text.is_empty() {
            let hint = "write the name of a parameter or step.Output between them";
            self.doubt("nothing stands between the braces".to_owned(), hint.to_owned(), place.position);
            return true;
        }
        let name = text.split('[').next().unwrap_or_default();
        if text.ends_with(']') && self.reader.scope.parameters.contains(name) {
            let message = format!("{{{{ {text} }}}} is text: an item of a parameter cannot be referred to");
            let hint = format!("write \"{{{{ {name} }}}}\", or give the item a parameter of its own");
            self.doubt(message, hint, place.position);
            return true;
        }
        false
    }

    fn prefixed(&mut self, prefix: &str, name: &str, text: &str, place: Place) -> bool {
        let is_known = match prefix {
            "global" => Global::ALL.into_iter().any(|global| global.as_str() == name),
            "automation" => text == EXECUTION_ID,
            "variable" => self.reader.scope.variables.contains_key(name),
            "ssm" if place.is_meant => {
                let message = format!("{{{{ {text} }}}} is not replaced here");
                let hint = "ssm: stands only in the default of a parameter: declare one and refer to it";
                self.push(Diagnostic::new(Code::StoreReference, place.position, message).hint(hint));
                return true;
            }
            _ => return false,
        };
        if !is_known && place.is_meant {
            let (what, hint) = match prefix {
                "global" => {
                    ("global ", self.reader.hint_for(name, Global::ALL.map(Global::as_str).into_iter()))
                }
                "automation" => ("automation ", Some(format!("the only one is {EXECUTION_ID}"))),
                _ => {
                    let names = self.reader.scope.variables.keys().map(|name| name.as_str());
                    ("", self.reader.hint_for(name, names))
                }
            };
            self.unknown(Severity::Error, &format!("there is no {what}variable {name:?}"), hint, place);
        }
        true
    }

    /// Checks a reference to an output of a step of the document.
    fn output(&mut self, step: usize, output: &str, place: Place) {
        let outline = self.outline;
        let name = outline.steps[step].name.as_ref().map_or("", |name| name.as_str());
        let Some(found) = outline.steps[step].output(output) else {
            if place.is_meant {
                let near = self.reader.hint_for(output, outline.steps[step].output_names());
                let hint = near.or_else(|| Some(has(outline.steps[step].output_names())));
                self.unknown(Severity::Error, &format!("step {name} has no output {output:?}"), hint, place);
            }
            return;
        };
        if !found.portable {
            let message = format!("{output} is an output that SSM's aws:runCommand does not have");
            self.not_portable(place.position, message);
        }
        let (severity, late) = match self.moment {
            Moment::Step(at) if self.reach.follows(step, at) => return,
            Moment::End => return,
            Moment::Step(at) if at == step => (Severity::Error, "its own step, which has not run yet"),
            // SSM takes it, as a published runbook shows: the step fails if it is ever come to.
            Moment::Step(at) if step < at => (Severity::Warning, "a step that no way here goes through"),
            Moment::Start | Moment::Step(_) => (Severity::Error, "a step that runs later, if at all"),
        };
        let message = format!("{{{{ {name}.{output} }}}} refers to {late}");
        let diagnostic = Diagnostic::new(Code::ReferenceOrder, place.position, message);
        let hint = "a step can read the outputs of steps that can have run before it";
        self.push(Diagnostic { severity, ..diagnostic.hint(hint) });
    }

    /// `{{ssm:…}}` is a text or a list of texts (SSM User Guide, parameter-store-aws-services…).
    fn default(&mut self, parameter: &Node) {
        let Some(default) = parameter.get("default") else { return };
        let value_type =
            parameter.get("type").and_then(Node::text).and_then(|text| ValueType::declared(&text));
        let is_store =
            matches!(&default.content, Content::Text(text) if super::parameter::store_name(text).is_some());
        let is_text = matches!(value_type, None | Some(ValueType::String | ValueType::StringList));
        if is_store && !is_text {
            let message = "{{ssm:…}} is a default for a String or a StringList only";
            self.push(Diagnostic::new(Code::StoreReference, default.position, message));
        }
    }

    /// `outputs:` of the document.
    fn outputs(&mut self, node: Option<&Node>) {
        let Some(node) = node else { return };
        let items = if let Content::List(items) = &node.content { items } else { std::slice::from_ref(node) };
        for item in items {
            let Some(text) = item.text() else { continue };
            let place = Place::whole(item.position);
            let bare = document::bare(&text);
            match bare.split_once('.').map(|(step, output)| (self.outline.index(step), output)) {
                Some((Some(_), "*")) => {}
                Some((Some(step), output)) => self.output(step, output, place),
                Some((None, _)) => {
                    let step = bare.split('.').next().unwrap_or_default();
                    let names = self.outline.names().map(|name| name.as_str());
                    let hint = self.reader.hint_for(step, names);
                    self.unknown(Severity::Error, &format!("there is no step {step:?}"), hint, place);
                }
                None => {
                    let hint = Some("outputs are written step.Output".to_owned());
                    self.unknown(
                        Severity::Error,
                        &format!("{bare:?} is not an output of a step"),
                        hint,
                        place,
                    );
                }
            }
        }
    }

    /// SSM takes fifty ids; ours are sent in as many commands as it takes.
    fn instance_ids(&mut self, node: &Node) {
        const IDS_MAX: usize = 50;
        let items = if let Content::List(items) = &node.content { items } else { std::slice::from_ref(node) };
        if items.len() > IDS_MAX {
            let message = format!("SSM takes at most {IDS_MAX} InstanceIds, here are {}", items.len());
            self.not_portable(node.position, message);
        }
        for item in items {
            let Content::Text(text) = &item.content else { continue };
            for Brace { inner, .. } in Braces::new(text) {
                let Some((step, output)) = inner.trim().split_once('.') else { continue };
                let found = self.outline.index(step).and_then(|step| self.outline.steps[step].output(output));
                if found.is_some_and(|output| output.is_list && !output.portable) {
                    let message = format!("{step}.{output} can have more than the {IDS_MAX} ids SSM takes");
                    self.not_portable(item.position, message);
                }
            }
        }
    }

    fn unknown(&mut self, severity: Severity, what: &str, hint: Option<String>, place: Place) {
        let diagnostic = Diagnostic::new(Code::UnknownReference, place.position, what);
        self.push(Diagnostic { severity, hint, ..diagnostic });
    }

    fn doubt(&mut self, what: String, hint: String, position: Position) {
        self.push(Diagnostic::warning(Code::UnknownReference, position, what).hint(hint));
    }

    fn not_portable(&mut self, position: Position, message: String) {
        self.reader.not_portable(position, message);
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.reader.diagnostics.push(diagnostic);
    }
}

/// What a step has, where nothing is near to what was written.
fn has<'a>(names: impl Iterator<Item = &'a str>) -> String {
    match super::first_of(names) {
        names if names.is_empty() => "it has no outputs".to_owned(),
        names => format!("it has {names}"),
    }
}
