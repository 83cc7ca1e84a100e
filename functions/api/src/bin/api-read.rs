//! The endpoint that reads, on the Lambda runtime. One request at a time: a current-thread runtime is enough.

use fleetwright_deployment::{log, orchestrator};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log();
    let orchestrator = &orchestrator()?;
    orchestrator.warm_up(api::READ_OPERATIONS).await;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        api::read(orchestrator, event.payload).await.map_err(Error::from)
    }))
    .await
}
