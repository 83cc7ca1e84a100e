//! Random runbooks.

use std::fmt::Write;

/// Random numbers to choose by; none left means the first choice, which makes small things of short lists.
pub(crate) struct Choices {
    numbers: std::vec::IntoIter<u16>,
}

impl Choices {
    pub(crate) fn new(numbers: Vec<u16>) -> Self {
        Self { numbers: numbers.into_iter() }
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.numbers.next().unwrap_or(0)) % count
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    pub(crate) fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const HEAD: &str = "schemaVersion: '0.3'
parameters:
  Ids: { type: StringList, default: [] }
  Text: { type: String, default: blue }
  Two: { type: Integer, default: 2 }
variables: { count: { type: Integer, default: 0 }, unset: { type: String } }
";

/// Loops in loops.
pub(crate) const DEPTH_MAX: usize = 2;

/// Writes random runbooks that are valid: what is wrong with one shows only when it is executed. Some steps refer to
/// steps that are skipped, to a variable that was never set and to values of another type.
pub(crate) struct Writer {
    choices: Choices,
    steps: usize,
    text: String,
    /// References to a text or a number that a step further up leaves behind.
    texts: Vec<String>,
    /// References to a list of node ids.
    lists: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sleep,
    Command,
    Branch,
    Pause,
    Approve,
    Update,
    Api,
    State,
    Loop,
}

/// Each as often as it stands here. Loops are the last, and are left out where no more fit in.
const KINDS: [Kind; 13] = [
    Kind::Sleep,
    Kind::Command,
    Kind::Branch,
    Kind::Api,
    Kind::Update,
    Kind::Command,
    Kind::Api,
    Kind::State,
    Kind::Pause,
    Kind::Approve,
    Kind::Loop,
    Kind::Loop,
    Kind::Loop,
];
const LOOPS: usize = 3;

impl Writer {
    pub(crate) fn write(choices: Choices) -> String {
        let (texts, lists) = (vec!["Text".to_owned(), "variable:unset".to_owned()], vec!["Ids".to_owned()]);
        let mut writer = Self { choices, steps: 0, text: format!("{HEAD}mainSteps:\n"), texts, lists };
        writer.list(0, 0);
        let outputs: Vec<&String> = writer.texts.iter().filter(|text| text.contains('.')).take(2).collect();
        format!("{}outputs: {outputs:?}\n", writer.text)
    }

    fn list(&mut self, indent: usize, depth: usize) {
        let count = if depth == 0 { 6 + self.choices.below(8) } else { 1 + self.choices.below(5) };
        let names: Vec<String> = (0..count).map(|at| format!("s{}", self.steps + at)).collect();
        self.steps += count;
        for (at, name) in names.iter().enumerate() {
            self.step(indent, depth, name, &names[at + 1..]);
        }
    }

    fn line(&mut self, indent: usize, line: &str) {
        writeln!(self.text, "{:indent$}{line}", "").expect("writes");
    }

    /// A reference in braces and quotes: to the first of these, or to any of them.
    fn reference(choices: &mut Choices, known: &[String]) -> String {
        let at = if choices.one_in(4) { choices.below(known.len()) } else { 0 };
        format!("\"{{{{ {} }}}}\"", known[at])
    }

    fn step(&mut self, indent: usize, depth: usize, name: &str, later: &[String]) {
        let loops = if depth < DEPTH_MAX { LOOPS } else { 0 };
        let kind = KINDS[self.choices.below(KINDS.len() - LOOPS + loops)];
        self.line(indent, &format!("- name: {name}"));
        self.settings(indent + 2, kind, later);
        match kind {
            Kind::Sleep => self.plain(indent, "sleep", &format!("{{ Duration: PT{}M }}", 1 + 7 * depth)),
            Kind::Command => self.command(indent, name),
            Kind::Branch => self.branch(indent, later),
            Kind::Pause => self.plain(indent, "pause", "{}"),
            Kind::Approve => self.approve(indent, name),
            Kind::Update => {
                let values = ["7", "\"{{ Two }}\"", "8", "9", "\"{{ Text }}\"", "\"{{ variable:unset }}\""];
                let value = self.choices.of(&values).to_owned();
                self.plain(indent, "updateVariable", &format!("{{ Name: variable:count, Value: {value} }}"));
            }
            Kind::Api => self.api(indent, name),
            Kind::State => {
                let ids = Self::reference(&mut self.choices, &self.lists);
                let inputs = format!("{{ InstanceIds: {ids}, DesiredState: running }}");
                self.plain(indent, "changeInstanceState", &inputs);
            }
            Kind::Loop => self.loops(indent, depth, name),
        }
    }

    fn plain(&mut self, indent: usize, action: &str, inputs: &str) {
        self.line(indent + 2, &format!("action: aws:{action}"));
        self.line(indent + 2, &format!("inputs: {inputs}"));
    }

