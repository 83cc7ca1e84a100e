//! The functions' own handlers as Lambda functions of the embedded cloud.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use fleetwright_orchestrator::{Clients, Config, Orchestrator};
use fleetwright_wire::Endpoint;
use futures::future::LocalBoxFuture;
use serde_json::Value;

use super::entropy::Seeded;
use crate::lambda::{Environment, Function, FunctionDefinition, FunctionFactory, Invocation};
use crate::sdk::SdkClients;
use crate::seed;

/// How long a function may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A caller waits no longer for the API.
const API_TIMEOUT: Duration = Duration::from_secs(30);
/// A tick that could not be delivered within the minute has become the next one's.
const TICK_AGE_MAX: Duration = Duration::from_secs(60);

/// The functions.
pub(super) fn definitions(config: &Config, roles: &[String]) -> Vec<FunctionDefinition> {
    vec![
        FunctionDefinition::new(
            "on-command-event",
            on_command_event::OPERATIONS,
            TIMEOUT,
            factory(config, roles, |orchestrator, event, context| async move {
                on_command_event::handle(&orchestrator, event, context.deadline).await
            }),
        ),
        FunctionDefinition {
            retries: 0,
            maximum_event_age: TICK_AGE_MAX,
            reserved_concurrency: Some(1),
            ..FunctionDefinition::new(
                "reconcile",
                reconcile::OPERATIONS,
                TIMEOUT,
                factory(config, roles, |orchestrator, event, context| async move {
                    reconcile::handle(&orchestrator, event, context.deadline).await
                }),
            )
        },
        FunctionDefinition::new(
            Endpoint::Read.function(),
            api::READ_OPERATIONS,
            API_TIMEOUT,
            factory(
                config,
                roles,
                |orchestrator, event, _| async move { api::read(&orchestrator, event).await },
            ),
        ),
        FunctionDefinition::new(
            Endpoint::Control.function(),
            api::CONTROL_OPERATIONS,
            API_TIMEOUT,
            factory(config, roles, |orchestrator, event, context| async move {
                api::control(&orchestrator, event, context.deadline).await
            }),
        ),
    ]
}

/// A handler with the use cases of its execution environment.
struct Handler<H> {
    orchestrator: Arc<Orchestrator>,
    handle: H,
}

impl<H, F, E> Function for Handler<H>
where
    H: Fn(Arc<Orchestrator>, Value, Invocation) -> F,
    F: Future<Output = Result<Value, E>> + 'static,
    E: Display,
{
    fn invoke(&self, event: Value, context: Invocation) -> LocalBoxFuture<'static, Result<Value, String>> {
        let handled = (self.handle)(Arc::clone(&self.orchestrator), event, context);
        Box::pin(async move { handled.await.map_err(|error| error.to_string()) })
    }
}

fn factory<H, F, E>(config: &Config, roles: &[String], handle: H) -> FunctionFactory
where
    H: Fn(Arc<Orchestrator>, Value, Invocation) -> F + Copy + 'static,
    F: Future<Output = Result<Value, E>> + 'static,
    E: Display + 'static,
{
    let (config, roles) = (config.clone(), roles.to_vec());
    Arc::new(move |environment: &Environment| {
        let orchestrator = Arc::new(orchestrator(environment, config.clone(), &roles));
        Arc::new(Handler { orchestrator, handle }) as Arc<dyn Function>
    })
}

pub(super) fn orchestrator(environment: &Environment, config: Config, roles: &[String]) -> Orchestrator {
    let SdkClients { dynamodb, ssm, sns, events, sqs } = SdkClients::new(environment);
    let ssm_by_role =
        roles.iter().map(|role| (role.clone(), SdkClients::ssm_as(environment, role))).collect();
    let time = SharedTimeSource::new(environment.clock.clone());
    let entropy = Seeded::new(seed::generator(environment.seed, "entropy"));
    let sleep = SharedAsyncSleep::new(environment.clock.clone());
    Orchestrator::new(
        Clients { dynamodb, ssm, ssm_by_role, sqs, sns, events, time, sleep },
        config,
        Arc::new(entropy),
    )
}
