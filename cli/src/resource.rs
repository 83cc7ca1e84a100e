//! What is read from the results API: a path, and what narrows it down.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;

/// All but RFC 3986's unreserved characters: an id that somebody mistyped stays one segment.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    path: String,
    query: String,
}

impl Resource {
    /// The resource of these segments.
    pub(crate) fn new(segments: &[&str]) -> Self {
        let encode = |segment: &&str| format!("/{}", utf8_percent_encode(segment, RESERVED));
        Self { path: segments.iter().map(encode).collect(), query: String::new() }
    }

    /// A part of an execution, or all of it.
    pub(crate) fn execution(id: &str, part: &str) -> Self {
        if part.is_empty() { Self::new(&["executions", id]) } else { Self::new(&["executions", id, part]) }
    }

    /// Narrowed down.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(&format!("{name}={}", utf8_percent_encode(value.as_ref(), RESERVED)));
        self
    }

    /// Narrowed down, if there is something to narrow it down to.
    pub(crate) fn with_some(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.path, self.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_stays_where_it_belongs() {
        let nodes =
            Resource::execution("../a b", "nodes").with("next", "a+b/c=").with_some("step", None::<&str>);
        assert_eq!(nodes.to_string(), "/executions/..%2Fa%20b/nodes?next=a%2Bb%2Fc%3D");
        let history =
            Resource::new(&["nodes", "i-0123456789abcdef0"]).with("limit", "5").with("sort", "slowest");
        assert_eq!(history.to_string(), "/nodes/i-0123456789abcdef0?limit=5&sort=slowest");
    }
}