    fn settings(&mut self, indent: usize, kind: Kind, later: &[String]) {
        let target = |choices: &mut Choices| near(choices, later);
        match self.choices.below(16) {
            0..=10 => self.line(indent, "onFailure: Continue"),
            11 => self.line(indent, "onFailure: Abort"),
            12..=14 if let Some(name) = target(&mut self.choices) => {
                self.line(indent, &format!("onFailure: step:{name}"));
            }
            _ => {}
        }
        if self.choices.one_in(25) {
            self.line(indent, "isEnd: true");
        } else if self.choices.one_in(6)
            && let Some(name) = target(&mut self.choices)
        {
            self.line(indent, &format!("nextStep: {name}"));
        }
        if self.choices.one_in(4) {
            let critical = self.choices.of(&["true", "false"]).to_owned();
            self.line(indent, &format!("isCritical: {critical}"));
        }
        if self.choices.one_in(3) {
            let attempts = ["2", "3", "\"{{ Two }}\"", "\"{{ Text }}\""][self.choices.below(4)];
            self.line(indent, &format!("maxAttempts: {attempts}"));
        }
        if self.choices.one_in(8) {
            let seconds = [4_000, 400, 90, 1][self.choices.below(4)];
            self.line(indent, &format!("timeoutSeconds: {seconds}"));
        }
        // Loops and updates of variables have no onCancel.
        if !matches!(kind, Kind::Loop | Kind::Update)
            && self.choices.one_in(5)
            && let Some(name) = target(&mut self.choices)
        {
            self.line(indent, &format!("onCancel: step:{name}"));
        }
    }

    fn command(&mut self, indent: usize, name: &str) {
        let errors = self.choices.of(&["0", "1", "100%"]).to_owned();
        let ids = Self::reference(&mut self.choices, &self.lists);
        let inputs = format!(
            "{{ DocumentName: AWS-RunShellScript, InstanceIds: {ids}, MaxErrors: '{errors}', MaxConcurrency: '2' }}"
        );
        self.plain(indent, "runCommand", &inputs);
        self.lists.push(format!("{name}.SuccessInstanceIds"));
        self.texts.push(format!("{name}.FailedCount"));
        self.texts.push(format!("{name}.SuccessInstanceIds[0]"));
    }

    fn api(&mut self, indent: usize, name: &str) {
        let text = Self::reference(&mut self.choices, &self.texts);
        self.plain(indent, "executeAwsApi", &format!("{{ Service: ec2, Api: Describe, A: {text} }}"));
        self.line(indent + 2, "outputs:");
        self.line(indent + 2, "- { Name: Id, Selector: '$.Id', Type: String }");
        self.line(indent + 2, "- { Name: Nodes, Selector: '$.Nodes', Type: StringList }");
        self.texts.push(format!("{name}.Id"));
        self.lists.push(format!("{name}.Nodes"));
    }

    fn approve(&mut self, indent: usize, name: &str) {
        let inputs = self.choices.of(&[
            "{ Approvers: [alice] }",
            "{ Approvers: [alice, bob], MinRequiredApprovals: 2, NotificationArn: 'arn:aws:sns:us-east-1:123456789012:Automation' }",
            "{ Approvers: [bob] }",
            "{ Approvers: [alice], MinRequiredApprovals: \"{{ Two }}\" }",
        ]);
        let inputs = inputs.to_owned();
        self.plain(indent, "approve", &inputs);
        self.texts.push(format!("{name}.ApprovalStatus"));
    }

    /// A condition that may ask anything but the step it is of.
    fn condition(&mut self, of: &str) -> String {
        let own = format!("{of}.");
        let known: Vec<String> = self.texts.iter().filter(|text| !text.starts_with(&own)).cloned().collect();
        let left = Self::reference(&mut self.choices, &known);
        let right = ["StringEquals: blue", "StringEquals: red", "StringEquals: blue", "NumericEquals: 3"];
        format!("Variable: {left}, {}", right[self.choices.below(7) % 4])
    }

    fn branch(&mut self, indent: usize, later: &[String]) {
        let Some(next) = near(&mut self.choices, later) else {
            return self.plain(indent, "sleep", "{ Duration: PT0S }");
        };
        let condition = self.condition("");
        let default = match later.first() {
            Some(name) if self.choices.one_in(3) => format!(", Default: {name}"),
            Some(_) | None => String::new(),
        };
        self.plain(
            indent,
            "branch",
            &format!("{{ Choices: [{{ NextStep: {next}, {condition} }}]{default} }}"),
        );
    }

    fn loops(&mut self, indent: usize, depth: usize, name: &str) {
        self.line(indent + 2, "action: aws:loop");
        self.line(indent + 2, "inputs:");
        let by_condition = self.choices.one_in(3);
        if !by_condition {
            let ids = Self::reference(&mut self.choices, &self.lists);
            let items = self
                .choices
                .of(&["[a, b]", "[a, b, c]", &ids, "[a, b]", "[x]", &ids, "[]", "[1]"])
                .to_owned();
            self.line(indent + 4, &format!("Iterators: {items}"));
            self.texts.push(format!("{name}.CurrentIteratorValue"));
        }
        self.texts.push(format!("{name}.CurrentIteration"));
        self.line(indent + 4, "Steps:");
        self.list(indent + 6, depth + 1);
        // It stands behind the steps, for it can ask what they came to.
        if by_condition {
            let condition = self.condition(name);
            self.line(indent + 4, &format!("LoopCondition: {{ {condition} }}"));
            self.line(indent + 4, "MaxIterations: 3");
        }
    }
}

/// One of the steps that come soon.
fn near(choices: &mut Choices, later: &[String]) -> Option<String> {
    later.get(choices.below(later.len().clamp(1, 3))).cloned()
}
