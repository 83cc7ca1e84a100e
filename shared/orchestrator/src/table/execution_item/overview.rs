//! Executions and steps read together, for those who only look.

use super::{Head, Loaded, TORN_READS_MAX, parse_step};
use crate::Error;
use crate::table::Table;
use crate::table::attributes::{Item, Reader};
use crate::table::schema::{self, keys};
use crate::table::send_item::{self, SendItem};
use fleetwright_engine::{ExecutionId, StepExecution};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;

/// A step as it is stored, and commands of which SSM has said something else since it was closed.
#[derive(Debug, Clone)]
pub(crate) struct StepRow {
    pub(crate) step: StepExecution,
    pub(crate) contradicted_by: Vec<String>,
}

/// An execution, some of its steps in order, and its live sends.
#[derive(Debug)]
pub(crate) struct Overview {
    pub(crate) loaded: Loaded,
    pub(crate) steps: Vec<StepRow>,
    pub(crate) sends: Vec<SendItem>,
}

impl Table {
    /// Reads an execution with those of its steps that `wanted` names, of so many that have begun, and its live sends:
    /// two requests, and one more for each hundred items.
    pub(crate) async fn overview(
        &self,
        id: &ExecutionId,
        wanted: impl Fn(u32) -> Range<u32>,
        now: Timestamp,
    ) -> Result<Option<Overview>, Error> {
        let pk = keys::execution(id);
        for _ in 0..TORN_READS_MAX {
            let Some(item) = self.get(&pk, keys::EXECUTION).await? else { return Ok(None) };
            if Reader(&item).is_expired(now)? {
                return Ok(None);
            }
            let head = Head::parse(&item)?;
            let shown = wanted(head.execution.steps_begun);
            let open = head.open_step.filter(|open| !shown.contains(open));
            let steps = shown.clone().chain(open).map(|ordinal| (pk.clone(), keys::step(ordinal)));
            let sends = head.execution.live.keys().map(|token| (pk.clone(), keys::send(token)));
            let keys: Vec<_> = steps.chain(sends).collect();
            let (mut versions, mut rows, mut sends) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
            for item in self.get_all(&keys).await? {
                if Reader(&item).text(schema::SK)?.starts_with(keys::STEP) {
                    let (version, row) = parse_row(&item)?;
                    versions.insert(row.step.ordinal, version);
                    rows.insert(row.step.ordinal, row);
                } else {
                    sends.push(send_item::parse(&item)?);
                }
            }
            let step = head.open_step.and_then(|open| rows.get(&open)).map(|row| row.step.clone());
            // The open step is of the same commit as the execution, or both are read again.
            if head.open_step.is_none_or(|open| versions.get(&open) == Some(&head.commit_version)) {
                let steps = rows.into_values().filter(|row| shown.contains(&row.step.ordinal)).collect();
                return Ok(Some(Overview { loaded: head.with(step), steps, sends }));
            }
        }
        Err(Error::Again(format!("execution {id} changes faster than it can be read")))
    }

    /// Executions by id, each with its open step; what does not exist, or no longer, is left out.
    pub(crate) async fn executions(
        &self,
        ids: &[ExecutionId],
        now: Timestamp,
    ) -> Result<BTreeMap<ExecutionId, Loaded>, Error> {
        let wanted: Vec<_> = ids.iter().map(|id| (keys::execution(id), keys::EXECUTION.to_owned())).collect();
        let mut heads = Vec::new();
        for item in self.get_all(&wanted).await? {
            if !Reader(&item).is_expired(now)? {
                heads.push(Head::parse(&item)?);
            }
        }
        let open: Vec<_> = heads
            .iter()
            .filter_map(|head| Some((keys::execution(&head.execution.id), keys::step(head.open_step?))))
            .collect();
        let mut steps = BTreeMap::new();
        for item in self.get_all(&open).await? {
            steps.insert(Reader(&item).text(schema::PK)?.to_owned(), parse_step(&item)?);
        }
        let mut executions = BTreeMap::new();
        for head in heads {
            let id = head.execution.id.clone();
            let step = steps.remove(&keys::execution(&id));
            let loaded = match (head.open_step, step) {
                (None, _) => head.with(None),
                (Some(_), Some((version, step))) if version == head.commit_version => head.with(Some(step)),
                // It has moved on between the two reads.
                (Some(_), _) => match self.load(&id, None, &[], now).await? {
                    Some((loaded, _)) => loaded,
                    None => continue,
                },
            };
            executions.insert(id, loaded);
        }
        Ok(executions)
    }

    /// Steps of any executions by execution and ordinal.
    pub(crate) async fn steps_by_ordinal(
        &self,
        wanted: &[(ExecutionId, u32)],
    ) -> Result<BTreeMap<(ExecutionId, u32), StepExecution>, Error> {
        let keys: Vec<_> =
            wanted.iter().map(|(id, ordinal)| (keys::execution(id), keys::step(*ordinal))).collect();
        let mut steps = BTreeMap::new();
        for item in self.get_all(&keys).await? {
            let pk = Reader(&item).text(schema::PK)?.to_owned();
            let id = ExecutionId::new(pk.strip_prefix("EXEC#").unwrap_or(&pk));
            let (_, step) = parse_step(&item)?;
            steps.insert((id, step.ordinal), step);
        }
        Ok(steps)
    }
}

fn parse_row(item: &Item) -> Result<(u64, StepRow), Error> {
    let contradicted_by = Reader(item).texts(super::CONTRADICTED_BY)?.into_iter().collect();
    let (version, step) = parse_step(item)?;
    Ok((version, StepRow { step, contradicted_by }))
}
