//! The heartbeat of reconcile: one item, written by every tick, by which somebody sees that the schedule fires.

use super::Table;
use super::attributes::{Reader, moment};
use super::schema::{EXPIRES, keys};
use super::update::{Update, expiry};
use crate::Error;
use jiff::Timestamp;

const SCHEDULED_AT: &str = "scheduled_at";
const HANDLED_AT: &str = "handled_at";

/// The latest tick of reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    /// When the schedule says it was.
    pub(crate) scheduled_at: Timestamp,
    /// When it began, by its host's clock.
    pub(crate) handled_at: Timestamp,
}

impl Table {
    /// Keeps a tick, unless a later one is kept. One call: the next minute's tick writes what this one could not.
    pub(crate) async fn keep_heartbeat(&self, beat: Heartbeat) -> Result<(), Error> {
        Update::of(keys::HEALTH, keys::RECONCILE)
            .set(SCHEDULED_AT, moment(beat.scheduled_at))
            .set(HANDLED_AT, moment(beat.handled_at))
            .set(EXPIRES, expiry(self.retention_days, beat.handled_at))
            .if_missing_or_less(SCHEDULED_AT, moment(beat.scheduled_at))
            .apply_once(self)
            .await
            .map(drop)
    }

    /// The latest tick; `None`: there has been none yet.
    pub(crate) async fn heartbeat(&self) -> Result<Option<Heartbeat>, Error> {
        let Some(item) = self.get(keys::HEALTH, keys::RECONCILE).await? else { return Ok(None) };
        let reader = Reader(&item);
        reader.check_schema()?;
        let scheduled_at = reader.moment(SCHEDULED_AT)?;
        Ok(Some(Heartbeat { scheduled_at, handled_at: reader.moment(HANDLED_AT)? }))
    }
}
