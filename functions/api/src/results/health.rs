//! Whether executions are looked after.

use crate::response::service_error;
use fleetwright_orchestrator::Orchestrator;
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::Health;

/// Whether reconcile ticks, and whether anything is overdue. `fleetwright doctor` reads more out of it.
#[cfg_attr(test, utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, description = "When reconcile last began, and what waits for it", body = Health),
)))]
pub(super) async fn health(orchestrator: &Orchestrator) -> Result<Health, ServiceError> {
    orchestrator.health().await.map_err(service_error)
}
