//! Pages of lists: how long they are, and where the next one begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fleetwright_wire::ServiceError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Items of a page, unless asked for fewer, and at most (SSM API reference, MaxResults).
const PAGE_MAX: usize = 50;
/// Bytes of the digest that tells a token that was altered, or that was given for another request.
const DIGEST_BYTES: usize = 16;

/// How many items a page has: as many as were asked for, which are held against the model before.
pub(crate) fn size(max_results: Option<i64>) -> usize {
    max_results.and_then(|wanted| usize::try_from(wanted).ok()).unwrap_or(PAGE_MAX)
}

/// The token of a place in a list. `scope` is what was asked for.
///
/// The place stands before the digest: a text of JSON never makes a token that begins with `-`, which
/// the aws CLI would take for an option.
pub(crate) fn write(place: &Value, scope: &str) -> String {
    let place = place.to_string();
    let digest = digest(&place, scope);
    URL_SAFE_NO_PAD.encode([place.as_bytes(), &digest].concat())
}

/// The place a token stands for, if there is a token.
pub(crate) fn read<T: DeserializeOwned>(token: Option<&str>, scope: &str) -> Result<Option<T>, ServiceError> {
    let Some(token) = token else { return Ok(None) };
    let place = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| {
        let (place, found) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_BYTES)?)?;
        let place = std::str::from_utf8(place).ok()?;
        if found == digest(place, scope) { serde_json::from_str(place).ok() } else { None }
    });
    let wrong =
        || ServiceError::invalid_next_token("NextToken is not one that this request was answered with");
    place.map(Some).ok_or_else(wrong)
}

fn digest(place: &str, scope: &str) -> [u8; DIGEST_BYTES] {
    let whole = Sha256::digest(format!("{scope}\n{place}"));
    let mut part = [0; DIGEST_BYTES];
    part.copy_from_slice(&whole[..DIGEST_BYTES]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_is_good_for_the_request_it_answers_and_for_no_other() {
        let token = write(&json!(7), "steps a");
        assert_eq!(read::<u32>(Some(&token), "steps a").expect("genuine"), Some(7));
        assert!(read::<u32>(Some(&token), "steps b").is_err(), "another request");
        for altered in [token[1..].to_owned(), format!("{token}A"), String::new(), "ä".to_owned()] {
            assert_eq!(read::<u32>(Some(&altered), "steps a").expect_err("altered").code, "InvalidNextToken");
        }
        assert_eq!(read::<u32>(None, "steps a").expect("the first page"), None);
    }

    #[test]
    fn no_token_looks_like_an_option_of_the_aws_cli() {
        for place in 0..500 {
            for token in [write(&json!(place), "a"), write(&json!({ "pk": place }), "a")] {
                assert!(token.starts_with(|first: char| first.is_ascii_alphanumeric()), "{token}");
            }
        }
    }
}
