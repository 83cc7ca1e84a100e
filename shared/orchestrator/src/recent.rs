//! Executions by when they were started, the newest first.

use crate::table::RecentKey;
use crate::{Error, ExecutionView, Orchestrator};
use fleetwright_engine::ExecutionId;
use jiff::{SignedDuration, Timestamp};

/// Queries of one page: an account without executions for months must not cost a query for each of its days in one call.
const QUERIES_MAX: usize = 40;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Which executions are looked for, and from where on.
#[derive(Debug, Clone)]
pub struct RecentQuery {
    /// None that was started before.
    pub after: Timestamp,
    /// None that was started later.
    pub before: Timestamp,
    /// Only those behind this place, which a page before ended with.
    pub place: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// Executions found, and where to go on.
#[derive(Debug, Clone)]
pub struct RecentPage {
    /// The newest first.
    pub executions: Vec<ExecutionView>,
    /// Where the next page begins; `None`: there is none.
    pub place: Option<String>,
}

impl Orchestrator {
    /// Lists executions. A page may hold fewer than asked for, even none, and still have one behind it: what does not
    /// match is left out here, and a call reads so many days and no more.
    ///
    /// # Errors
    /// [`Error::Again`] when DynamoDB was not available.
    pub async fn recent_executions(
        &self,
        query: &RecentQuery,
        matches: impl Fn(&ExecutionView) -> bool,
    ) -> Result<RecentPage, Error> {
        let mut place = query.place.clone().unwrap_or_else(|| RecentKey::behind(query.before));
        let mut executions = Vec::new();
        for _ in 0..QUERIES_MAX {
            let Some(day) = RecentKey::day(&place).filter(|day| *day + DAY > query.after) else {
                return Ok(RecentPage { executions, place: None });
            };
            let found = self.table.recent(day, &place, query.limit).await?;
            let is_last_of_day = found.len() < query.limit;
            for key in found {
                place.clone_from(&key.at);
                if RecentKey::moment(&key.at).is_none_or(|at| at < query.after) {
                    return Ok(RecentPage { executions, place: None });
                }
                if let Some(view) = self.listed(&key.id).await?.filter(&matches) {
                    executions.push(view);
                    if executions.len() == query.limit {
                        return Ok(RecentPage { executions, place: Some(place) });
                    }
                }
            }
            if is_last_of_day {
                place = RecentKey::behind(day - SignedDuration::from_millis(1));
            }
        }
        Ok(RecentPage { executions, place: Some(place) })
    }

    /// What the index names may have expired meanwhile.
    async fn listed(&self, id: &ExecutionId) -> Result<Option<ExecutionView>, Error> {
        match self.execution(id).await {
            Ok(view) => Ok(Some(view)),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
