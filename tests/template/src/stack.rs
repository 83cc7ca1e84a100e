//! A stack: an expanded template with values for its parameters.

use crate::policy::Policy;
use fleetwright_local::lambda_api::STACK;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The functions by their names behind the stack's, and by their names in the template.
pub const FUNCTIONS: [(&str, &str); 4] = [
    ("on-command-event", "OnCommandEvent"),
    ("reconcile", "Reconcile"),
    ("api-read", "ApiRead"),
    ("api-control", "ApiControl"),
];

/// Names the directory that the expanded templates are in.
const EXPANDED: &str = "FLEETWRIGHT_EXPANDED";

/// A template that is deployed.
#[derive(Debug)]
pub struct Stack {
    pub(crate) name: String,
    pub(crate) template: Value,
    /// All of them, those that have their defaults too.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// A resource, with what it refers to filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name in the template.
    pub id: String,
    /// Its type, such as `AWS::SQS::Queue`.
    pub kind: String,
    /// Its properties.
    pub properties: Value,
}

impl Stack {
    /// The whole deployment with these parameters, and with the defaults of all others.
    ///
    /// # Panics
    /// If nobody has expanded the template, or it has no such parameter.
    #[must_use]
    pub fn deployed(parameters: &[(&str, &str)]) -> Self {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::read("template", STACK, &parameters.collect())
    }

    /// The stack that a resource of this one is.
    ///
    /// # Panics
    /// If there is no such resource, or its parameters are not those of its template.
    #[must_use]
    pub fn nested(&self, id: &str) -> Self {
        let properties = self.resource(id).properties;
        let url = text(&properties["TemplateURL"]);
        let file = url.rsplit('/').next().and_then(|file| file.strip_suffix(".yaml")).expect("a template");
        let given = properties["Parameters"].as_object().expect("parameters");
        let given = given.iter().map(|(name, value)| (name.clone(), text(value).to_owned()));
        Self::read(file, &format!("{}-{id}", self.name), &given.collect())
    }

    fn read(file: &str, name: &str, given: &BTreeMap<String, String>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "whoever expands the templates says where they are")]
        let directory = std::env::var(EXPANDED).expect("`cargo xtask template` runs these tests");
        let path = PathBuf::from(directory).join(format!("{file}.json"));
        let json = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let template: Value = serde_json::from_str(&json).expect("an expanded template is JSON");
        let mut parameters = BTreeMap::new();
        for (parameter, declared) in template["Parameters"].as_object().expect("parameters") {
            let default = declared.get("Default").map(|default| match default.as_u64() {
                Some(number) => number.to_string(),
                None => text(default).to_owned(),
            });
            let value = given.get(parameter).cloned().or(default);
            parameters.insert(parameter.clone(), value.unwrap_or_else(|| panic!("{parameter} is not given")));
        }
        for parameter in given.keys() {
            assert!(parameters.contains_key(parameter), "{file} has no parameter {parameter}");
        }
        Self { name: name.to_owned(), template, parameters }
    }

    /// Everything that is deployed: what has a condition, only if that holds.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        let declared = self.template["Resources"].as_object().expect("resources");
        let is_there = move |declared: &Value| {
            declared["Condition"].as_str().is_none_or(|condition| self.holds(condition))
        };
        declared.iter().filter(move |(_, declared)| is_there(declared)).map(move |(id, declared)| Resource {
            id: id.clone(),
            kind: text(&declared["Type"]).to_owned(),
            properties: self.fill(&declared["Properties"]).unwrap_or_default(),
        })
    }

    /// The resources of a type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = Resource> {
        self.resources().filter(move |resource| resource.kind == kind)
    }

    /// A resource by its name in the template.
    ///
    /// # Panics
    /// If it is not deployed.
    #[must_use]
    pub fn resource(&self, id: &str) -> Resource {
        let found = self.resources().find(|resource| resource.id == id);
        found.unwrap_or_else(|| panic!("{id} is not deployed"))
    }

    /// What the template itself says of a resource, such as whether it is kept.
    #[must_use]
    pub fn declared(&self, id: &str) -> &Value {
        &self.template["Resources"][id]
    }

    /// What the template says of itself.
    #[must_use]
    pub fn metadata(&self, name: &str) -> &Value {
        &self.template["Metadata"][name]
    }

    /// The environment variables of a function, by its name in the template.
    ///
    /// # Panics
    /// If there is no such function.
    #[must_use]
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        let properties = self.resource(function).properties;
        let variables = properties["Environment"]["Variables"].as_object().expect("variables");
        variables.iter().map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
    }

    /// What a function's role allows, its managed policies included.
    ///
    /// # Panics
    /// If there is no such function, or its role is not the template's.
    #[must_use]
    pub fn role_of(&self, function: &str) -> Policy {
        let arn = self.resource(function).properties["Role"].clone();
        self.role(text(&arn))
    }

    /// What a role allows, by its ARN.
    ///
    /// # Panics
    /// If it is not the template's.
    #[must_use]
    pub fn role(&self, arn: &str) -> Policy {
        let role = self.of_kind("AWS::IAM::Role").find(|role| self.attribute(&role.id, "Arn") == arn);
        let role = role.unwrap_or_else(|| panic!("no role {arn}")).properties;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let inline = list(&role["Policies"]).into_iter().map(|policy| policy["PolicyDocument"].clone());
        let managed = list(&role["ManagedPolicyArns"]).into_iter().map(|arn| {
            let mut policies = self.of_kind("AWS::IAM::ManagedPolicy");
            let policy = policies.find(|policy| self.reference(&policy.id) == arn);
            policy.unwrap_or_else(|| panic!("no policy {arn}")).properties["PolicyDocument"].clone()
        });
        inline.chain(managed).map(|document| Policy::read(&document)).collect()
    }
}

/// A property that is text.
///
/// # Panics
/// If it is not.
#[must_use]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not text: {value}"))
}

/// A property that is a number, or text that is one: values of parameters are text.
///
/// # Panics
/// If it is not.
#[must_use]
pub fn number(value: &Value) -> u64 {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("not a number: {value}"))
}
