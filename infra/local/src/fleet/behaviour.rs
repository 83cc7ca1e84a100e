//! How nodes behave when a command runs on them.

use super::span::{Range, Share, Span};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor, value::SeqAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;

/// What happens when one of `documents` runs on a node. Shares are of all runs; the rest succeeds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Behaviour {
    /// Names of documents; `*` stands for any text.
    pub documents: Vec<String>,
    /// Only runs whose parameters have these values, such as `Operation: Install`.
    pub when: BTreeMap<String, String>,
    /// How long a run takes.
    pub duration: Span,
    /// Ends with `exit_code`.
    pub failed: Share,
    /// Hangs until the document's execution timeout.
    pub execution_timed_out: Share,
    /// Is never heard of until the command expires.
    pub delivery_timed_out: Share,
    /// Cannot be delivered.
    pub undeliverable: Share,
    /// Is cancelled on the node before it begins.
    pub cancelled: Share,
    /// The first so many runs it covers on each node fail; later ones follow the shares.
    pub fails_first: u32,
    /// Exit code of a failure.
    pub exit_code: i32,
    /// Standard output, with `{{ node }}` and other placeholders; absent: what the document would print.
    pub output: Option<String>,
    /// Standard error of a failure; absent: what the document would print.
    pub error: Option<String>,
    /// Patches an installation leaves missing.
    pub leaves_missing: Range,
    /// Installations that leave a node waiting for a reboot, although it may reboot.
    pub pending_reboot: Share,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            documents: vec!["*".to_owned()],
            when: BTreeMap::new(),
            duration: Span::seconds(2, 20),
            failed: Share::default(),
            execution_timed_out: Share::default(),
            delivery_timed_out: Share::default(),
            undeliverable: Share::default(),
            cancelled: Share::default(),
            fails_first: 0,
            exit_code: 1,
            output: None,
            error: None,
            leaves_missing: Range::default(),
            pending_reboot: Share::default(),
        }
    }
}

impl Behaviour {
    /// Whether it says what happens in a run of this document with these parameters.
    pub fn covers(&self, document: &str, parameters: &BTreeMap<String, Vec<String>>) -> bool {
        self.documents.iter().any(|pattern| matches(pattern, document))
            && self.when.iter().all(|(name, value)| {
                parameters.get(name).and_then(|values| values.first()).is_some_and(|given| given == value)
            })
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    let last = pattern.rsplit('*').next().unwrap_or_default();
    if open {
        name.len() >= pattern.len() - pattern.matches('*').count() && name.ends_with(last)
    } else {
        rest.is_empty()
    }
}

/// A behaviour as it stands in a fleet file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Written {
    #[serde(deserialize_with = "one_or_many")]
    documents: Vec<String>,
    when: BTreeMap<String, String>,
    duration: Span,
    failed: Share,
    execution_timed_out: Share,
    delivery_timed_out: Share,
    undeliverable: Share,
    cancelled: Share,
    fails_first: u32,
    exit_code: i32,
    output: Option<String>,
    error: Option<String>,
    leaves_missing: Range,
    pending_reboot: Share,
}

impl Default for Written {
    fn default() -> Self {
        let Behaviour { documents, when, duration, exit_code, leaves_missing, .. } = Behaviour::default();
        let none = Share::default();
        Self {
            documents,
            when,
            duration,
            failed: none,
            execution_timed_out: none,
            delivery_timed_out: none,
            undeliverable: none,
            cancelled: none,
            fails_first: 0,
            exit_code,
            output: None,
            error: None,
            leaves_missing,
            pending_reboot: none,
        }
    }
}

impl TryFrom<Written> for Behaviour {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let bad = [
            written.failed,
            written.execution_timed_out,
            written.delivery_timed_out,
            written.undeliverable,
            written.cancelled,
        ];
        let sum: f64 = bad.iter().map(|share| share.fraction()).sum();
        if sum > 1.000_001 {
            return Err(format!(
                "the shares of this behaviour add up to {:.1}%, more than 100%",
                sum * 100.0
            ));
        }
        if written.exit_code == 0 {
            return Err("exitCode is that of a failure and cannot be 0".to_owned());
        }
        Ok(Self {
            documents: written.documents,
            when: written.when,
            duration: written.duration,
            failed: written.failed,
            execution_timed_out: written.execution_timed_out,
            delivery_timed_out: written.delivery_timed_out,
            undeliverable: written.undeliverable,
            cancelled: written.cancelled,
            fails_first: written.fails_first,
            exit_code: written.exit_code,
            output: written.output,
            error: written.error,
            leaves_missing: written.leaves_missing,
            pending_reboot: written.pending_reboot,
        })
    }
}

/// A list of names, or one name alone.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the name of a document, or a list of names")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
            Ok(vec![name.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(names))
        }
    }
    deserializer.deserialize_any(Names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("AWS-RunPatchBaseline", "AWS-RunPatchBaseline", true),
            ("AWS-RunPatchBaseline", "AWS-RunPatchBaselineWithHooks", false),
            ("AWS-RunPatchBaseline*", "AWS-RunPatchBaselineWithHooks", true),
            ("*", "anything", true),
            ("*", "", true),
            ("arn:*:document/X", "arn:aws:ssm:us-east-1::document/X", true),
            ("arn:*:document/X", "arn:aws:ssm:us-east-1::document/XY", false),
            ("AWS-Run*Script", "AWS-RunShellScript", true),
            ("AWS-Run*Script", "AWS-RunShellScriptX", false),
            ("*Script*Script", "AWS-RunShellScript", false),
            ("AWS-*-Run", "AWS-Run", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
