//! Taking facts: one fold per command, one advance per execution and batch (protocols, P4 and P7).

use crate::advance::Why;
use crate::planted::{Bug, is_planted};
use crate::settle::Settled;
use crate::table::CommandItem;
use crate::{Allowance, Error, EventStart, Incoming, Orchestrator, read_message};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::{CommandId, Fact};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Groups that run at the same time.
const GROUPS_AT_ONCE: usize = 8;
/// No group starts with less time left.
const GROUP_TAKES: SignedDuration = SignedDuration::from_secs(20);

/// One message of a batch.
#[derive(Debug, Clone)]
pub struct BatchMessage {
    /// By which it is reported as failed.
    pub id: String,
    /// What it says.
    pub body: String,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenFacts {
    /// Messages to be delivered again.
    pub failed: BTreeSet<String>,
    /// Facts folded.
    pub folded: usize,
    /// Facts older than the retention, acknowledged and not stored.
    pub too_old: usize,
    /// Messages that could not be read; they are among the failed.
    pub poison: usize,
}

/// A batch by what its messages are about.
#[derive(Default)]
struct Groups {
    facts: BTreeMap<CommandId, Vec<(String, Fact)>>,
    wakes: BTreeMap<ExecutionId, Vec<String>>,
    starts: Vec<(String, EventStart)>,
}

/// What one execution is to be looked at for.
#[derive(Default)]
struct Visit {
    hints: Vec<CommandItem>,
    woken: bool,
    messages: Vec<String>,
}

impl Orchestrator {
    /// Takes a batch of messages. Poison fails alone; a group that fails takes nobody with it.
    pub async fn take(&self, batch: &[BatchMessage], turn: Allowance) -> TakenFacts {
        let mut taken = TakenFacts::default();
        let groups = self.group(batch, &mut taken);
        if is_planted(Bug::PoisonFailsBatch) && taken.poison > 0 {
            taken.failed.extend(batch.iter().map(|message| message.id.clone()));
            return taken;
        }
        let starts = groups.starts.into_iter().map(|(message, start)| self.start_for(message, start, turn));
        let refused: Vec<_> = stream::iter(starts).buffer_unordered(GROUPS_AT_ONCE).collect().await;
        taken.failed.extend(refused.into_iter().flatten());
        let folds = groups.facts.into_iter().map(|(id, facts)| self.fold_group(id, facts, turn));
        let folded: Vec<_> = stream::iter(folds).buffer_unordered(GROUPS_AT_ONCE).collect().await;
        let mut visits: BTreeMap<ExecutionId, Visit> = BTreeMap::new();
        let mut over = Vec::new();
        for (id, messages) in groups.wakes {
            let visit = visits.entry(id).or_default();
            visit.messages.extend(messages);
            visit.woken = true;
        }
        for (messages, result) in folded {
            match result {
                Ok(item) => {
                    taken.folded += messages.len();
                    if item.owner.is_none() {
                        match self.take_ownerless(&item).await {
                            Ok(true) => over.push(item.clone()),
                            Ok(false) => {}
                            Err(error) => {
                                tracing::warn!(command = %item.id, %error, "not tracked");
                                taken.failed.extend(messages.iter().cloned());
                            }
                        }
                    }
                    if let Some(owner) = item.owner.clone().filter(|_| item.command.is_complete()) {
                        let visit = visits.entry(owner.execution).or_default();
                        visit.hints.push(item);
                        visit.messages.extend(messages);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, messages = messages.len(), "facts were not folded");
                    if !is_planted(Bug::FoldFailureAcknowledged) {
                        taken.failed.extend(messages);
                    }
                }
            }
        }
        let visits = visits.into_iter().map(|(id, visit)| self.visit(id, visit, turn));
        let failed: Vec<_> = stream::iter(visits).buffer_unordered(GROUPS_AT_ONCE).collect().await;
        taken.failed.extend(failed.into_iter().flatten());
        // Last: nobody waits for these.
        let settles = over.iter().map(async |item| {
            if turn.left(self.now()) >= GROUP_TAKES {
                self.settle_at_once(item, turn.deadline).await;
            }
        });
        stream::iter(settles).buffer_unordered(GROUPS_AT_ONCE).collect::<()>().await;
        taken
    }

