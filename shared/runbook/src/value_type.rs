use std::fmt;

use serde::{Deserialize, Serialize};

/// The types of parameters, variables and user outputs (SSM User Guide, documents-syntax-data-elements-parameters).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ValueType {
    /// Text.
    String,
    /// A list of texts.
    StringList,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list of mappings.
    MapList,
    /// A mapping.
    StringMap,
}

impl ValueType {
    /// Every type.
    pub const ALL: [Self; 6] =
        [Self::String, Self::StringList, Self::Integer, Self::Boolean, Self::MapList, Self::StringMap];

    /// The name SSM gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::Integer => "Integer",
            Self::Boolean => "Boolean",
            Self::MapList => "MapList",
            Self::StringMap => "StringMap",
        }
    }

    /// Its name behind the article that fits.
    pub(crate) fn with_article(self) -> String {
        let article = match self {
            Self::Integer => "an",
            Self::String | Self::StringList | Self::Boolean | Self::MapList | Self::StringMap => "a",
        };
        format!("{article} {self}")
    }

    /// The type of that name.
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The type of a parameter of that declared type. `AWS::EC2::Instance::Id` and its like only tell the
    /// console what to offer: their values are texts, and those of `List<AWS::…>` lists of texts.
    pub(crate) fn declared(text: &str) -> Option<Self> {
        let listed = text.strip_prefix("List<").and_then(|rest| rest.strip_suffix('>'));
        match listed {
            Some(item) => is_aws_type(item).then_some(Self::StringList),
            None if is_aws_type(text) => Some(Self::String),
            None => Self::named(text),
        }
    }
}

fn is_aws_type(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let words: Vec<&str> = text.split("::").collect();
    words.len() >= 3 && words[0] == "AWS" && words.into_iter().all(is_word)
}

impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
