//! The queues and how they are worked off.

use fleetwright_local::names::queue_arn;
use fleetwright_template::{Resource, Stack, number, text};
use std::collections::BTreeSet;

fn queue(stack: &Stack, arn: &str) -> Resource {
    let mut queues = stack.of_kind("AWS::SQS::Queue");
    queues.find(|queue| queue_arn(&queue.id) == arn).unwrap_or_else(|| panic!("no queue {arn}"))
}

fn mappings(stack: &Stack) -> Vec<Resource> {
    stack.of_kind("AWS::Lambda::EventSourceMapping").collect()
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn a_message_is_hidden_for_as_long_as_anybody_may_work_on_it() {
    let stack = Stack::deployed(&[("BatchWindowSeconds", "60")]);
    for mapping in mappings(&stack) {
        let name = text(&mapping.properties["FunctionName"]);
        let mut functions = stack.of_kind("AWS::Lambda::Function").map(|function| function.properties);
        let function = functions.find(|function| function["FunctionName"] == name).expect("a function");
        let hidden = number(
            &queue(&stack, text(&mapping.properties["EventSourceArn"])).properties["VisibilityTimeout"],
        );
        let window = number(&mapping.properties["MaximumBatchingWindowInSeconds"]);
        // Lambda Developer Guide, services-sqs-configure.
        assert!(hidden >= 6 * number(&function["Timeout"]) + window, "{}", mapping.id);
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn messages_fail_alone_and_no_more_run_at_once_than_the_table_and_ssm_bear() {
    let stack = Stack::deployed(&[]);
    let mappings = mappings(&stack);
    assert_eq!(mappings.len(), 2);
    for mapping in mappings {
        let properties = mapping.properties;
        assert_eq!(properties["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]));
        assert_eq!(number(&properties["ScalingConfig"]["MaximumConcurrency"]), 5);
        let (size, window) =
            (number(&properties["BatchSize"]), number(&properties["MaximumBatchingWindowInSeconds"]));
        let is_prompt = text(&properties["EventSourceArn"]).ends_with("PromptQueue");
        assert_eq!((size, window), if is_prompt { (10, 0) } else { (250, 2) });
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn what_is_never_taken_in_is_put_aside_and_kept_longer_than_where_it_was() {
    let stack = Stack::deployed(&[]);
    let mut aside = BTreeSet::new();
    for mapping in mappings(&stack) {
        let queue = queue(&stack, text(&mapping.properties["EventSourceArn"]));
        let redrive = &queue.properties["RedrivePolicy"];
        // One receive is not enough (SQS Developer Guide, avoiding-inconsistent-message-processing).
        assert!(number(&redrive["maxReceiveCount"]) > 1);
        let dead = self::queue(&stack, text(&redrive["deadLetterTargetArn"]));
        // Four days unless said otherwise (SQS API reference, CreateQueue).
        assert_eq!(queue.properties.get("MessageRetentionPeriod"), None);
        assert!(number(&dead.properties["MessageRetentionPeriod"]) > 4 * 24 * 3600);
        assert!(aside.insert(dead.id), "each has one of its own");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn every_queue_is_encrypted() {
    for queue in Stack::deployed(&[]).of_kind("AWS::SQS::Queue") {
        assert_eq!(queue.properties["SqsManagedSseEnabled"], true, "{}", queue.id);
    }
}
