//! Command items: the union of facts, whose send it is, and which settle stands.

mod record;
mod settled;

pub(crate) use settled::ToSettle;

use super::Table;
use super::attributes::{Item, Reader, moment, number, texts};
use super::schema::{self, DUE_AT, keys};
use super::update::{Update, Updated};
use crate::Error;
use crate::planted::{Bug, is_planted};
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_engine::{ExecutionId, SendToken};
use fleetwright_fleet::{Asked, Command, CommandId, Fact, NodeId, SettledMark, Subject, Terminal};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const OWNER_EXECUTION: &str = "owner_execution";
const OWNER_STEP: &str = "owner_step";
const OWNER_TOKEN: &str = "owner_token";
const ASKED: &str = "asked";
const BY_TARGETS: &str = "by_targets";
const CHUNKED: &str = "chunked";
const EXPIRES_AFTER: &str = "expires_after";
const STATUSES: &str = "statuses";
const TERMINAL_SINCE: &str = "terminal_since";
const LAST_FACT_AT: &str = "last_fact_at";
const GENERATION: &str = "settled_generation";
const SETTLED_FACTS: &str = "settled_facts";
const SETTLED_PARTS: &str = "settled_parts";
const EMPTY_READS: &str = "empty_reads";
const SETTLING_UNTIL: &str = "settling_until";
const SILENT_SINCE: &str = "silent_since";
const CURSOR: &str = "settle_cursor";
const HEAD: &str = "settled_head";
const DESCRIBED: &str = "described";
const CANCELLING: &str = "cancelling";
/// Before the name of a terminal status: the nodes that are said to have ended so.
const NODES: &str = "nodes_";

/// A counter, where a bug is planted.
const SUCCESSES: &str = "successes";

/// A base item with more nodes than this goes over to chunks.
const NODES_IN_BASE_MAX: usize = 150;

/// Whose send a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) execution: ExecutionId,
    pub(crate) step: u32,
    pub(crate) token: SendToken,
}

/// When a command is over at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Timestamp,
    /// SSM said so; else it is a guess, to be replaced.
    pub(crate) known: bool,
}

/// A command item, read.
#[derive(Debug, Clone)]
pub(crate) struct CommandItem {
    pub(crate) id: CommandId,
    pub(crate) command: Command,
    pub(crate) owner: Option<Owner>,
    pub(crate) expires_after: Option<Timestamp>,
    pub(crate) terminal_since: Option<Timestamp>,
    pub(crate) last_fact_at: Option<Timestamp>,
    /// When SSM was read and showed no invocation.
    pub(crate) empty_reads: BTreeSet<Timestamp>,
    pub(crate) cursor: Option<SettleCursor>,
    pub(crate) chunked: bool,
    /// Its place among all commands, by when it was requested.
    pub(crate) place: Option<String>,
    /// What SSM says of it is kept, on its send or beside.
    pub(crate) described: bool,
    /// Somebody's CancelCommand was accepted.
    pub(crate) cancelling: bool,
    /// What SSM said of it as a whole when it was settled.
    pub(crate) head: Option<SettledHead>,
    /// When it is looked at, if no execution does.
    pub(crate) due: Option<Timestamp>,
}

/// What SSM said of a command as a whole when it was settled, in its own words (SSM API reference, Command).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SettledHead {
    pub(crate) status: String,
    pub(crate) status_details: String,
    pub(crate) target_count: i64,
    pub(crate) completed_count: i64,
    pub(crate) error_count: i64,
    pub(crate) delivery_timed_out_count: i64,
}

/// Where a settle stopped for want of time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SettleCursor {
    pub(crate) generation: String,
    pub(crate) next_token: String,
    pub(crate) parts: u32,
    pub(crate) facts: usize,
    pub(crate) at: Timestamp,
}

fn nodes_attribute(status: Terminal) -> String {
    format!("{NODES}{}", status.as_str())
}

