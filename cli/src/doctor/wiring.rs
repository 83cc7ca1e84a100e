//! How a deployment is put together, as its functions' settings and the services have it.

use super::account::{Account, Trouble};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;

/// What one look cannot find out, another may.
pub(super) type Found<T> = Result<T, Trouble>;

/// A deployment.
#[derive(Debug)]
pub(super) struct Wiring {
    /// The names of its functions begin with it.
    stack: String,
    pub(super) reconcile: Found<GetFunctionConfigurationOutput>,
    pub(super) on_command_event: Found<GetFunctionConfigurationOutput>,
    /// The queues that are worked off.
    pub(super) mappings: Found<Vec<EventSourceMappingConfiguration>>,
}

impl Wiring {
    /// Reads it.
    pub(super) async fn read(account: &Account, stack: &str) -> Self {
        let stack = stack.to_owned();
        let function = async |name: &str| -> Found<_> {
            let name = function_name(&stack, name);
            Ok(account.lambda.get_function_configuration().function_name(name).send().await?)
        };
        let mappings = async {
            let name = function_name(&stack, "on-command-event");
            let mappings = account.lambda.list_event_source_mappings().function_name(name);
            Ok(mappings.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?)
        };
        let (reconcile, on_command_event, mappings) =
            tokio::join!(function("reconcile"), function("on-command-event"), mappings);
        Self { reconcile, on_command_event, mappings, stack }
    }

    /// The name of one of its functions, such as `fleetwright-reconcile`.
    pub(super) fn function(&self, name: &str) -> String {
        function_name(&self.stack, name)
    }

    /// How what a deployment lacks comes back.
    pub(super) fn deploy(&self, account: &Account) -> String {
        let stack = &self.stack;
        let drift = account.aws(&format!("cloudformation detect-stack-drift --stack-name {stack}"));
        format!(
            "deploy the stack {stack} again (sam deploy); where that finds nothing to change, this tells what was \
             removed by hand:\n{drift}"
        )
    }

    /// A setting that sends depend on: of `on-command-event`, or of `reconcile` where that cannot be read.
    pub(super) fn setting(&self, name: &str) -> Found<Option<&str>> {
        let configuration = self.on_command_event.as_ref().or(self.reconcile.as_ref());
        let configuration = configuration.map_err(Trouble::with_function)?;
        let environment = configuration.environment();
        // Of variables that are encrypted with a key the caller may not use, Lambda shows an error instead.
        if let Some(error) = environment.and_then(|environment| environment.error()) {
            return Err(Trouble::new(error.error_code(), error.message()));
        }
        let variables = environment.and_then(|environment| environment.variables());
        let value = variables.and_then(|variables| variables.get(name)).map(String::as_str);
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// The ARNs of the queues that are worked off: the one for wakes and command events last.
    pub(super) fn queues(&self) -> Found<Vec<&str>> {
        let prompt = self.prompt_queue()?;
        let mappings = self.mappings.as_ref().map_err(Trouble::with_function)?;
        let mut arns: Vec<&str> = mappings.iter().filter_map(|mapping| mapping.event_source_arn()).collect();
        arns.sort_unstable_by_key(|arn| (Some(name_in(arn)) == prompt, *arn));
        arns.dedup();
        Ok(arns)
    }

    /// The name of the queue for wakes and command events.
    pub(super) fn prompt_queue(&self) -> Found<Option<&str>> {
        let url = self.setting("FLEETWRIGHT_PROMPT_QUEUE_URL")?;
        Ok(url.and_then(|url| url.rsplit('/').next()))
    }
}

fn function_name(stack: &str, name: &str) -> String {
    format!("{stack}-{name}")
}

/// The name of a queue in its ARN.
pub(super) fn name_in(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
