//! Calls that fail, crash, hang, or must not be made.

mod common;

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;
use common::{LIMIT, TABLE, Toy, add, deploy, s, send, simulation, texts};
use fleetwright_local::{
    Call, Environment, Failure, Fault, Faults, Function, Invocation, InvokeError, SdkClients, Simulation,
};
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

/// One fault on the `nth` call of an action, counted from one.
struct Once {
    action: &'static str,
    nth: u64,
    fault: Fault,
}

impl Faults for Once {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        if format!("{}:{}", call.service.prefix(), call.operation) != self.action {
            return Fault::None;
        }
        self.nth -= 1;
        if self.nth == 0 {
            self.nth = u64::MAX;
            return self.fault;
        }
        Fault::None
    }
}

fn run(simulation: &mut Simulation, seconds: u64) {
    simulation.run_until(|_| false, Duration::from_secs(seconds)).unwrap();
}

/// Two messages in one batch, with a fault at the second write.
fn crash(fault: Fault) -> Simulation {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Toy::start);
    simulation.set_faults(Box::new(Once { action: "dynamodb:UpdateItem", nth: 2, fault }));
    send(&mut simulation, &["a", "b"]);
    run(&mut simulation, 10);
    simulation
}

#[test]
fn a_crash_before_a_call_leaves_it_undone_until_the_messages_come_again() {
    let mut simulation = crash(Fault::CrashBefore);
    assert_eq!(texts(&simulation), ["a"]);
    assert_eq!(simulation.cloud().sqs.queue("work").unwrap().len(), 2);
    run(&mut simulation, 30);
    assert_eq!(texts(&simulation), ["a", "b"]);
    let cloud = simulation.cloud();
    let count = cloud.counters.functions["toy"];
    assert_eq!((count.invocations, count.crashes, count.cold_starts), (2, 1, 2));
    assert_eq!(cloud.counters.applied("dynamodb:UpdateItem"), 3);
    assert!(cloud.sqs.queue("work").unwrap().is_empty());
}

#[test]
fn a_crash_after_a_call_leaves_it_done_and_unseen() {
    let mut simulation = crash(Fault::CrashAfter);
    assert_eq!(texts(&simulation), ["a", "b"]);
    assert_eq!(simulation.cloud().sqs.queue("work").unwrap().len(), 2, "nothing was acknowledged");
    run(&mut simulation, 30);
    assert_eq!(simulation.cloud().counters.applied("dynamodb:UpdateItem"), 4);
    assert!(simulation.cloud().sqs.queue("work").unwrap().is_empty());
}

#[test]
fn a_lost_answer_is_a_failure_of_what_was_done() {
    let simulation = crash(Fault::FailAfter(Failure::Reset));
    assert_eq!(texts(&simulation), ["a", "b"]);
    let cloud = simulation.cloud();
    assert_eq!(cloud.counters.functions["toy"].errors, 1);
    assert_eq!(cloud.sqs.queue("work").unwrap().len(), 2);
}

#[test]
fn a_refused_call_is_never_applied() {
    for failure in [Failure::Throttled, Failure::TransactionConflict] {
        let simulation = crash(Fault::FailAfter(failure));
        assert_eq!(texts(&simulation), ["a"]);
        assert_eq!(simulation.cloud().counters.calls["toy"]["dynamodb:UpdateItem"].lost, 1);
    }
}

#[test]
fn a_call_its_caller_gave_up_is_applied_all_the_same() {
    let mut simulation = simulation(1);
    let fault = Fault::Slow(Duration::from_secs(15));
    simulation.set_faults(Box::new(Once { action: "dynamodb:PutItem", nth: 1, fault }));
    let environment = simulation.client("test");
    let (clients, clock) = (SdkClients::new(&environment), environment.clock.clone());
    let begin = simulation.now();
    let given_up = simulation.block_on(
        async move {
            let put = clients.dynamodb.put_item().table_name(TABLE).item("pk", s("a")).item("sk", s("a"));
            let timeout = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(10)).build();
            let config = aws_sdk_dynamodb::Config::builder().timeout_config(timeout);
            assert!(put.customize().config_override(config).send().await.is_err());
            clock.now()
        },
        LIMIT,
    );
    assert_eq!(given_up.unwrap().duration_since(begin).as_secs(), 10);
    assert_eq!(simulation.cloud().dynamodb.items(TABLE).unwrap().len(), 0);
    run(&mut simulation, 6);
    assert_eq!(simulation.cloud().dynamodb.items(TABLE).unwrap().len(), 1);
}

/// Calls what its event names, then sleeps as long as it says.
struct Asked(Environment, SdkClients);

impl Asked {
    fn start(environment: &Environment) -> Arc<dyn Function> {
        Arc::new(Self(environment.clone(), SdkClients::new(environment)))
    }
}

impl Function for Asked {
    fn invoke(&self, event: Value, _: Invocation) -> LocalBoxFuture<'static, Result<Value, String>> {
        let (clock, clients) = (self.0.clock.clone(), self.1.clone());
        Box::pin(async move {
            let get = clients.dynamodb.get_item().table_name(TABLE).key("pk", s("a")).key("sk", s("a"));
            let error = match event["call"].as_str() {
                Some("inconsistent") => get.send().await.err().map(|error| format!("{error:?}")),
                Some("consistent") => {
                    get.consistent_read(true).send().await.err().map(|error| format!("{error:?}"))
                }
                Some("scan") => clients
                    .dynamodb
                    .scan()
                    .table_name(TABLE)
                    .send()
                    .await
                    .err()
                    .map(|error| format!("{error:?}")),
                _ => None,
            };
            clock.sleep(Duration::from_secs(event["sleep"].as_u64().unwrap_or_default())).await;
            add(&clients, "end").await?;
            Ok(json!(error))
        })
    }
}

#[test]
fn a_function_may_only_call_what_its_list_names_and_read_consistently() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Asked::start);
    let answer = simulation.invoke("toy", json!({ "call": "consistent" })).unwrap();
    assert_eq!(answer, Ok(Value::Null));
    for call in ["inconsistent", "scan"] {
        let answer = simulation.invoke("toy", json!({ "call": call })).unwrap().unwrap();
        assert!(answer.as_str().unwrap().contains("AccessDenied"), "{answer}");
    }
    let actions: Vec<_> =
        simulation.cloud().violations.iter().map(|violation| violation.action.clone()).collect();
    assert_eq!(actions, ["dynamodb:GetItem", "dynamodb:Scan"]);
}

#[test]
fn an_invocation_past_its_deadline_is_dropped_where_it_stands() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Asked::start);
    let answer = simulation.invoke("toy", json!({ "sleep": 9 })).unwrap();
    assert_eq!(answer, Ok(Value::Null));
    let begin = simulation.now();
    let answer = simulation.invoke("toy", json!({ "sleep": 11 })).unwrap();
    assert_eq!(answer, Err(InvokeError::TimedOut));
    assert_eq!(simulation.now().duration_since(begin).as_secs(), 10);
    run(&mut simulation, 60);
    assert_eq!(simulation.cloud().counters.applied("dynamodb:UpdateItem"), 1);
}

#[test]
fn a_function_that_is_not_there_is_named() {
    let mut simulation = simulation(1);
    let answer = simulation.invoke("nothing", Value::Null).unwrap();
    assert_eq!(answer, Err(InvokeError::UnknownFunction("nothing".to_owned())));
}
