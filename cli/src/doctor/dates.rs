//! What time AWS says it is, beside what time this machine says: every answer of AWS has a date.

use crate::clock;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the dates of answers as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct Dates {
    /// How much later it was here than AWS said, for each answer.
    ahead: Arc<Mutex<Vec<SignedDuration>>>,
}

impl Dates {
    /// How far this machine's clock is ahead of AWS's, as the answer that shows the least of it has it: the way of an
    /// answer only adds to it. `None`: AWS has not answered.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.iter().copied().min_by_key(|ahead| ahead.abs())
    }
}

#[dyn_dispatch_hint]
impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "Dates"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date").and_then(read) {
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            ahead.push(clock::now().duration_since(date));
        }
        Ok(())
    }
}

/// A moment as the header `Date` has it (RFC 9110, 5.6.7).
pub(super) fn read(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_a_moment() {
        let moment = read("Sat, 14 Mar 2026 02:00:00 GMT").expect("a moment");
        assert_eq!(moment.to_string(), "2026-03-14T02:00:00Z");
        assert_eq!(read("soon"), None);
    }
}
