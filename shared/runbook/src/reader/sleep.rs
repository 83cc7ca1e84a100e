use super::{Fields, Reader};
use crate::{Code, Sleep};

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<Sleep> {
    inputs.only(reader, &["Duration", "Timestamp"], "aws:sleep");
    match (inputs.get("Duration"), inputs.get("Timestamp")) {
        (Some(node), None) => reader.setting(node, "Duration").map(Sleep::Duration),
        (None, Some(node)) => reader.setting(node, "Timestamp").map(Sleep::Timestamp),
        (Some(_), Some(node)) => {
            let message = format!("{label} has a Duration and a Timestamp: it sleeps by one of them");
            reader.report(Code::InvalidValue, node.position, message);
            None
        }
        (None, None) => {
            let message = format!("{label} has neither Duration nor Timestamp");
            reader.report(Code::MissingProperty, inputs.position, message);
            None
        }
    }
}
