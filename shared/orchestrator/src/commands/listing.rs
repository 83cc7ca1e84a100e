//! ListCommands from our table: SSM's own words where they are known, what events say where not yet.

use super::{CLOCKS_DIFFER, CommandQuery, Page};
use crate::table::{CommandItem, RecentKey, SettledHead};
use crate::{Error, Orchestrator};
use fleetwright_fleet::{CommandId, InvocationResult, NodeId, Terminal};
use fleetwright_wire::Command;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Queries of one stretch: as many as there are months in any retention.
const QUERIES_MAX: usize = 40;
/// Commands looked at together, however few are asked for: most may not match.
const STRETCH: usize = 50;
/// Rounds of one page whose commands do not match; then the page ends, and has one behind it.
const ROUNDS_MAX: usize = 10;
/// The newest commands, among which those are looked for that run on a node: its history begins when they are settled.
const RUNNING_AMONG: usize = 500;
const RUNNING_QUERY: usize = 100;

/// A command as it is shown, and where it stands among all.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) item: CommandItem,
    pub(crate) command: Command,
}

/// Commands by when they were requested, and where the next stretch of them begins.
pub(super) struct Stretch {
    pub(super) keys: Vec<(String, CommandId)>,
    pub(super) next: Option<String>,
    /// Of a stretch by node: what each settled command did there, without outputs.
    pub(super) settled: BTreeMap<CommandId, InvocationResult>,
}

impl Stretch {
    const fn of(keys: Vec<(String, CommandId)>, next: Option<String>) -> Self {
        Self { keys, next, settled: BTreeMap::new() }
    }
}

impl Orchestrator {
    /// Lists commands, the newest first. A page may hold fewer than asked for, even none, and still have one behind it.
    ///
    /// # Errors
    /// [`Error::Again`] when DynamoDB was not available.
    pub async fn commands(
        &self,
        query: &CommandQuery,
        matches: impl Fn(&Command) -> bool,
    ) -> Result<Page<Command>, Error> {
        let mut found = Vec::new();
        let (mut place, mut last) = (query.start(), None);
        let wide = CommandQuery { limit: query.limit.max(STRETCH), ..query.clone() };
        let running = self.running_on(query).await?;
        for _ in 0..ROUNDS_MAX {
            let stretch = self.stretch(&wide, &place, &running).await?;
            let ids: Vec<CommandId> = stretch.keys.iter().map(|(_, id)| id.clone()).collect();
            for shown in self.shown(&ids).await? {
                if self.goes_where_asked(&shown, query).await? && matches(&shown.command) {
                    // One more than fits: there is a page behind this one.
                    if found.len() == query.limit {
                        return Ok(Page { found, place: last });
                    }
                    last = shown.item.place.clone();
                    found.push(shown.command);
                }
            }
            match stretch.next {
                Some(next) => place = next,
                None => return Ok(Page { found, place: None }),
            }
        }
        let is_full = found.len() == query.limit;
        Ok(Page { found, place: last.filter(|_| is_full).or(Some(place)) })
    }

    /// Whether a command that was asked for by its id goes to the node that was asked for; by the node alone, it is in
    /// the stretch for that.
    async fn goes_where_asked(&self, shown: &Shown, query: &CommandQuery) -> Result<bool, Error> {
        let (Some(node), Some(_)) = (&query.node, &query.command) else { return Ok(true) };
        if shown.item.command.known_nodes().contains(node) {
            return Ok(true);
        }
        match &shown.item.place {
            Some(place) => self.table.was_on(node, place).await,
            None => Ok(false),
        }
    }

    /// The next commands that a query may mean; `running` are those that run on its node.
    pub(super) async fn stretch(
        &self,
        query: &CommandQuery,
        place: &str,
        running: &[(String, CommandId)],
    ) -> Result<Stretch, Error> {
        match (&query.command, &query.node) {
            (Some(id), _) => Ok(Stretch::of(vec![(place.to_owned(), id.clone())], None)),
            (None, None) => self.recent_commands(query.after, place, query.limit).await,
            (None, Some(node)) => self.commands_of(node, query, place, running).await,
        }
    }

    pub(super) async fn recent_commands(
        &self,
        after: Timestamp,
        place: &str,
        limit: usize,
    ) -> Result<Stretch, Error> {
        let mut place = place.to_owned();
        let mut keys: Vec<(String, CommandId)> = Vec::new();
        for _ in 0..QUERIES_MAX {
            let Some(month) = RecentKey::month(&place, after) else {
                return Ok(Stretch::of(keys, None));
            };
            let wanted = limit - keys.len();
            let found = self.table.recent_commands(month, &place, wanted).await?;
            let is_last_of_month = found.len() < wanted;
            for (at, id) in found {
                if RecentKey::moment(&at).is_none_or(|moment| moment < after) {
                    return Ok(Stretch::of(keys, None));
                }
                place.clone_from(&at);
                keys.push((at, id));
            }
            if keys.len() >= limit {
                return Ok(Stretch::of(keys, Some(place)));
            }
            if is_last_of_month {
                place = RecentKey::before_month(month);
            }
        }
        Ok(Stretch::of(keys, Some(place)))
    }

