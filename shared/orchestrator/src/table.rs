//! The one table: items, keys, and how they are read and written.
//!
//! Attribute names always go through `#`, and come from constants and enums, never from an event's text. All reads are
//! consistent but for queries of an index, which only nominate.

mod attributes;
mod chunked;
mod command_item;
mod commit;
mod description_item;
mod direct_item;
mod document_item;
mod execution_item;
mod health_item;
mod history_item;
mod list_item;
mod output_item;
mod recent_index;
mod result_item;
mod schema;
mod send_item;
mod update;

pub(crate) use command_item::{CommandItem, Expiry, Owner, SettleCursor, SettledHead, ToSettle};
pub(crate) use commit::{Commit, Committed};
pub(crate) use direct_item::{Begun, DirectState};
pub(crate) use execution_item::{Loaded, Overview, StepRow};
pub(crate) use health_item::Heartbeat;
pub(crate) use recent_index::RecentKey;
pub(crate) use result_item::{INVOCATIONS_PER_PART, Parts};
pub use schema::create_table;
pub(crate) use schema::{Due, DueFor};
pub(crate) use send_item::{Recorded, SendItem};

use crate::back_off::BackOff;
use crate::planted::{Bug, is_planted};
use crate::{Error, Operation};
use attributes::{Item, Reader, number};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use chunked::Chunked;
use std::collections::HashMap;

/// Keys of one BatchGetItem (DynamoDB API reference).
const BATCH_GET_MAX: usize = 100;

/// The table and the client that reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    /// Days that items live on after their execution's retention.
    pub(crate) retention_days: u32,
    pub(crate) back_off: BackOff,
    chunked: Chunked,
}

impl Table {
    /// A table by its name.
    pub(crate) fn new(client: Client, name: String, retention_days: u32, back_off: BackOff) -> Self {
        Self { client, name, retention_days, back_off, chunked: Chunked::default() }
    }

    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, Error> {
        let read = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(schema::key(pk, sk)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::of(Operation::GetItem, &error))?;
        read.item.as_ref().map_or(Ok(()), |item| Reader(item).check_schema())?;
        Ok(read.item)
    }

    /// Writes a whole item, in the place of one of this layout at most.
    pub(crate) async fn put_whole(&self, item: Item) -> Result<(), Error> {
        let key = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
        let (pk, sk) = (key(schema::PK), key(schema::SK));
        let sent = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk) OR #schema = :schema")
            .expression_attribute_names("#pk", schema::PK)
            .expression_attribute_names("#schema", schema::SCHEMA_VERSION)
            .expression_attribute_values(":schema", number(schema::SCHEMA))
            .send()
            .await;
        sent.map(drop).map_err(|error| match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => {
                Error::Unreadable(format!("item {pk} {sk}: it is of another layout"))
            }
            Some(_) | None => Error::of(Operation::PutItem, &error),
        })
    }

    /// Items by key, in no order; what does not exist is left out.
    pub(crate) async fn get_all(&self, keys: &[(String, String)]) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        for batch in keys.chunks(BATCH_GET_MAX) {
            let mut left: Vec<HashMap<String, AttributeValue>> =
                batch.iter().map(|(pk, sk)| schema::key(pk, sk)).collect();
            for _ in 0..UNPROCESSED_ROUNDS {
                if left.is_empty() {
                    break;
                }
                let wanted = KeysAndAttributes::builder()
                    .set_keys(Some(std::mem::take(&mut left)))
                    .consistent_read(!is_planted(Bug::StaleRead))
                    .build()
                    .map_err(|error| Error::Ours(error.to_string()))?;
                let read = self
                    .client
                    .batch_get_item()
                    .request_items(&self.name, wanted)
                    .send()
                    .await
                    .map_err(|error| Error::of(Operation::BatchGetItem, &error))?;
                let answered = items.len();
                items.extend(read.responses.into_iter().flat_map(HashMap::into_values).flatten());
                items[answered..].iter().try_for_each(|item| Reader(item).check_schema())?;
                left = read
                    .unprocessed_keys
                    .unwrap_or_default()
                    .into_values()
                    .flat_map(|keys| keys.keys)
                    .collect();
            }
            if !left.is_empty() {
                return Err(Error::Again("BatchGetItem left keys unprocessed".to_owned()));
            }
        }
        Ok(items)
    }
}

/// How often unprocessed keys of a batch are asked for again before the whole is given back to be retried.
const UNPROCESSED_ROUNDS: usize = 5;
