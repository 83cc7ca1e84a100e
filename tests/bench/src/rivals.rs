//! How others take the same burst: a conditional update for each event, and a transaction that counts.

use crate::burst::{self, Taken};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use fleetwright_local::dynamodb::Units;
use fleetwright_local::{SdkClients, TABLE};
use fleetwright_protocols::Run;
use std::time::Duration;

/// All events of one run take no longer, in virtual time.
const LIMIT: Duration = Duration::from_secs(600);

/// An event of the burst: its command and its node.
type Event = (String, String);

/// One request for each event: the invocation's status, if it is not final yet. Nothing is counted, so somebody has to find
/// out by other means when a command is complete.
#[must_use]
pub fn one_request_per_event() -> Taken {
    play(async |client: &Client, (command, node): &Event| {
        let update = client.update_item().table_name(TABLE);
        let update = update.key("pk", text(format!("INV#{command}"))).key("sk", text(node.clone()));
        let update = update
            .update_expression("SET #status = :status")
            .condition_expression("attribute_not_exists(#status)");
        let update = update.expression_attribute_names("#status", "status");
        update.expression_attribute_values(":status", text("Success")).send().await.expect("it is written");
    })
}

/// The usual transaction: the invocation, if it is new, and one more of its command's counter.
#[must_use]
pub fn transaction_with_counter() -> Taken {
    play(async |client: &Client, (command, node): &Event| {
        let put = Put::builder().table_name(TABLE).item("pk", text(format!("INV#{command}")));
        let put = put.item("sk", text(node.clone())).item("status", text("Success"));
        let put = put.condition_expression("attribute_not_exists(pk)").build().expect("whole");
        let update = Update::builder().table_name(TABLE).key("pk", text(format!("COUNT#{command}")));
        let update = update.key("sk", text("COUNT")).update_expression("ADD #done :one");
        let update = update.expression_attribute_names("#done", "done");
        let one = AttributeValue::N("1".to_owned());
        let update = update.expression_attribute_values(":one", one).build().expect("whole");
        let items = [
            TransactWriteItem::builder().put(put).build(),
            TransactWriteItem::builder().update(update).build(),
        ];
        client
            .transact_write_items()
            .set_transact_items(Some(items.into()))
            .send()
            .await
            .expect("it is written");
    })
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Writes every event of the burst, one after another, by the same client and over the same tables.
fn play(write: impl AsyncFn(&Client, &Event) + 'static) -> Taken {
    const NAME: &str = "rival";
    let mut run: Run = burst::before();
    let events: Vec<Event> = run
        .commands()
        .iter()
        .flat_map(|command| {
            command.nodes.keys().map(|node| (command.command_id.to_string(), node.to_string()))
        })
        .collect();
    let clients = SdkClients::new(&run.deployment.simulation.client(NAME));
    let written = async move {
        for event in &events {
            write(&clients.dynamodb, event).await;
        }
    };
    run.deployment.simulation.block_on(written, LIMIT).expect("all are written");
    let cloud = run.cloud();
    let mut units = Units::default();
    cloud.counters.capacity[NAME].values().for_each(|used| {
        units.read += used.read;
        units.write += used.write;
    });
    let requests: u64 = cloud.counters.calls[NAME].values().map(|count| count.applied).sum();
    Taken { requests: usize::try_from(requests).unwrap_or(usize::MAX), units }
}
