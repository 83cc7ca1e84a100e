//! The real SQS client against the embedded queues.

mod common;

use std::time::Duration;

use common::{LIMIT, send, simulation};
use fleetwright_local::SdkClients;
use fleetwright_local::names::queue_url;

/// Receives from a queue `after` from now: texts and how often each was received.
fn receive(
    simulation: &mut fleetwright_local::Simulation,
    queue: &str,
    after: Duration,
) -> Vec<(String, String)> {
    let environment = simulation.client("receiver");
    let (clients, clock, url) = (SdkClients::new(&environment), environment.clock.clone(), queue_url(queue));
    let receiving = async move {
        clock.sleep(after).await;
        let request = clients.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let messages = request.send().await.unwrap().messages.unwrap_or_default();
        let count = aws_sdk_sqs::types::MessageSystemAttributeName::ApproximateReceiveCount;
        let text = |message: aws_sdk_sqs::types::Message| {
            let receives = message.attributes().and_then(|attributes| attributes.get(&count)).cloned();
            (message.body.unwrap_or_default(), receives.unwrap_or_default())
        };
        messages.into_iter().map(text).collect()
    };
    simulation.block_on(receiving, LIMIT).unwrap()
}

#[test]
fn a_delayed_message_cannot_be_received_before_its_time() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("sender"));
    let sending = async move {
        let request = clients.sqs.send_message().queue_url(queue_url("work")).message_body("late");
        request.delay_seconds(60).send().await.unwrap();
    };
    simulation.block_on(sending, LIMIT).unwrap();
    assert_eq!(receive(&mut simulation, "work", Duration::from_secs(50)), []);
    let expected = [("late".to_owned(), "1".to_owned())];
    assert_eq!(receive(&mut simulation, "work", Duration::from_secs(11)), expected);
}

#[test]
fn a_delay_beyond_the_services_limit_is_refused() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("sender"));
    let sending = async move {
        let request = clients.sqs.send_message().queue_url(queue_url("work")).message_body("late");
        request.delay_seconds(901).send().await.is_err()
    };
    assert!(simulation.block_on(sending, LIMIT).unwrap());
    assert!(simulation.cloud().sqs.queue("work").unwrap().is_empty());
}

#[test]
fn a_message_nobody_deletes_comes_back_and_ends_in_the_dead_letter_queue() {
    let mut simulation = simulation(1);
    send(&mut simulation, &["a"]);
    assert_eq!(receive(&mut simulation, "work", Duration::from_secs(1)).len(), 1);
    assert_eq!(receive(&mut simulation, "work", Duration::from_secs(25)).len(), 0);
    let twice = receive(&mut simulation, "work", Duration::from_secs(10));
    assert_eq!(twice, [("a".to_owned(), "2".to_owned())]);
    assert_eq!(receive(&mut simulation, "work", Duration::from_secs(31)).len(), 1);
    assert_eq!(receive(&mut simulation, "work", Duration::from_secs(31)).len(), 0);
    assert_eq!(receive(&mut simulation, "dead", Duration::ZERO), [("a".to_owned(), "4".to_owned())]);
}

#[test]
fn a_queue_that_is_not_there_is_named_so() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("sender"));
    let sending = async move {
        let request = clients.sqs.send_message().queue_url(queue_url("nowhere")).message_body("a");
        request.send().await.unwrap_err().into_service_error().is_queue_does_not_exist()
    };
    assert!(simulation.block_on(sending, LIMIT).unwrap());
}
