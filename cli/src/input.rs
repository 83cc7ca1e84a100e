//! Runbooks, parameters and fleets as people give them, checked before anything runs.

use crate::check;
use crate::excerpt::Printer;
use crate::failure::Failure;
use crate::text::plural;
use fleetwright_local::fleet::{Fleet, is_node_id};
use fleetwright_runbook::{Diagnostic, Portability, Runbook, Severity, Validation, into_texts, validate};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Parameters as StartAutomationExecution takes them.
pub(crate) type Parameters = BTreeMap<String, Vec<String>>;

/// Longest name of an SSM document (SSM API reference, CreateDocument).
const NAME_CHARS_MAX: usize = 128;

/// A runbook that can be registered.
#[derive(Debug)]
pub(crate) struct RunbookText {
    /// The name it is registered under.
    pub(crate) name: String,
    /// The text as it is in the file.
    pub(crate) text: String,
    /// What it says.
    pub(crate) runbook: Runbook,
}

impl RunbookText {
    /// Reads a runbook's file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = read(path)?;
        Self::parse(&path.display().to_string(), name_of(path), text)
    }

    /// Takes a runbook's text; what is wrong with it is told of `file`.
    pub(crate) fn parse(file: &str, name: String, text: String) -> Result<Self, Failure> {
        let Validation { runbook, diagnostics, .. } = validate(&text, Portability::Here);
        match runbook {
            Some(runbook) => Ok(Self { name, text, runbook }),
            None => Err(Failure::Input(refusal(file, &text, &diagnostics))),
        }
    }

    /// Gathers parameters and checks them against what the runbook declares: all that is wrong is named at once. Those
    /// given by name and value come before those of a mocks file.
    pub(crate) fn bind(
        &self,
        given: &[(String, String)],
        mocked: &Map<String, Value>,
    ) -> Result<Parameters, Failure> {
        let mut parameters = Parameters::new();
        for (name, value) in given {
            parameters.entry(name.clone()).or_default().push(value.clone());
        }
        for (name, value) in mocked {
            parameters.entry(name.clone()).or_insert_with(|| as_texts(value));
        }
        let wrong = match fleetwright_runbook::bind(&self.runbook, &parameters) {
            Ok(bound) => self.ill_formed_nodes(&parameters, &bound),
            Err(errors) => errors.iter().map(|error| format!("error: {error}")).collect(),
        };
        if wrong.is_empty() { Ok(parameters) } else { Err(Failure::Input(wrong.join("\n"))) }
    }

    /// Node ids given for parameters that are declared to hold some.
    fn ill_formed_nodes(&self, given: &Parameters, bound: &BTreeMap<String, Value>) -> Vec<String> {
        let mut wrong = Vec::new();
        for parameter in self.runbook.parameters.iter().filter(|p| holds_nodes(&p.declared_type)) {
            let name = parameter.name.as_str();
            let values = bound.get(name).filter(|_| given.contains_key(name)).cloned().map(into_texts);
            for id in values.unwrap_or_default().iter().filter(|id| !is_node_id(id)) {
                wrong.push(format!(
                    "error: parameter {name}: `{id}` is no node id: i- and 8 or 17 letters or digits, or mi- and 17"
                ));
            }
        }
        wrong
    }
}

/// A typed value as StartAutomationExecution takes it: a list of texts, each item of a list one of them.
fn as_texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_array().map_or_else(|| vec![text(value)], |items| items.iter().map(text).collect())
}

fn holds_nodes(declared: &str) -> bool {
    matches!(declared, "AWS::EC2::Instance::Id" | "List<AWS::EC2::Instance::Id>")
}

/// Reads a fleet file.
pub(crate) fn fleet(path: &Path, seed: u64) -> Result<Fleet, Failure> {
    let text = read(path)?;
    Fleet::parse(&text, seed).map_err(|error| Failure::Input(format!("error: {}: {error}", path.display())))
}

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    check::read(path)
        .map_err(|reason| Failure::Input(format!("error: cannot read {}: {reason}", path.display())))
}

/// Everything that is said of a runbook that is not one.
fn refusal(file: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let told = Printer::stderr().diagnostics(file, text, diagnostics);
    let mistakes = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    format!("{told}{file} cannot be run: {}", plural(mistakes as u64, "mistake"))
}

/// A document name that SSM takes, after the file's. (SSM keeps names that begin with aws, amazon or amzn to itself.)
pub(crate) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let fits = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(fits).take(NAME_CHARS_MAX - "runbook-".len()).collect();
    let lower = name.to_ascii_lowercase();
    let reserved = ["aws", "amazon", "amzn"].iter().any(|prefix| lower.starts_with(prefix));
    if reserved || name.len() < 3 { format!("runbook-{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runbook(parameters: &str) -> RunbookText {
        let text = format!(
            "schemaVersion: '0.3'\nparameters: {parameters}\nmainSteps:\n  - name: wait\n    action: aws:sleep\n    \
             inputs: {{ Duration: PT1S }}\n"
        );
        RunbookText::parse("test.yaml", "test".to_owned(), text).expect("a runbook")
    }

    fn given(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_parameter_given_twice_is_a_list() {
        let runbook = runbook("{ Ids: { type: StringList } }");
        let bound = runbook.bind(&given(&[("Ids", "a"), ("Ids", "b")]), &Map::new()).expect("binds");
        assert_eq!(bound, Parameters::from([("Ids".to_owned(), vec!["a".to_owned(), "b".to_owned()])]));
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let runbook = runbook("{ Count: { type: Integer }, Group: { type: String } }");
        let error = runbook
            .bind(&given(&[("Count", "many"), ("Other", "1")]), &Map::new())
            .expect_err("refused")
            .to_string();
        for name in ["Count", "Group", "Other"] {
            assert!(error.contains(&format!("parameter {name}:")), "{error}");
        }
    }

    #[test]
    fn an_ill_formed_node_id_is_named_with_its_parameter() {
        let runbook = runbook("{ Nodes: { type: 'List<AWS::EC2::Instance::Id>' } }");
        let ids = r#"["i-0123456789abcdef0", "i-nope"]"#;
        let error = runbook.bind(&given(&[("Nodes", ids)]), &Map::new()).expect_err("refused").to_string();
        assert!(error.contains("parameter Nodes: `i-nope`"), "{error}");
    }

    #[test]
    fn document_names_are_ones_that_ssm_takes() {
        for (path, name) in [
            ("a/patch fleet.v2.yaml", "patch-fleet.v2"),
            ("x.yml", "runbook-x"),
            ("AWS-Patch.json", "runbook-AWS-Patch"),
        ] {
            assert_eq!(name_of(Path::new(path)), name);
        }
    }
}
