//! Outputs of a command on a node that were read through: longer than what settling keeps.

use super::Table;
use super::attributes::number;
use super::result_item::{pack, unpacked};
use super::schema::{self, keys};
use super::update::expiry;
use crate::Error;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_fleet::{CommandId, NodeId};
use fleetwright_wire::GetCommandInvocationResult;
use jiff::Timestamp;

const OUTPUT: &str = "output";
/// The sort key where a caller named no plugin.
const ONLY_PLUGIN: &str = "-";

impl Table {
    /// The outputs of a command on a node, if they are kept.
    pub(crate) async fn output(
        &self,
        command: &CommandId,
        node: &NodeId,
        plugin: Option<&str>,
    ) -> Result<Option<GetCommandInvocationResult>, Error> {
        let item = self.get(&keys::output(command, node), plugin.unwrap_or(ONLY_PLUGIN)).await?;
        item.map_or(Ok(None), |item| unpacked(&item, OUTPUT))
    }

    /// Keeps the outputs of a command on a node.
    pub(crate) async fn keep_output(
        &self,
        command: &CommandId,
        node: &NodeId,
        plugin: Option<&str>,
        output: &GetCommandInvocationResult,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = schema::key(&keys::output(command, node), plugin.unwrap_or(ONLY_PLUGIN));
        item.insert(schema::SCHEMA_VERSION.to_owned(), number(schema::SCHEMA));
        item.insert(schema::EXPIRES.to_owned(), expiry(self.retention_days, now));
        item.insert(OUTPUT.to_owned(), AttributeValue::B(Blob::new(pack(output)?)));
        self.put_whole(item).await
    }
}
