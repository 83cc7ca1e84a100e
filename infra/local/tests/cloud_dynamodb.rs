//! The real DynamoDB client against the embedded tables.

mod common;

use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure, TimeToLiveSpecification, TransactWriteItem, Update,
};
use common::{LIMIT, TABLE, add, s, simulation, texts};
use fleetwright_local::SdkClients;

#[test]
fn a_failed_condition_shows_the_item_that_won() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("test"));
    let error = simulation.block_on(
        async move {
            let put = |by: &str| {
                let put = clients.dynamodb.put_item().table_name(TABLE).item("pk", s("a")).item("sk", s("a"));
                put.item("by", s(by)).condition_expression("attribute_not_exists(pk)")
            };
            put("first").send().await.unwrap();
            let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
            put("second").return_values_on_condition_check_failure(all_old).send().await.unwrap_err()
        },
        LIMIT,
    );
    let PutItemError::ConditionalCheckFailedException(failure) = error.unwrap().into_service_error() else {
        panic!("the condition holds although the item is there");
    };
    assert_eq!(failure.item().unwrap()["by"], s("first"));
}

#[test]
fn a_cancelled_transaction_applies_nothing_and_says_why() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("test"));
    let reasons = simulation.block_on(
        async move {
            add(&clients, "x").await.unwrap();
            let put =
                Put::builder().table_name(TABLE).item("pk", s("new")).item("sk", s("new")).build().unwrap();
            let update = Update::builder().table_name(TABLE).key("pk", s("set")).key("sk", s("set"));
            let update =
                update.update_expression("SET seen = :yes").expression_attribute_values(":yes", s("yes"));
            let update = update.condition_expression("attribute_not_exists(pk)");
            let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
            let update = update.return_values_on_condition_check_failure(all_old).build().unwrap();
            let request = clients.dynamodb.transact_write_items();
            let request = request.transact_items(TransactWriteItem::builder().put(put).build());
            let request = request.transact_items(TransactWriteItem::builder().update(update).build());
            let error = request.send().await.unwrap_err().into_service_error();
            let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
                panic!("the transaction holds although the item is there");
            };
            cancelled.cancellation_reasons().to_vec()
        },
        LIMIT,
    );
    let reasons = reasons.unwrap();
    assert_eq!(reasons[0].code(), Some("None"));
    assert_eq!(reasons[1].code(), Some("ConditionalCheckFailed"));
    assert_eq!(reasons[1].item().unwrap()["pk"], s("set"));
    assert_eq!(simulation.cloud().dynamodb.items(TABLE).unwrap().len(), 1);
}

#[test]
fn capacity_is_counted_but_only_shown_to_who_asks() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("test"));
    let shown = simulation.block_on(
        async move {
            add(&clients, "x").await.unwrap();
            let get = clients.dynamodb.get_item().table_name(TABLE).key("pk", s("set")).key("sk", s("set"));
            get.consistent_read(true).send().await.unwrap().consumed_capacity().cloned()
        },
        LIMIT,
    );
    assert_eq!(shown.unwrap(), None);
    let units = simulation.cloud().counters.capacity["test"].clone();
    assert_eq!((units["UpdateItem"].write, units["GetItem"].read), (1.0, 1.0));
}

#[test]
fn adding_to_a_set_twice_is_adding_once() {
    let mut simulation = simulation(1);
    let clients = SdkClients::new(&simulation.client("test"));
    let adding = async move {
        for text in ["b", "a", "b"] {
            add(&clients, text).await.unwrap();
        }
    };
    simulation.block_on(adding, LIMIT).unwrap();
    assert_eq!(texts(&simulation), ["a", "b"]);
}

#[test]
fn expired_items_go_some_time_after_they_expire() {
    let mut simulation = simulation(1);
    let expires = simulation.now().as_second() + 60;
    let clients = SdkClients::new(&simulation.client("test"));
    let writing = async move {
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires").build().unwrap();
        clients
            .dynamodb
            .update_time_to_live()
            .table_name(TABLE)
            .time_to_live_specification(ttl)
            .send()
            .await
            .unwrap();
        let put = clients.dynamodb.put_item().table_name(TABLE).item("pk", s("a")).item("sk", s("a"));
        let expires = aws_sdk_dynamodb::types::AttributeValue::N(expires.to_string());
        put.item("expires", expires).send().await.unwrap();
    };
    simulation.block_on(writing, LIMIT).unwrap();
    let clock = simulation.clock();
    simulation.block_on(async move { clock.sleep(Duration::from_mins(30)).await }, LIMIT).unwrap();
    assert_eq!(simulation.cloud().dynamodb.items(TABLE).unwrap().len(), 1, "nobody may rely on the moment");
    let clock = simulation.clock();
    simulation.block_on(async move { clock.sleep(Duration::from_mins(59)).await }, LIMIT).unwrap();
    assert_eq!(simulation.cloud().dynamodb.items(TABLE).unwrap().len(), 0);
}