impl CommandItem {
    pub(crate) fn parse(item: &Item) -> Result<Self, Error> {
        let reader = Reader(item);
        reader.check_schema()?;
        let unreadable =
            || Error::Unreadable(format!("command item {}", reader.text(schema::PK).unwrap_or("")));
        let id = reader
            .text(schema::PK)?
            .split('#')
            .nth(1)
            .and_then(|id| id.parse().ok())
            .ok_or_else(unreadable)?;
        let owner = match (reader.maybe_text(OWNER_EXECUTION)?, reader.maybe_text(OWNER_TOKEN)?) {
            (Some(execution), Some(token)) => Some(Owner {
                execution: ExecutionId::new(execution),
                step: reader.number(OWNER_STEP)?,
                token: SendToken::parse(token).ok_or_else(unreadable)?,
            }),
            _ => None,
        };
        let settled = match reader.maybe_text(GENERATION)? {
            None => None,
            Some(generation) => Some(SettledMark {
                generation: generation.to_owned(),
                facts: reader.number(SETTLED_FACTS)?,
                parts: reader.number(SETTLED_PARTS)?,
            }),
        };
        let mut command = Command { asked: asked(&reader)?, settled, ..Command::default() };
        command.statuses = reader.parsed(STATUSES, stored_status)?;
        command.nodes = nodes(&reader)?;
        if let (true, Some(Asked::Nodes(asked))) = (is_planted(Bug::SuccessesCounted), &command.asked)
            && reader.maybe_number(SUCCESSES)?.is_some_and(|count: usize| count >= asked.len())
        {
            command.nodes = BTreeMap::from([(Terminal::Success, asked.clone())]);
        }
        Ok(Self {
            id,
            command,
            owner,
            expires_after: reader.maybe_moment(EXPIRES_AFTER)?,
            terminal_since: reader.maybe_moment(TERMINAL_SINCE)?,
            last_fact_at: reader.maybe_moment(LAST_FACT_AT)?,
            empty_reads: reader.moments(EMPTY_READS)?,
            cursor: reader.maybe_json(CURSOR)?,
            chunked: reader.flag(CHUNKED)?,
            place: reader.maybe_text(schema::RECENT_AT)?.map(str::to_owned),
            described: reader.flag(DESCRIBED)?,
            cancelling: reader.flag(CANCELLING)?,
            head: reader.maybe_json(HEAD)?,
            due: reader.maybe_moment(DUE_AT)?,
        })
    }
}

/// A status as it was stored. One that only a later release knows must not be missed, nor taken for one that SSM said
/// and nobody recognised.
fn stored_status(text: &str) -> Option<Terminal> {
    Terminal::ALL.into_iter().find(|known| known.as_str() == text)
}

fn asked(reader: &Reader<'_>) -> Result<Option<Asked>, Error> {
    if reader.flag(BY_TARGETS)? {
        return Ok(Some(Asked::Targets));
    }
    let nodes = reader.parsed(ASKED, |node| node.parse().ok())?;
    Ok((!nodes.is_empty()).then_some(Asked::Nodes(nodes)))
}

fn nodes(reader: &Reader<'_>) -> Result<BTreeMap<Terminal, BTreeSet<NodeId>>, Error> {
    let mut nodes = BTreeMap::new();
    for name in reader.0.keys() {
        let Some(status) = name.strip_prefix(NODES) else { continue };
        let status = stored_status(status).ok_or_else(|| reader.unreadable(name))?;
        nodes.insert(status, reader.parsed(name, |id| id.parse().ok())?);
    }
    Ok(nodes)
}

fn about_node(fact: &Fact) -> Option<&NodeId> {
    match &fact.subject {
        Subject::Node(node) => Some(node),
        Subject::Command => None,
    }
}

fn is_node_success(fact: &&Fact) -> bool {
    fact.status == Terminal::Success && matches!(fact.subject, Subject::Node(_))
}

