//! The `reconcile` function on the Lambda runtime. One request at a time: a current-thread runtime is enough.

use fleetwright_deployment::{deadline, log, orchestrator};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log();
    let orchestrator = &orchestrator()?;
    orchestrator.warm_up(reconcile::OPERATIONS).await;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let until = deadline(&event.context);
        reconcile::handle(orchestrator, event.payload, until).await.map_err(Error::from)
    }))
    .await
}