    fn group(&self, batch: &[BatchMessage], taken: &mut TakenFacts) -> Groups {
        let oldest = self.oldest();
        let mut groups = Groups::default();
        for message in batch {
            match read_message(&message.body) {
                Ok(Incoming::Nothing) => {}
                Ok(Incoming::Fact(fact)) if fact.at < oldest => taken.too_old += 1,
                Ok(Incoming::Fact(fact)) => {
                    let group = groups.facts.entry(fact.command_id.clone()).or_default();
                    group.push((message.id.clone(), fact));
                }
                Ok(Incoming::Start(start)) if start.at.is_some_and(|at| at < oldest) => taken.too_old += 1,
                Ok(Incoming::Start(start)) => groups.starts.push((message.id.clone(), start)),
                Ok(Incoming::Wake(id)) => groups.wakes.entry(id).or_default().push(message.id.clone()),
                Err(poison) => {
                    tracing::warn!(message = %message.id, %poison, "poison");
                    taken.poison += 1;
                    if !is_planted(Bug::PoisonAcknowledged) {
                        taken.failed.insert(message.id.clone());
                    }
                }
            }
        }
        groups
    }

    /// Starts what an event asks for. Answers with the message, if it must come again: a start that is refused ends in the
    /// dead-letter queue, where somebody sees it.
    async fn start_for(&self, message: String, start: EventStart, turn: Allowance) -> Option<String> {
        if turn.left(self.now()) < GROUP_TAKES {
            return Some(message);
        }
        match self.start(&start.request(), turn).await {
            Ok(_) => None,
            // Its words may hold a parameter's value.
            Err(Error::Refused { code, .. }) => {
                tracing::error!(asked_by = start.asked_by(), %code, "a start was refused");
                Some(message)
            }
            Err(error) => {
                tracing::warn!(asked_by = start.asked_by(), %error, "not started");
                Some(message)
            }
        }
    }

    async fn fold_group(
        &self,
        id: CommandId,
        facts: Vec<(String, Fact)>,
        turn: Allowance,
    ) -> (Vec<String>, Result<CommandItem, Error>) {
        let (messages, facts): (Vec<String>, Vec<Fact>) = facts.into_iter().unzip();
        if turn.left(self.now()) < GROUP_TAKES {
            return (messages, Err(Error::Again("no time left".to_owned())));
        }
        let folded = self.fold_and_settle_again(&id, &facts, turn).await;
        (messages, folded)
    }

    /// Folds; and where what came in contradicts a settled command, settles it again before it is acknowledged,
    /// whether or not the execution has ended.
    async fn fold_and_settle_again(
        &self,
        id: &CommandId,
        facts: &[Fact],
        turn: Allowance,
    ) -> Result<CommandItem, Error> {
        let item = self.table.fold(id, facts, self.now()).await?;
        let Some(mark) = &item.command.settled else { return Ok(item) };
        let whole = if item.chunked {
            self.table.whole_command(id).await?.unwrap_or_else(|| item.clone())
        } else {
            item.clone()
        };
        if !whole.command.outdates(mark) || is_planted(Bug::ContradictionIgnored) {
            return Ok(item);
        }
        // First: were it second, a crash between would lose it, and the settle would no longer be outdated.
        let actor = match &whole.owner {
            None => Cow::Borrowed(self),
            Some(owner) => {
                self.table.contradict(&owner.execution, owner.step, id).await?;
                self.acting_for(&owner.execution).await?
            }
        };
        match actor.settle_item(&whole, None, turn.deadline).await? {
            Settled::Yes(..) => Ok(item),
            Settled::NotYet(_) => Err(Error::Again(format!("command {id}: SSM has not said all again"))),
        }
    }

    /// Advances one execution. Answers with the messages that must come again.
    async fn visit(&self, id: ExecutionId, visit: Visit, turn: Allowance) -> Vec<String> {
        if turn.left(self.now()) < GROUP_TAKES {
            return visit.messages;
        }
        let turn = Allowance { woken: visit.woken, ..turn };
        match self.advance_from(&id, turn, Why::Look, visit.hints).await {
            Ok(_) => Vec::new(),
            Err(Error::Contended(_)) if self.config.prompt_queue_url.is_some() => {
                // The others commit what we saw too; one look when they are done is enough.
                let soon = SignedDuration::from_millis(
                    1_000 + i64::try_from(self.entropy.below(2_000)).unwrap_or(0),
                );
                self.wake(&id, self.now() + soon).await;
                Vec::new()
            }
            Err(error) => {
                tracing::warn!(execution = %id, %error, "not advanced");
                visit.messages
            }
        }
    }
}