/// Facts about nodes as the clauses of one union.
fn unite_nodes<'a>(mut update: Update, facts: impl Iterator<Item = &'a Fact>) -> Update {
    let mut by_status: BTreeMap<Terminal, BTreeSet<String>> = BTreeMap::new();
    for fact in facts {
        if let Some(node) = about_node(fact) {
            by_status.entry(fact.status).or_default().insert(node.to_string());
        }
    }
    for (status, ids) in by_status {
        update = match texts(ids) {
            Some(ids) if is_planted(Bug::FoldReplaces) => update.set(&nodes_attribute(status), ids),
            ids => update.unite(&nodes_attribute(status), ids),
        };
    }
    update
}

impl Table {
    /// Folds facts of one command: unions only, no read. The only condition of its own is that a command by Targets, whose
    /// node facts go to chunk items, is not written to as if it were one by InstanceIds; the refusal says so, once in an
    /// execution environment, and costs nothing where most commands are.
    pub(crate) async fn fold(
        &self,
        id: &CommandId,
        facts: &[Fact],
        now: Timestamp,
    ) -> Result<CommandItem, Error> {
        let whole = match self.chunked.knows(id) {
            true => None,
            false => self.fold_whole(id, facts, now).await?,
        };
        let item = match whole {
            Some(item) => item,
            None => {
                self.chunked.remember(id);
                self.fold_chunk(id, facts, now).await?;
                applied(self.fold_base(id, facts, now).apply(self).await?)?
            }
        };
        let item = CommandItem::parse(&item)?;
        let in_base: usize = item.command.nodes.values().map(BTreeSet::len).sum();
        if !item.chunked && in_base > NODES_IN_BASE_MAX {
            let chunked =
                Update::of(&keys::command(id), keys::COMMAND).set(CHUNKED, AttributeValue::Bool(true));
            applied(chunked.apply(self).await?)?;
        }
        Ok(item)
    }

    /// Folds into the base item alone. `None`: the command's node facts go to chunk items.
    async fn fold_whole(
        &self,
        id: &CommandId,
        facts: &[Fact],
        now: Timestamp,
    ) -> Result<Option<Item>, Error> {
        let whole = unite_nodes(self.fold_base(id, facts, now), facts.iter()).if_missing(CHUNKED);
        Ok(match whole.apply(self).await? {
            Updated::Applied(item) => Some(item),
            Updated::Refused(_) => None,
        })
    }

    /// What facts say about the command itself, and that some came.
    fn fold_base(&self, id: &CommandId, facts: &[Fact], now: Timestamp) -> Update {
        let statuses: BTreeSet<String> = facts
            .iter()
            .filter(|fact| fact.subject == Subject::Command)
            .map(|fact| fact.status.as_str().to_owned())
            .collect();
        let mut update = Update::of(&keys::command(id), keys::COMMAND)
            .living(self.retention_days, now)
            .set(LAST_FACT_AT, moment(now));
        if is_planted(Bug::SuccessesCounted) {
            update = update.unite(SUCCESSES, Some(number(facts.iter().filter(is_node_success).count())));
        }
        if statuses.is_empty() {
            return update;
        }
        update.set_once(TERMINAL_SINCE, moment(now)).unite(STATUSES, texts(statuses))
    }

    /// What facts say about nodes, in one of the command's chunks.
    async fn fold_chunk(&self, id: &CommandId, facts: &[Fact], now: Timestamp) -> Result<(), Error> {
        let nodes: BTreeSet<&NodeId> = facts.iter().filter_map(about_node).collect();
        if nodes.is_empty() {
            return Ok(());
        }
        let chunk = keys::chunk(id, schema::chunk_of(&nodes));
        let update = Update::of(&chunk, keys::COMMAND).unread().living(self.retention_days, now);
        unite_nodes(update, facts.iter()).apply(self).await.map(drop)
    }

    /// Base items by id, without chunks.
    pub(crate) async fn bases(&self, ids: &[CommandId]) -> Result<BTreeMap<CommandId, CommandItem>, Error> {
        let wanted: Vec<_> = ids.iter().map(|id| (keys::command(id), keys::COMMAND.to_owned())).collect();
        let items = self.get_all(&wanted).await?;
        items.iter().map(|item| CommandItem::parse(item).map(|item| (item.id.clone(), item))).collect()
    }