    /// A node's settled commands, and those that run on it.
    async fn commands_of(
        &self,
        node: &NodeId,
        query: &CommandQuery,
        place: &str,
        running: &[(String, CommandId)],
    ) -> Result<Stretch, Error> {
        let history = self.table.history(node, query.after, place, query.limit).await?;
        let mut stretch = Stretch::of(Vec::new(), None);
        for entry in history.entries {
            stretch.keys.push((entry.place, entry.command.clone()));
            stretch.settled.insert(entry.command, entry.invocation);
        }
        // Behind the last of a page that is not the last one, older settled ones may be missing.
        let reach = stretch.keys.last().filter(|_| history.more).map(|(at, _)| at.clone());
        let before = running.iter().filter(|(at, _)| at.as_str() < place);
        stretch.keys.extend(before.filter(|(at, _)| reach.as_ref().is_none_or(|reach| at >= reach)).cloned());
        stretch.keys.sort_unstable_by(|a, b| b.cmp(a));
        stretch.keys.dedup();
        let more = stretch.keys.len() > query.limit || history.more;
        stretch.keys.truncate(query.limit);
        stretch.next = stretch.keys.last().filter(|_| more).map(|(at, _)| at.clone());
        Ok(stretch)
    }

    /// Commands that are not settled and go to the node of a query, among the newest of all. To be asked before the
    /// node's history: what is settled between the two is in one of them.
    pub(super) async fn running_on(&self, query: &CommandQuery) -> Result<Vec<(String, CommandId)>, Error> {
        let (Some(node), None) = (&query.node, &query.command) else { return Ok(Vec::new()) };
        let place = query.start();
        let mut at = RecentKey::behind(self.now() + CLOCKS_DIFFER);
        let mut running = Vec::new();
        for _ in 0..RUNNING_AMONG / RUNNING_QUERY {
            let stretch = self.recent_commands(query.after, &at, RUNNING_QUERY).await?;
            let before: Vec<_> = stretch.keys.into_iter().filter(|(at, _)| *at < place).collect();
            let ids: Vec<CommandId> = before.iter().map(|(_, id)| id.clone()).collect();
            let mut items = self.table.bases(&ids).await?;
            items.retain(|_, item| item.command.settled.is_none());
            self.table.complete_unsettled(&mut items).await?;
            running.extend(before.into_iter().filter(|(_, id)| {
                items.get(id).is_some_and(|item| item.command.known_nodes().contains(node))
            }));
            match stretch.next {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(running)
    }

    /// Commands as they are shown, in the order of their ids; those nobody has described yet are left out.
    pub(crate) async fn shown(&self, ids: &[CommandId]) -> Result<Vec<Shown>, Error> {
        let mut items = self.table.bases(ids).await?;
        self.table.complete_unsettled(&mut items).await?;
        let mut descriptions = self.table.descriptions(items.values()).await?;
        let shown = ids.iter().filter_map(|id| {
            let item = items.remove(id)?;
            let command = overlaid(descriptions.remove(id)?, &item);
            Some(Shown { item, command })
        });
        Ok(shown.collect())
    }
}

impl CommandQuery {
    /// Where it begins.
    pub(super) fn start(&self) -> String {
        self.place.clone().unwrap_or_else(|| RecentKey::behind(self.before))
    }
}

/// What SSM said of a command when it was sent, with what is known of it now.
fn overlaid(mut command: Command, item: &CommandItem) -> Command {
    if let Some(head) = &item.head {
        let SettledHead { status, status_details, .. } = head.clone();
        command.status = Some(status);
        command.status_details = Some(status_details);
        command.target_count = Some(head.target_count);
        command.completed_count = Some(head.completed_count);
        command.error_count = Some(head.error_count);
        command.delivery_timed_out_count = Some(head.delivery_timed_out_count);
        return command;
    }
    let (status, details) = status(item);
    command.status = Some(status.to_owned());
    command.status_details = Some(details.to_owned());
    let known = &item.command;
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let completed = number(known.reported_nodes());
    command.completed_count = Some(completed);
    command.error_count = i64::try_from(known.errors_reported()).ok();
    // Of Targets only SSM knows how many nodes they mean; at least those that have ended.
    let asked = known.asked_count().and_then(|asked| i64::try_from(asked).ok());
    command.target_count = Some(asked.or(command.target_count).unwrap_or(0).max(completed));
    command
}

/// Status and details of a command that is not settled, as reported.
fn status(item: &CommandItem) -> (&'static str, &'static str) {
    // Of two words the finer one, which sorts behind the coarse one it refines.
    // Of Targets only the settle knows how many nodes they meant: an end without numbers would be misread.
    let is_counted = item.command.asked_count().is_some() || item.command.settled.is_some();
    match item.command.statuses.last().filter(|_| is_counted) {
        Some(terminal) => (terminal.coarse().as_str(), terminal.as_str()),
        // SSM never said; it calls so what has expired (user guide, monitor-commands).
        None if item.command.settled.is_some() => ("TimedOut", "DeliveryTimedOut"),
        None if item.cancelling => ("Cancelling", "Cancelling"),
        None => ("InProgress", "InProgress"),
    }
}

/// Status and details of a node of a command that is not settled, as reported.
pub(super) fn node_status(item: &CommandItem, node: &NodeId) -> (&'static str, &'static str) {
    let reported = item.command.nodes.iter().rfind(|(_, nodes)| nodes.contains(node));
    match reported.map(|(status, _)| *status) {
        Some(terminal) => (Terminal::coarse(terminal).as_str(), terminal.as_str()),
        None if item.command.settled.is_some() => ("TimedOut", "DeliveryTimedOut"),
        None if item.cancelling => ("Cancelling", "Cancelling"),
        None => ("InProgress", "InProgress"),
    }
}
