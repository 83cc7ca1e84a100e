//! ListCommands and ListCommandInvocations.

use super::Ssm;
use super::command::Command;
use super::page::Cursor;
use super::status::StatusDetails;
use fleetwright_wire::{
    CommandFilters, CommandList, CommandSubject, ListCommandInvocationsRequest, ListCommandInvocationsResult,
    ListCommandsRequest, ListCommandsResult, ServiceError, read_request,
};

/// SSM API reference, MaxResults: at most 50; what SSM takes if it is absent is not documented.
const PAGE: i64 = 50;

impl Ssm {
    /// SSM API reference, ListCommands: newest first.
    pub(super) fn list_commands(&self, body: &serde_json::Value) -> Result<ListCommandsResult, ServiceError> {
        let request: ListCommandsRequest = read_request("ListCommands", body)?;
        let filters = CommandFilters::read(request.filters.as_deref(), CommandList::Commands)?;
        let scope = format!("ListCommands {:?} {:?} {filters:?}", request.command_id, request.instance_id);
        let below =
            self.cursor(request.next_token.as_deref(), &scope)?.map_or(usize::MAX, |cursor| cursor.first);
        let candidates = self.candidates(request.command_id.as_deref(), request.instance_id.as_deref())?;
        let size = page_size(request.max_results);
        let mut page = Vec::new();
        for c in candidates.into_iter().rev().filter(|c| *c < below) {
            let Some((command, seen)) = self.commands.get(c).and_then(|one| Some((one, one.seen(self.now)?)))
            else {
                continue;
            };
            let subject = CommandSubject {
                requested_at: command.requested_at,
                document: &command.document.name,
                status: seen.status.status(),
                details: seen.status.name(),
            };
            if filters.matches(&subject) {
                page.push((c, command.wire(seen)));
            }
            if page.len() > size {
                break;
            }
        }
        let more = page.len() > size;
        page.truncate(size);
        let last = page.last().filter(|_| more).map(|(c, _)| Cursor { first: *c, second: 0 });
        Ok(ListCommandsResult {
            commands: Some(page.into_iter().map(|(_, command)| command).collect()),
            next_token: last.map(|cursor| self.token(cursor, &scope)),
        })
    }

    /// Positions of the commands a request is about, oldest first. An id that cannot be seen yet and one that never
    /// was are the same to a caller: nothing.
    fn candidates(&self, command_id: Option<&str>, node: Option<&str>) -> Result<Vec<usize>, ServiceError> {
        let node = match node {
            Some(id) => match self.by_id.get(id).and_then(|node| self.nodes.get(*node)) {
                Some(node) => Some(node),
                None => {
                    return Err(ServiceError::invalid_instance_id(format!("{id} is not a managed node.")));
                }
            },
            None => None,
        };
        Ok(match (command_id, node) {
            (Some(id), node) => {
                let of_node = |c: &usize| node.is_none_or(|node| node.commands.contains(c));
                self.by_command.get(id).copied().filter(of_node).into_iter().collect()
            }
            (None, Some(node)) => node.commands.clone(),
            (None, None) => (0..self.commands.len()).collect(),
        })
    }

    /// SSM API reference, ListCommandInvocations: newest command first, nodes in the order of their targets.
    pub(super) fn list_command_invocations(
        &self,
        body: &serde_json::Value,
    ) -> Result<ListCommandInvocationsResult, ServiceError> {
        let request: ListCommandInvocationsRequest = read_request("ListCommandInvocations", body)?;
        let filters = CommandFilters::read(request.filters.as_deref(), CommandList::Invocations)?;
        let scope =
            format!("ListCommandInvocations {:?} {:?} {filters:?}", request.command_id, request.instance_id);
        let from = self.cursor(request.next_token.as_deref(), &scope)?;
        let candidates = self.candidates(request.command_id.as_deref(), request.instance_id.as_deref())?;
        let node = request.instance_id.as_deref().and_then(|id| self.by_id.get(id).copied());
        let size = page_size(request.max_results);
        let mut page: Vec<(Cursor, StatusDetails)> = Vec::new();
        for c in candidates.into_iter().rev() {
            let skip = match from {
                Some(cursor) if c > cursor.first => continue,
                Some(cursor) if c == cursor.first => cursor.second + 1,
                _ => 0,
            };
            if let Some(command) = self.commands.get(c) {
                self.gather(command, node, &filters, size, (c, skip), &mut page);
            }
            if page.len() > size {
                break;
            }
        }
        let more = page.len() > size;
        page.truncate(size);
        let next = page.last().filter(|_| more).map(|(cursor, _)| self.token(*cursor, &scope));
        let details = request.details == Some(true);
        let found = page
            .iter()
            .filter_map(|(cursor, seen)| self.invocation(cursor.first, cursor.second, *seen, details));
        Ok(ListCommandInvocationsResult { command_invocations: Some(found.collect()), next_token: next })
    }

    /// Adds a command's invocations from `skip` on to a page, until it has one too many.
    fn gather(
        &self,
        command: &Command,
        node: Option<usize>,
        filters: &CommandFilters,
        size: usize,
        (c, skip): (usize, usize),
        page: &mut Vec<(Cursor, StatusDetails)>,
    ) {
        for (i, one) in command.invocations.iter().enumerate().skip(skip) {
            let Some(seen) =
                one.seen(self.now).filter(|_| !one.hidden && node.is_none_or(|node| node == one.node))
            else {
                continue;
            };
            let subject = CommandSubject {
                requested_at: command.requested_at,
                document: &command.document.name,
                status: seen.status(),
                details: seen.name(),
            };
            if filters.matches(&subject) {
                page.push((Cursor { first: c, second: i }, seen));
            }
            if page.len() > size {
                return;
            }
        }
    }
}

fn page_size(asked: Option<i64>) -> usize {
    usize::try_from(asked.unwrap_or(PAGE)).unwrap_or(1)
}
