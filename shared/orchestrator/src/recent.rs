//! Executions by when they were started, the newest first.

use crate::table::RecentKey;
use crate::{Error, ExecutionView, Orchestrator, OutputView};
use fleetwright_engine::ExecutionId;
use jiff::Timestamp;

/// Queries of one page: where little matches, a call must not read all there is.
const QUERIES_MAX: usize = 40;

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
    /// match is left out here, and a call reads so much and no more. `matches` is asked before outputs are read.
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
            let Some(month) = RecentKey::month(&place, query.after) else {
                return self.with_outputs(executions, None).await;
            };
            let found = self.table.recent(month, &place, query.limit).await?;
            let is_last_of_month = found.len() < query.limit;
            let ids: Vec<ExecutionId> = found.iter().map(|key| key.id.clone()).collect();
            let mut loaded = self.table.executions(&ids, self.now()).await?;
            for key in found {
                place.clone_from(&key.at);
                if RecentKey::moment(&key.at).is_none_or(|at| at < query.after) {
                    return self.with_outputs(executions, None).await;
                }
                // What the index names may have expired meanwhile.
                let view = loaded.remove(&key.id).map(|loaded| ExecutionView::of(loaded, OutputView::new()));
                if let Some(view) = view.filter(&matches) {
                    executions.push(view);
                    if executions.len() == query.limit {
                        return self.with_outputs(executions, Some(place)).await;
                    }
                }
            }
            if is_last_of_month {
                place = RecentKey::before_month(month);
            }
        }
        self.with_outputs(executions, Some(place)).await
    }

    async fn with_outputs(
        &self,
        mut executions: Vec<ExecutionView>,
        place: Option<String>,
    ) -> Result<RecentPage, Error> {
        let executions_of = executions.iter().map(|view| &view.execution);
        let outputs: Vec<_> = executions_of.map(|of| (&of.id, &of.document_outputs)).collect();
        let outputs = self.output_views(&outputs).await?;
        for (view, outputs) in executions.iter_mut().zip(outputs) {
            view.outputs = outputs;
        }
        Ok(RecentPage { executions, place })
    }
}
