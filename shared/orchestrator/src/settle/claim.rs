//! Who settles: one at a time. The end of a command is told several times within a second, by its own event and by those
//! of its last nodes, to environments that know nothing of each other; and a settle reads every page and writes every
//! node's history.

use super::Settled;
use crate::table::{CommandItem, Owner};
use crate::{Error, Orchestrator};
use jiff::{SignedDuration, Timestamp};

/// No invocation lives longer (P7): who holds a claim and has not given it back by then is gone.
const HELD_FOR: SignedDuration = SignedDuration::from_secs(60);

impl Orchestrator {
    /// Settles, unless somebody is at it: who finds that looks again when it is time to. `closed`: as for
    /// [`settle_item`](Self::settle_item).
    pub(super) async fn settle_alone(
        &self,
        item: &CommandItem,
        closed: Option<&Owner>,
        deadline: Timestamp,
    ) -> Result<Settled, Error> {
        let now = self.now();
        let until = now + HELD_FOR;
        if !self.table.claim_settle(&item.id, now, until).await? {
            return Ok(Settled::NotYet(self.again(item)));
        }
        let settled = self.settle_item(item, closed, deadline).await;
        // What is settled has given it back already.
        if !matches!(settled, Ok(Settled::Yes(..)))
            && let Err(error) = self.table.release_settle(&item.id, until).await
        {
            tracing::warn!(command = %item.id, %error, "a claim was not given back, and runs out");
        }
        settled
    }
}
