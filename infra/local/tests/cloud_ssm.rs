//! The real SSM client against the simulated service, and its notifications on their way to a function.

mod common;

use std::time::Duration;

use aws_sdk_ssm::operation::send_command::SendCommandError;
use aws_sdk_ssm::types::{NotificationConfig, NotificationEvent, NotificationType};
use common::{LIMIT, Toy, deploy, simulation, texts};
use fleetwright_local::names::topic_arn;
use fleetwright_local::{SdkClients, Simulation};

/// Sends a command to the node of the fleet, or to one that is not there, with notifications to the topic `news`.
fn send(simulation: &mut Simulation, node: Option<&str>) -> Result<String, Box<SendCommandError>> {
    let known = simulation.cloud().ssm.node_ids().next().unwrap().to_owned();
    let clients = SdkClients::new(&simulation.client("sender"));
    let node = node.map_or(known, str::to_owned);
    let sending = async move {
        let notify = NotificationConfig::builder().notification_arn(topic_arn("news"));
        let notify = notify.notification_events(NotificationEvent::All);
        let notify = notify.notification_type(NotificationType::Invocation).build();
        let request = clients.ssm.send_command().document_name("AWS-RunShellScript").instance_ids(node);
        let request = request.parameters("commands", vec!["date".to_owned()]);
        let request =
            request.service_role_arn("arn:aws:iam::123456789012:role/publish").notification_config(notify);
        let answer = request.send().await.map_err(|error| Box::new(error.into_service_error()))?;
        Ok(answer.command.and_then(|command| command.command_id).unwrap_or_default())
    };
    simulation.block_on(sending, LIMIT).unwrap()
}

#[test]
fn what_a_node_does_reaches_the_function_through_topic_and_queue() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Toy::start);
    let command = send(&mut simulation, None).unwrap();
    simulation.run_until(|_| false, Duration::from_secs(1200)).unwrap();
    let messages = texts(&simulation);
    assert!(!messages.is_empty());
    assert!(messages.iter().all(|message| message.contains(&command)), "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("\"Success\"")), "{messages:?}");
}

#[test]
fn an_error_of_ssm_is_the_sdks_own_error() {
    let mut simulation = simulation(1);
    let error = send(&mut simulation, Some("i-0123456789abcdef0")).unwrap_err();
    assert!(error.is_invalid_instance_id(), "{error:?}");
}
