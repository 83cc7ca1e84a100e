//! CloudFormation's functions, as far as the templates use them, and the names it would give to what it makes.

use crate::stack::{Stack, text};
use fleetwright_local::names::{ACCOUNT, REGION, queue_arn, queue_url, role_arn, rule_arn, topic_arn};
use serde_json::{Map, Value, json};

const PARTITION: &str = "aws";

impl Stack {
    /// A value without functions in it; `None` where it is AWS::NoValue.
    pub(crate) fn fill(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(items) => Some(items.iter().filter_map(|item| self.fill(item)).collect()),
            Value::Object(members) => match members.iter().next() {
                Some((name, argument)) if members.len() == 1 && is_function(name) => {
                    self.apply(name, argument)
                }
                Some(_) | None => {
                    let filled =
                        members.iter().filter_map(|(name, value)| Some((name.clone(), self.fill(value)?)));
                    Some(Value::Object(filled.collect::<Map<_, _>>()))
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
        }
    }

    fn apply(&self, function: &str, argument: &Value) -> Option<Value> {
        match (function, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => None,
            ("Ref", Value::String(name)) => Some(self.reference(name)),
            ("Fn::GetAtt", Value::Array(path)) => Some(json!(self.attribute(text(&path[0]), text(&path[1])))),
            ("Fn::Sub", Value::String(template)) => Some(json!(self.substitute(template))),
            ("Fn::Join", Value::Array(parts)) => {
                let items = self.fill(&parts[1])?;
                let items = items.as_array().expect("Fn::Join takes a list");
                Some(json!(items.iter().map(text).collect::<Vec<_>>().join(text(&parts[0]))))
            }
            ("Fn::If", Value::Array(parts)) => {
                let branch = if self.holds(text(&parts[0])) { &parts[1] } else { &parts[2] };
                self.fill(branch)
            }
            _ => panic!("{function} of {argument} is not understood"),
        }
    }

    /// Whether a condition of the template holds.
    pub(crate) fn holds(&self, condition: &str) -> bool {
        self.is_true(&self.template["Conditions"][condition])
    }

    fn is_true(&self, condition: &Value) -> bool {
        if let Some(operands) = condition["Fn::Equals"].as_array() {
            return self.fill(&operands[0]) == self.fill(&operands[1]);
        }
        let negated = condition["Fn::Not"].as_array().and_then(|operands| operands.first());
        !self.is_true(negated.unwrap_or_else(|| panic!("not a condition: {condition}")))
    }

    /// What `Ref` says.
    pub(crate) fn reference(&self, name: &str) -> Value {
        if let Some(value) = self.parameters.get(name) {
            let is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList";
            return if is_list {
                value.split(',').map(|item| json!(item.trim())).collect()
            } else {
                json!(value)
            };
        }
        json!(match name {
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => PARTITION.to_owned(),
            "AWS::Region" => REGION.to_owned(),
            "AWS::StackName" => self.name.clone(),
            id => match self.kind(id) {
                "AWS::SNS::Topic" => topic_arn(id),
                "AWS::SQS::Queue" => queue_url(id),
                "AWS::IAM::ManagedPolicy" => format!("arn:{PARTITION}:iam::{ACCOUNT}:policy/{id}"),
                "AWS::Lambda::Function" => self.own_name(id, "FunctionName"),
                "AWS::Logs::LogGroup" => self.own_name(id, "LogGroupName"),
                "AWS::DynamoDB::Table" => id.to_owned(),
                other => panic!("a reference to {id}, which is {other}"),
            },
        })
    }

    /// What `Fn::GetAtt` says.
    pub(crate) fn attribute(&self, id: &str, attribute: &str) -> String {
        let here = |service: &str, name: &str| format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{name}");
        match (self.kind(id), attribute) {
            ("AWS::DynamoDB::Table", "Arn") => here("dynamodb", &format!("table/{id}")),
            ("AWS::Events::Rule", "Arn") => rule_arn(id),
            ("AWS::IAM::Role", "Arn") => role_arn(id),
            ("AWS::Lambda::Function", "Arn") => {
                here("lambda", &format!("function:{}", self.own_name(id, "FunctionName")))
            }
            ("AWS::Lambda::Url", "FunctionUrl") => format!("https://{id}.lambda-url.{REGION}.on.aws/"),
            ("AWS::Logs::LogGroup", "Arn") => {
                here("logs", &format!("log-group:{}:*", self.own_name(id, "LogGroupName")))
            }
            ("AWS::SQS::Queue", "Arn") => queue_arn(id),
            ("AWS::SQS::Queue", "QueueName") => id.to_owned(),
            (kind, _) => panic!("{attribute} of {id}, which is {kind}"),
        }
    }

    fn kind(&self, id: &str) -> &str {
        self.declared(id)["Type"].as_str().unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// The name a template gives to a resource.
    fn own_name(&self, id: &str, property: &str) -> String {
        let name = self.fill(&self.declared(id)["Properties"][property]);
        text(&name.expect("a name")).to_owned()
    }

    /// `${Name}`, `${Name.Attribute}`.
    fn substitute(&self, template: &str) -> String {
        let mut parts = template.split("${");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("a closed bracket");
            match name.split_once('.') {
                Some((id, attribute)) => text.push_str(&self.attribute(id, attribute)),
                None => text.push_str(crate::stack::text(&self.reference(name))),
            }
            text.push_str(rest);
        }
        text
    }
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}
