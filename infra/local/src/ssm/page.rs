//! Pages: tokens that survive new arrivals and are refused when altered or used for another request.

use super::Ssm;
use super::chance::digest;
use fleetwright_wire::ServiceError;

/// Where a page ended. What the two numbers count is the operation's matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) first: usize,
    pub(super) second: usize,
}

impl Ssm {
    /// The token for a cursor; `scope` is what the request asked for.
    pub(super) fn token(&self, cursor: Cursor, scope: &str) -> String {
        let body = format!("{:016x}{:016x}", cursor.first, cursor.second);
        format!("{body}{:016x}", digest(digest(self.seed, scope.as_bytes()), body.as_bytes()))
    }

    /// The cursor of a token, if there is a token.
    pub(super) fn cursor(&self, token: Option<&str>, scope: &str) -> Result<Option<Cursor>, ServiceError> {
        let Some(token) = token else { return Ok(None) };
        let number = |range: std::ops::Range<usize>| {
            token.get(range).and_then(|digits| usize::from_str_radix(digits, 16).ok())
        };
        let cursor = number(0..16).zip(number(16..32)).map(|(first, second)| Cursor { first, second });
        let genuine = |cursor: &Cursor| self.token(*cursor, scope) == token;
        match cursor.filter(genuine) {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(ServiceError::invalid_next_token("The specified token is not valid.")),
        }
    }
}
