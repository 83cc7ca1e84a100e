//! Keys, names and indexes of the table.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType,
};
use fleetwright_engine::{ExecutionId, ListId, SendToken};
use fleetwright_fleet::{CommandId, NodeId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};

/// The version of every item's layout. An item of an unknown version is never parked: its message fails, and is
/// retried by a release that knows it.
pub(crate) const SCHEMA: u32 = 1;

/// Names the index of what is due.
pub(crate) const DUE_INDEX: &str = "due";
/// Chunk items of a command by Targets.
pub(crate) const CHUNKS: u8 = 64;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const DUE_SHARD: &str = "due_shard";
pub(crate) const DUE_AT: &str = "due_at";
pub(crate) const RECENT_INDEX: &str = "recent";
pub(crate) const RECENT_MONTH: &str = "recent_month";
pub(crate) const RECENT_AT: &str = "recent_at";
pub(crate) const EXPIRES: &str = "expires";
pub(crate) const SCHEMA_VERSION: &str = "schema";

/// A key as the SDK wants it.
pub(crate) fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(pk.to_owned())),
        (SK.to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

/// Partition and sort key of each kind of item.
pub(crate) mod keys {
    use super::{CommandId, ExecutionId, ListId, NodeId, SendToken};

    pub(crate) const EXECUTION: &str = "EXEC";
    pub(crate) const HEALTH: &str = "HEALTH";
    pub(crate) const RECONCILE: &str = "RECONCILE";
    pub(crate) const COMMAND: &str = "CMD";
    pub(crate) const DOCUMENT: &str = "DOC";
    /// What SSM said of a command that no execution sent, beside its base item.
    pub(crate) const DESCRIPTION: &str = "DESC";
    pub(crate) const DIRECT: &str = "DIRECT";
    pub(crate) const SEND: &str = "SEND#";
    pub(crate) const STEP: &str = "STEP#";

    pub(crate) fn execution(id: &ExecutionId) -> String {
        format!("EXEC#{id}")
    }

    pub(crate) fn step(ordinal: u32) -> String {
        format!("{STEP}{ordinal:06}")
    }

    pub(crate) fn send(token: &SendToken) -> String {
        format!("{SEND}{token}")
    }

    pub(crate) fn command(id: &CommandId) -> String {
        format!("CMD#{id}")
    }

    pub(crate) fn chunk(id: &CommandId, chunk: u8) -> String {
        format!("CMD#{id}#{chunk:02}")
    }

    pub(crate) fn result(generation: &str, part: u32) -> String {
        format!("RES#{generation}#{part:04}")
    }

    pub(crate) fn list(execution: &ExecutionId, list: &ListId) -> String {
        format!("LIST#{execution}#{list}")
    }

    pub(crate) fn list_part(part: u64) -> String {
        format!("{part:04}")
    }

    /// A request to our SendCommand.
    pub(crate) fn direct(key: &str) -> String {
        format!("{DIRECT}#{key}")
    }

    /// What a node went through.
    pub(crate) fn history(node: &NodeId) -> String {
        format!("NODE#{node}")
    }

    /// The outputs of a command on a node. A partition of their own: reading may write these, and nothing else.
    pub(crate) fn output(command: &CommandId, node: &NodeId) -> String {
        format!("OUT#{command}#{node}")
    }

    pub(crate) fn document(sha256: &str) -> String {
        format!("DOC#{sha256}")
    }
}

/// The chunk that what was told together of these nodes goes to: one write, and the same one if it is told again. Batches
/// spread over all chunks, so that none grows large or is written to often.
pub(crate) fn chunk_of(nodes: &BTreeSet<&NodeId>) -> u8 {
    let mut digest = Sha256::new();
    nodes.iter().for_each(|node| digest.update(node.as_str()));
    digest.finalize()[0] % CHUNKS
}

/// Who waits for what is due: executions come first, however much else there is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DueFor {
    /// Executions and their sends.
    Executions,
    /// Nobody: commands that no execution sent or waits for any more, and requests to send some.
    Nobody,
}

impl DueFor {
    /// In the order in which a tick of reconcile reads them.
    pub(crate) const ALL: [Self; 2] = [Self::Executions, Self::Nobody];

    /// How many shards it has. Each costs a query a minute, whether or not anything is due.
    pub(crate) const fn shards(self) -> u8 {
        match self {
            Self::Executions => 8,
            Self::Nobody => 2,
        }
    }

    /// The shard that whatever has this id is in.
    fn shard_of(self, id: &str) -> String {
        self.shard(Sha256::digest(id)[0] % self.shards())
    }

    /// A shard of the due index.
    pub(crate) fn shard(self, shard: u8) -> String {
        match self {
            Self::Executions => format!("DUE#{shard}"),
            Self::Nobody => format!("LOOK#{shard}"),
        }
    }
}

/// The shard of the due index an execution's items are in.
pub(crate) fn due_shard(execution: &ExecutionId) -> String {
    DueFor::Executions.shard_of(execution.as_str())
}

/// The shard of the due index that a command, or a request to send one, is in.
pub(crate) fn look_shard(id: &str) -> String {
    DueFor::Nobody.shard_of(id)
}

/// What the due index nominates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) pk: String,
    pub(crate) sk: String,
    pub(crate) at: Timestamp,
}

/// The table with its indexes.
///
/// # Errors
/// None that can happen: every required member is set.
pub fn create_table(client: &Client, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    let attribute =
        |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
    let part = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = |index: &str, hash: &str, range: &str, projection: ProjectionType| {
        GlobalSecondaryIndex::builder()
            .index_name(index)
            .key_schema(part(hash, KeyType::Hash)?)
            .key_schema(part(range, KeyType::Range)?)
            .projection(Projection::builder().projection_type(projection).build())
            .build()
    };
    Ok(client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PK, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(SK, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(DUE_SHARD, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(DUE_AT, ScalarAttributeType::N)?)
        .attribute_definitions(attribute(RECENT_MONTH, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(RECENT_AT, ScalarAttributeType::S)?)
        .key_schema(part(PK, KeyType::Hash)?)
        .key_schema(part(SK, KeyType::Range)?)
        .global_secondary_indexes(index(DUE_INDEX, DUE_SHARD, DUE_AT, ProjectionType::KeysOnly)?)
        .global_secondary_indexes(index(RECENT_INDEX, RECENT_MONTH, RECENT_AT, ProjectionType::KeysOnly)?))
}
