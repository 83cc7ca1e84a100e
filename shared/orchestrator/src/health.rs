//! Whether reconcile ticks, and whether anything waits for it: what a look from outside begins with.

use crate::table::{DueFor, Heartbeat};
use crate::{Error, Orchestrator};
use fleetwright_wire::results::Health;
use futures::future::try_join_all;
use jiff::Timestamp;

impl Orchestrator {
    /// Leaves word that a tick takes place. That it cannot be left fails no tick.
    pub(crate) async fn beat(&self, scheduled_at: Timestamp) {
        let beat = Heartbeat { scheduled_at, handled_at: self.now() };
        if let Err(error) = self.table.keep_heartbeat(beat).await {
            tracing::warn!(%error, "the heartbeat was not written");
        }
    }

    /// How this deployment is: a read of one item, and of the index of what is due.
    ///
    /// # Errors
    /// [`Error::Again`] when DynamoDB was not available.
    pub async fn health(&self) -> Result<Health, Error> {
        let now = self.now();
        let shards = DueFor::ALL.into_iter().flat_map(|of| (0..of.shards()).map(move |shard| (of, shard)));
        let due = shards.map(|(of, shard)| self.table.nominated(of, shard, now));
        let (beat, due) = futures::try_join!(self.table.heartbeat(), try_join_all(due))?;
        Ok(Health {
            now,
            last_reconcile_at: beat.map(|beat| beat.scheduled_at),
            last_reconcile_handled_at: beat.map(|beat| beat.handled_at),
            oldest_due_at: due.iter().flatten().map(|due| due.at).min(),
        })
    }
}
