//! What SSM said of commands: on the send item of an execution's, in an item of its own of every other's.

use super::attributes::{Item, Reader, number};
use super::result_item::{pack, unpacked};
use super::schema::{self, keys};
use super::update::expiry;
use super::{CommandItem, Table, send_item};
use crate::Error;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_fleet::CommandId;
use fleetwright_wire::Command;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

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
        self.put_whole(item).await
    }

    /// What SSM said of these commands when they were sent or found.
    pub(crate) async fn descriptions(
        &self,
        commands: impl Iterator<Item = &CommandItem>,
    ) -> Result<BTreeMap<CommandId, Command>, Error> {
        let own = |id: &CommandId| (keys::command(id), keys::DESCRIPTION.to_owned());
        let mut wanted = BTreeSet::new();
        let mut of_executions = Vec::new();
        for item in commands {
            match &item.owner {
                Some(owner) => {
                    of_executions.push(item.id.clone());
                    wanted.insert((keys::execution(&owner.execution), keys::send(&owner.token)))
                }
                None => wanted.insert(own(&item.id)),
            };
        }
        let items = self.get_all(&wanted.into_iter().collect::<Vec<_>>()).await?;
        let mut found = items.iter().filter_map(read).collect::<Result<BTreeMap<_, _>, _>>()?;
        // A send names one command; one too many of it is described by itself.
        let extra: Vec<_> = of_executions.iter().filter(|id| !found.contains_key(id)).map(own).collect();
        for described in self.get_all(&extra).await?.iter().filter_map(read) {
            let (id, description) = described?;
            found.insert(id, description);
        }
        Ok(found)
    }
}

/// `None`: a send of which SSM has said nothing yet.
fn read(item: &Item) -> Option<Result<(CommandId, Command), Error>> {
    try_read(item).transpose()
}

fn try_read(item: &Item) -> Result<Option<(CommandId, Command)>, Error> {
    let reader = Reader(item);
    let Some(description) = unpacked(item, send_item::DESCRIPTION)? else { return Ok(None) };
    let pk = reader.text(schema::PK)?;
    let id = reader.maybe_text(send_item::COMMAND_ID)?.or_else(|| pk.strip_prefix("CMD#"));
    let Some(id) = id else { return Ok(None) };
    Ok(Some((id.parse().map_err(|_| reader.unreadable(schema::PK))?, description)))
}