    /// Adds what the chunks of those commands know of which SSM has not said all.
    pub(crate) async fn complete_unsettled(
        &self,
        commands: &mut BTreeMap<CommandId, CommandItem>,
    ) -> Result<(), Error> {
        let open = commands.values().filter(|item| item.chunked && item.head.is_none());
        let chunks: Vec<_> = open.flat_map(|item| chunk_keys(&item.id)).collect();
        self.add_chunks(commands, &chunks).await
    }

    /// Commands by id, with the chunks of those whose nodes matter now: SSM called them finished.
    pub(crate) async fn commands(
        &self,
        ids: &[CommandId],
    ) -> Result<BTreeMap<CommandId, CommandItem>, Error> {
        let mut commands = self.bases(ids).await?;
        let complete = commands.values().filter(|item| item.chunked && item.command.is_complete());
        let chunks: Vec<_> = complete.flat_map(|item| chunk_keys(&item.id)).collect();
        self.add_chunks(&mut commands, &chunks).await?;
        Ok(commands)
    }

    /// A command with all its chunks, finished or not.
    pub(crate) async fn whole_command(&self, id: &CommandId) -> Result<Option<CommandItem>, Error> {
        Ok(self.whole_commands(std::slice::from_ref(id)).await?.remove(id))
    }

    /// Commands with all their chunks, finished or not.
    pub(crate) async fn whole_commands(
        &self,
        ids: &[CommandId],
    ) -> Result<BTreeMap<CommandId, CommandItem>, Error> {
        let mut commands = self.commands(ids).await?;
        let running = commands.values().filter(|item| item.chunked && !item.command.is_complete());
        let chunks: Vec<_> = running.flat_map(|item| chunk_keys(&item.id)).collect();
        self.add_chunks(&mut commands, &chunks).await?;
        Ok(commands)
    }

    /// Commands that are known to go by Targets, with all their chunks: one round of reads, not two.
    pub(crate) async fn commands_by_targets(
        &self,
        ids: &[CommandId],
    ) -> Result<BTreeMap<CommandId, CommandItem>, Error> {
        let base = |id: &CommandId| (keys::command(id), keys::COMMAND.to_owned());
        let wanted: Vec<_> =
            ids.iter().flat_map(|id| std::iter::once(base(id)).chain(chunk_keys(id))).collect();
        let (mut commands, mut chunks) = (BTreeMap::new(), Vec::new());
        for item in self.get_all(&wanted).await? {
            let command = CommandItem::parse(&item)?;
            if Reader(&item).text(schema::PK)? == keys::command(&command.id) {
                commands.insert(command.id.clone(), command);
            } else {
                chunks.push(command);
            }
        }
        unite_chunks(&mut commands, chunks);
        Ok(commands)
    }

    async fn add_chunks(
        &self,
        commands: &mut BTreeMap<CommandId, CommandItem>,
        chunks: &[(String, String)],
    ) -> Result<(), Error> {
        let items = self.get_all(chunks).await?;
        let chunks = items.iter().map(CommandItem::parse).collect::<Result<Vec<_>, _>>()?;
        unite_chunks(commands, chunks);
        Ok(())
    }
}

fn unite_chunks(commands: &mut BTreeMap<CommandId, CommandItem>, chunks: Vec<CommandItem>) {
    for chunk in chunks {
        if let Some(base) = commands.get_mut(&chunk.id) {
            for (status, nodes) in chunk.command.nodes {
                base.command.nodes.entry(status).or_default().extend(nodes);
            }
        }
    }
}

fn applied(updated: Updated) -> Result<HashMap<String, AttributeValue>, Error> {
    match updated {
        Updated::Applied(item) => Ok(item),
        Updated::Refused(_) => {
            Err(Error::Ours("an update without a condition of its own was refused".to_owned()))
        }
    }
}

fn chunk_keys(id: &CommandId) -> Vec<(String, String)> {
    (0..schema::CHUNKS).map(|chunk| (keys::chunk(id, chunk), keys::COMMAND.to_owned())).collect()
}
