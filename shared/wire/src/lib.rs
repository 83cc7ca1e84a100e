//! SSM's JSON 1.1 requests, responses and errors.
//!
//! One structure per shape of the SSM API reference, with its names. Every member is optional and unknown members
//! are ignored: what is required, and what else a value must satisfy, is a rule of the service that answers, not of
//! the wire. Enumerations are text for the same reason: a value nobody knew when this was written must survive
//! being read and written again.

/// Declares wire structures: PascalCase members, all optional, absent ones not written.
macro_rules! structures {
    ($(
        $(#[$meta:meta])*
        $name:ident { $( $(#[$member_meta:meta])* $member:ident: $kind:ty, )* }
    )*) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name { $(
            $(#[$member_meta])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $member: Option<$kind>,
        )* }
    )* };
}

mod automation;
mod check;
mod command;
mod command_filter;
mod document;
mod endpoint;
mod error;
mod execution_list;
mod instance;
mod invocation;
mod parameter_store;
mod patch;
pub mod results;
mod step;
mod time;

pub use automation::*;
pub use check::{is_operation, read_request};
pub use command::*;
pub use command_filter::{CommandFilters, CommandList, CommandSubject};
pub use document::*;
pub use endpoint::Endpoint;
pub use error::ServiceError;
pub use execution_list::*;
pub use instance::*;
pub use invocation::*;
pub use parameter_store::*;
pub use patch::*;
pub use step::*;
pub use time::EpochSeconds;

use std::collections::BTreeMap;

/// Values by parameter name. SSM passes every parameter as a list of texts, whatever its type.
pub type Parameters = BTreeMap<String, Vec<String>>;
