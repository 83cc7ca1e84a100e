//! Result items: what a settle read, compressed, under a generation of its own.

use super::Table;
use super::attributes::{Item, Reader, number};
use super::schema::{self, keys};
use super::update::expiry;
use crate::Error;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use fleetwright_fleet::{CommandId, InvocationResult, PatchSummary, SettledMark, Settlement};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io::{Read, Write};

/// Compressed bytes of one item; DynamoDB takes 400 KB in all.
const PART_BYTES_MAX: usize = 300_000;
/// Invocations of one item: 500 outputs of 2,500 characters compress to well below the limit unless they are noise.
pub(crate) const INVOCATIONS_PER_PART: usize = 500;
/// Outputs are cut to this, in turn, until a part fits.
const OUTPUT_CHARS: [usize; 4] = [1_000, 400, 100, 0];

const RESULT: &str = "result";
/// The patch states of a part's nodes. All of them together stand with the head, if they fit.
const PATCH: &str = "patch";

/// What parts of a settle hold of nodes.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) invocations: Vec<InvocationResult>,
    pub(crate) patch: Option<PatchSummary>,
}

impl Parts {
    fn take(&mut self, item: &Item, command: &CommandId) -> Result<(), Error> {
        self.invocations.extend(unpack::<Vec<InvocationResult>>(item, command)?);
        if let Some(patch) = unpacked::<PatchSummary>(item, PATCH)? {
            self.patch.get_or_insert_default().add(&patch);
        }
        Ok(())
    }
}

impl Table {
    /// Writes one part of what was read; outputs are shortened if they do not fit, and say so.
    pub(crate) async fn write_part(
        &self,
        command: &CommandId,
        generation: &str,
        part: u32,
        Parts { mut invocations, patch }: Parts,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut packed = pack(&invocations)?;
        for limit in OUTPUT_CHARS {
            if packed.len() <= PART_BYTES_MAX {
                break;
            }
            invocations.iter_mut().for_each(|invocation| shorten(invocation, limit));
            packed = pack(&invocations)?;
        }
        let mut item = self.part(command, generation, part, packed, now);
        if let Some(patch) = patch {
            item.insert(PATCH.to_owned(), AttributeValue::B(Blob::new(pack(&patch)?)));
        }
        self.put_whole(item).await
    }

    /// Writes the last part: what SSM says of the command as a whole. How many parts that makes. Where so many nodes are
    /// named that they do not fit, patch states are those of the other parts, and what is in none of these gets one.
    pub(crate) async fn write_settlement_head(
        &self,
        command: &CommandId,
        generation: &str,
        mut part: u32,
        mut head: Settlement,
        unnamed: Option<PatchSummary>,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let mut parts = 1;
        let mut packed = pack(&head)?;
        if packed.len() > PART_BYTES_MAX {
            if let Some(patch) = unnamed {
                let rest = Parts { invocations: Vec::new(), patch: Some(patch) };
                self.write_part(command, generation, part, rest, now).await?;
                (part, parts) = (part + 1, parts + 1);
            }
            head.patch = None;
            packed = pack(&head)?;
        }
        self.put_whole(self.part(command, generation, part, packed, now)).await?;
        Ok(parts)
    }

    fn part(
        &self,
        command: &CommandId,
        generation: &str,
        part: u32,
        packed: Vec<u8>,
        now: Timestamp,
    ) -> Item {
        let mut item = schema::key(&keys::command(command), &keys::result(generation, part));
        item.insert(schema::SCHEMA_VERSION.to_owned(), number(schema::SCHEMA));
        item.insert(schema::EXPIRES.to_owned(), expiry(self.retention_days, now));
        item.insert(RESULT.to_owned(), AttributeValue::B(Blob::new(packed)));
        item
    }

    /// What a settle has written so far.
    pub(crate) async fn parts(
        &self,
        command: &CommandId,
        generation: &str,
        parts: u32,
    ) -> Result<Parts, Error> {
        let wanted: Vec<_> =
            (0..parts).map(|part| (keys::command(command), keys::result(generation, part))).collect();
        let mut written = Parts::default();
        for item in self.get_all(&wanted).await? {
            written.take(&item, command)?;
        }
        Ok(written)
    }

    /// Reads settles whole: the invocations of all parts but the last, and the head in the last.
    pub(crate) async fn settlements(
        &self,
        marks: &[(CommandId, SettledMark)],
    ) -> Result<BTreeMap<CommandId, Settlement>, Error> {
        let key = |command: &CommandId, mark: &SettledMark, part| {
            (keys::command(command), keys::result(&mark.generation, part))
        };
        let wanted: Vec<_> = marks
            .iter()
            .flat_map(|(command, mark)| (0..mark.parts).map(move |part| key(command, mark, part)))
            .collect();
        let mut parts = BTreeMap::new();
        for item in self.get_all(&wanted).await? {
            let reader = Reader(&item);
            let at = (reader.text(schema::PK)?.to_owned(), reader.text(schema::SK)?.to_owned());
            parts.insert(at, item);
        }
        let mut settlements = BTreeMap::new();
        for (command, mark) in marks {
            let part = |part: u32| {
                let missing = || Error::Unreadable(format!("results of command {command}: part {part}"));
                parts.get(&key(command, mark, part)).ok_or_else(missing)
            };
            let last = mark.parts.saturating_sub(1);
            let mut settlement: Settlement = unpack(part(last)?, command)?;
            let mut written = Parts::default();
            for number in 0..last {
                written.take(part(number)?, command)?;
            }
            settlement.invocations.extend(written.invocations.into_iter().map(|i| (i.node.clone(), i)));
            settlement.patch = settlement.patch.or_else(|| written.patch.map(PatchSummary::sorted));
            settlements.insert(command.clone(), settlement);
        }
        Ok(settlements)
    }
}

fn shorten(invocation: &mut InvocationResult, chars: usize) {
    for plugin in &mut invocation.plugins {
        if let Some((at, _)) = plugin.output.char_indices().nth(chars) {
            plugin.output.truncate(at);
            invocation.shortened = true;
        }
    }
}

/// A value as compressed JSON.
pub(crate) fn pack(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let ours = |error: std::io::Error| Error::Ours(error.to_string());
    let json = serde_json::to_vec(value).map_err(|error| Error::Ours(error.to_string()))?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&json).map_err(ours)?;
    encoder.finish().map_err(ours)
}

fn unpack<T: DeserializeOwned>(item: &Item, command: &CommandId) -> Result<T, Error> {
    let missing = || Error::Unreadable(format!("results of command {command}"));
    unpacked(item, RESULT)?.ok_or_else(missing)
}

/// A value that an attribute holds as compressed JSON, if the item has it.
pub(crate) fn unpacked<T: DeserializeOwned>(item: &Item, attribute: &str) -> Result<Option<T>, Error> {
    let Some(value) = item.get(attribute) else { return Ok(None) };
    let unreadable = || Reader(item).unreadable(attribute);
    let packed = value.as_b().map_err(|_| unreadable())?;
    let mut json = Vec::new();
    DeflateDecoder::new(packed.as_ref()).read_to_end(&mut json).map_err(|_| unreadable())?;
    serde_json::from_slice(&json).map(Some).map_err(|_| unreadable())
}
