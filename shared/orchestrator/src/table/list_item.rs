//! Node lists: immutable, in parts, written before the commit that names them or with it.

use super::Table;
use super::attributes::{Item, Reader, number};
use super::schema::{self, keys};
use crate::{Error, Operation};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use fleetwright_engine::{ExecutionId, ListId, ListRef, NodeList};
use fleetwright_fleet::NodeId;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// Ids of one item: about 40 KB.
const IDS_PER_PART: usize = 2_000;
/// Items of one BatchWriteItem (DynamoDB API reference).
const BATCH_WRITE_MAX: usize = 25;
/// Batches written at the same time.
const BATCHES_AT_ONCE: usize = 8;
/// How often what was not processed is written again.
const ROUNDS: u32 = 5;

const IDS: &str = "ids";

impl Table {
    /// Writes lists of more than one part; the items of the others are handed back, to go with the commit.
    pub(crate) async fn write_lists(
        &self,
        execution: &ExecutionId,
        lists: &[NodeList],
        expires: &AttributeValue,
    ) -> Result<Vec<Item>, Error> {
        let mut in_commit: Vec<Item> = Vec::new();
        let mut written = std::collections::BTreeSet::new();
        for list in lists {
            if !written.insert(list.reference.id.clone()) {
                continue;
            }
            let mut items = parts(execution, list, expires);
            if items.len() == 1 && in_commit.len() < WITH_COMMIT_MAX {
                in_commit.append(&mut items);
            } else {
                self.write_all(items).await?;
            }
        }
        Ok(in_commit)
    }

    /// Writes items in batches; what is there under their keys is replaced.
    pub(crate) async fn write_all(&self, items: Vec<Item>) -> Result<(), Error> {
        let put = |item: Item| {
            let request = PutRequest::builder().set_item(Some(item)).build();
            request.map(|put| WriteRequest::builder().put_request(put).build())
        };
        let requests: Result<Vec<WriteRequest>, _> = items.into_iter().map(put).collect();
        let requests = requests.map_err(|error| Error::Ours(error.to_string()))?;
        let batches = requests.chunks(BATCH_WRITE_MAX).map(|batch| self.write_batch(batch));
        stream::iter(batches).buffer_unordered(BATCHES_AT_ONCE).try_collect::<()>().await
    }

    async fn write_batch(&self, batch: &[WriteRequest]) -> Result<(), Error> {
        let mut left = batch.to_vec();
        for round in 1..=ROUNDS {
            let sent = self
                .client
                .batch_write_item()
                .request_items(&self.name, std::mem::take(&mut left))
                .send()
                .await
                .map_err(|error| Error::of(Operation::BatchWriteItem, &error));
            match sent {
                Ok(sent) => {
                    left = sent.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
                }
                Err(Error::Again(_)) if round < ROUNDS => left = batch.to_vec(),
                Err(error) => return Err(error),
            }
            if left.is_empty() {
                return Ok(());
            }
            self.back_off.wait(round).await;
        }
        Err(Error::Again("BatchWriteItem left items unprocessed".to_owned()))
    }

    /// The ids of the parts of a list that cover a stretch, and where the first of them begins.
    pub(crate) async fn list_stretch(
        &self,
        execution: &ExecutionId,
        list: &ListRef,
        offset: u64,
        length: u64,
    ) -> Result<(Vec<NodeId>, u64), Error> {
        let per_part = IDS_PER_PART as u64;
        let (first, end) = (offset / per_part, (offset + length).div_ceil(per_part));
        let nodes = self.list_parts(execution, list, first..end.max(first + 1)).await?;
        let expected = (end * per_part).min(list.count).saturating_sub(first * per_part);
        if (nodes.len() as u64) < expected {
            return Err(Error::Unreadable(format!("list {}: parts are missing", list.id)));
        }
        Ok((nodes, first * per_part))
    }

    async fn list_parts(
        &self,
        execution: &ExecutionId,
        list: &ListRef,
        parts: std::ops::Range<u64>,
    ) -> Result<Vec<NodeId>, Error> {
        let wanted: Vec<_> =
            parts.map(|part| (keys::list(execution, &list.id), keys::list_part(part))).collect();
        let mut items = self.get_all(&wanted).await?;
        items.sort_by_key(|item| Reader(item).text(schema::SK).unwrap_or_default().to_owned());
        let mut nodes = Vec::new();
        for item in &items {
            nodes.extend(Reader(item).json::<Vec<NodeId>>(IDS)?);
        }
        Ok(nodes)
    }

    /// The ids of lists of any executions, in one round of reads. A list that is listed twice is read once.
    pub(crate) async fn lists(
        &self,
        wanted: &BTreeMap<(ExecutionId, ListId), ListRef>,
    ) -> Result<BTreeMap<(ExecutionId, ListId), Vec<NodeId>>, Error> {
        let parts = |list: &ListRef| 0..list.count.div_ceil(IDS_PER_PART as u64).max(1);
        let keys: Vec<_> = wanted
            .iter()
            .flat_map(|((execution, id), list)| {
                parts(list).map(move |part| (keys::list(execution, id), keys::list_part(part)))
            })
            .collect();
        let mut items = BTreeMap::new();
        for item in self.get_all(&keys).await? {
            let reader = Reader(&item);
            let key = (reader.text(schema::PK)?.to_owned(), reader.text(schema::SK)?.to_owned());
            items.insert(key, reader.json::<Vec<NodeId>>(IDS)?);
        }
        let mut lists = BTreeMap::new();
        for (name, list) in wanted {
            let part = |part| items.get(&(keys::list(&name.0, &name.1), keys::list_part(part)));
            let nodes: Vec<NodeId> = parts(list).filter_map(part).flatten().cloned().collect();
            if nodes.len() as u64 != list.count {
                return Err(Error::Unreadable(format!(
                    "list {}: {} of {} ids",
                    list.id,
                    nodes.len(),
                    list.count
                )));
            }
            lists.insert(name.clone(), nodes);
        }
        Ok(lists)
    }

    /// The ids of a list.
    pub(crate) async fn list(&self, execution: &ExecutionId, list: &ListRef) -> Result<Vec<NodeId>, Error> {
        let parts = list.count.div_ceil(IDS_PER_PART as u64).max(1);
        let nodes = self.list_parts(execution, list, 0..parts).await?;
        if nodes.len() as u64 == list.count {
            Ok(nodes)
        } else {
            Err(Error::Unreadable(format!("list {}: {} of {} ids", list.id, nodes.len(), list.count)))
        }
    }
}

/// Lists that may go with a commit: a step's five outcomes, three patch lists and its targets, with room to spare.
const WITH_COMMIT_MAX: usize = 12;

fn parts(execution: &ExecutionId, list: &NodeList, expires: &AttributeValue) -> Vec<Item> {
    // The order is the author's, so a JSON list and not a set; an empty list is one empty part.
    let chunks: Vec<&[NodeId]> =
        if list.nodes.is_empty() { vec![&[]] } else { list.nodes.chunks(IDS_PER_PART).collect() };
    let part = |(part, nodes): (usize, &[NodeId])| {
        let mut item = schema::key(&keys::list(execution, &list.reference.id), &keys::list_part(part as u64));
        item.insert(schema::SCHEMA_VERSION.to_owned(), number(schema::SCHEMA));
        item.insert(schema::EXPIRES.to_owned(), expires.clone());
        let ids: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
        item.insert(IDS.to_owned(), AttributeValue::S(serde_json::json!(ids).to_string()));
        item
    };
    chunks.into_iter().enumerate().map(part).collect()
}
