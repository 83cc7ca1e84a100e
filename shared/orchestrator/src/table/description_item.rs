//! What SSM said of commands: on the send item of an execution's, in an item of its own of every other's.

use super::attributes::{Item, Reader, number};
use super::result_item::{pack, unpacked};
use super::schema::{self, keys};
use super::update::expiry;
use super::{CommandItem, Table, send_item};
use crate::{Error, Operation};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_fleet::CommandId;
use fleetwright_wire::Command;
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Table {
    /// Keeps what SSM said of a command that no execution sent.
    pub(crate) async fn describe(
        &self,
        id: &CommandId,
        description: &Command,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = schema::key(&keys::command(id), keys::DESCRIPTION);
        item.insert(schema::SCHEMA_VERSION.to_owned(), number(schema::SCHEMA));
        item.insert(schema::EXPIRES.to_owned(), expiry(self.retention_days, now));
        item.insert(send_item::DESCRIPTION.to_owned(), AttributeValue::B(Blob::new(pack(description)?)));
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| Error::of(Operation::PutItem, &error))
    }

    /// What SSM said of these commands when they were sent or found.
    pub(crate) async fn descriptions(
        &self,
        commands: impl Iterator<Item = &CommandItem>,
    ) -> Result<BTreeMap<CommandId, Command>, Error> {
        let key = |item: &CommandItem| match &item.owner {
            Some(owner) => (keys::execution(&owner.execution), keys::send(&owner.token)),
            None => (keys::command(&item.id), keys::DESCRIPTION.to_owned()),
        };
        let wanted: Vec<_> = commands.map(key).collect();
        let items = self.get_all(&wanted).await?;
        Ok(items.iter().filter_map(read).collect())
    }
}

fn read(item: &Item) -> Option<(CommandId, Command)> {
    let reader = Reader(item);
    let id = match reader.maybe_text(send_item::COMMAND_ID) {
        Some(id) => id,
        None => reader.maybe_text(schema::PK)?.strip_prefix("CMD#")?,
    };
    Some((id.parse().ok()?, unpacked(item, send_item::DESCRIPTION)?))
}
