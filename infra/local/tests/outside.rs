//! Functions outside the embedded cloud: behind an endpoint that speaks Lambda's Invoke API.

use std::net::Ipv4Addr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use fleetwright_local::fleet::Fleet;
use fleetwright_local::serve::{Console, LambdaEndpoint, ServeError, ServeOptions, Server};
use futures::FutureExt;
use futures::channel::oneshot;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// A function that says who it is, and one that fails.
async fn invoke(Path(function): Path<String>, event: String) -> Response {
    let event: Value = serde_json::from_str(&event).expect("an event is JSON");
    if function == "api-control" {
        let error = json!({ "errorType": "Runtime.ExitError", "errorMessage": "signal: killed" });
        return ([("x-amz-function-error", "Unhandled")], error.to_string()).into_response();
    }
    let body = json!({ "function": function, "path": event["rawPath"] });
    json!({ "statusCode": 200, "body": body.to_string() }).to_string().into_response()
}

/// A cloud whose functions are outside, until it is dropped.
struct Served {
    aws: String,
    api: String,
    agent: ureq::Agent,
    console: Console,
    over: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Served {
    fn start() -> Self {
        let (tell, ready) = mpsc::channel();
        let (over, is_over) = oneshot::channel();
        let server = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let url = format!("http://{}/", listener.local_addr()?);
                let lambda = Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke));
                drop(tokio::spawn(async { axum::serve(listener, lambda).await }));
                let server = Server::start(ServeOptions {
                    aws_port: 0,
                    api_port: 0,
                    fleet: Fleet::plain(3, 3),
                    documents: Vec::new(),
                    data: None,
                    seed: 3,
                    speed: 1.0,
                    functions: Some(url.parse().expect("a URL")),
                })
                .await?;
                let _ = tell.send((server.aws_url(), server.api_url(), server.console()));
                server.run(is_over.map(drop)).await
            })
        });
        let (aws, api, console) = ready.recv().expect("it starts");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { aws, api, agent, console, over, server }
    }

    fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        Self::answer(self.agent.get(format!("{}{path}", self.api)).call())
    }

    fn post(&self, url: &str, access_key: &str, operation: &str) -> (u16, Value) {
        let key = format!("AWS4-HMAC-SHA256 Credential={access_key}/20260314/us-east-1/ssm/aws4_request");
        let request = self.agent.post(url).header("x-amz-target", format!("AmazonSSM.{operation}"));
        Self::answer(request.header("authorization", format!("{key}, Signature=0")).send("{}"))
    }

    fn at_console<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut fleetwright_local::Deployment) -> T + Send + 'static,
    ) -> T {
        futures::executor::block_on(self.console.run(work)).expect("it runs")
    }

    fn end(self) {
        let Self { console, over, server, .. } = self;
        drop((console, over));
        server.join().expect("it ends").expect("it ends well");
    }
}

#[test]
fn an_event_goes_outside_and_the_answer_comes_back() {
    let served = Served::start();
    assert_eq!(served.get("/executions"), (200, json!({ "function": "api-read", "path": "/executions" })));
    let (status, failure) = served.post(&served.api, "jane", "StartAutomationExecution");
    assert_eq!(status, 502, "{failure}");
    assert!(failure.to_string().contains("Runtime.ExitError signal: killed"), "{failure}");
    let errors = served
        .at_console(|deployment| deployment.simulation.cloud().counters.functions["api-control"].errors);
    assert_eq!(errors, 1, "as Lambda counts them");
    served.end();
}

#[test]
fn a_function_outside_is_held_to_its_list_of_operations_and_nobody_else_is() {
    let served = Served::start();
    for caller in ["api-read", "on-command-event", "jane"] {
        let (status, answer) = served.post(&served.aws, caller, "SendCommand");
        let is_denied = answer.to_string().contains("AccessDeniedException");
        // The others' requests are looked at, and found to name no document.
        assert_eq!((status, is_denied), (400, caller == "api-read"), "{caller}: {answer}");
    }
    let violations = served.at_console(|deployment| deployment.simulation.cloud().violations.clone());
    let who: Vec<_> = violations.iter().map(|one| (one.function.as_str(), one.action.as_str())).collect();
    assert_eq!(who, [("api-read", "ssm:SendCommand")]);
    served.end();
}

#[test]
fn the_same_cloud_goes_on_with_functions_of_its_own() {
    let served = Served::start();
    served.at_console(fleetwright_local::Deployment::embed_functions);
    let (status, answer) = served.post(&served.api, "jane", "DescribeAutomationExecutions");
    assert_eq!((status, &answer["AutomationExecutionMetadataList"]), (200, &json!([])), "{answer}");
    served.end();
}

#[test]
fn an_endpoint_is_a_url_that_can_be_asked() {
    for text in ["http://127.0.0.1:9000", "http://localhost:9000/base/"] {
        assert!(text.parse::<LambdaEndpoint>().is_ok(), "{text}");
    }
    for text in ["", "127.0.0.1:9000", "https://127.0.0.1", "http://", "/functions", "http://a?b"] {
        assert!(text.parse::<LambdaEndpoint>().is_err(), "{text}");
    }
}
