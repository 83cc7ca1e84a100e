//! `fleetwright proxy` between a client and function URLs that answer as Lambda's do.

mod stub;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use stub::{Asked, Reply, Stub};

/// A proxy that is ready. It ends with the test.
struct Proxy {
    child: Child,
    /// Where it listens, as `127.0.0.1:PORT`.
    address: String,
}

impl Proxy {
    fn start(read_url: &str, control_url: &str) -> Self {
        let mut command = proxy(read_url, control_url);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("runs");
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        lines.read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let address =
            ready["proxy"].as_str().and_then(|url| url.strip_prefix("http://")).expect("a URL").to_owned();
        Self { child, address }
    }

    /// Sends a request with these headers, and returns the answer as it came.
    fn ask(&self, request: &str, headers: &[&str], body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        let headers = headers.concat().replace("HOST", &self.address);
        let length = body.len();
        let text = format!(
            "{request} HTTP/1.1\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A proxy with credentials of its own and nobody else's.
fn proxy(read_url: &str, control_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command
        .args(["proxy", "--read-url", read_url, "--control-url", control_url])
        .args(["--region", "eu-central-1", "--port", "0", "--format", "json"])
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_SESSION_TOKEN", "session")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

const OWN: &str = "Host: HOST\r\n";

fn function(name: &'static str) -> Stub {
    Stub::start(move |asked| Some(Reply::new(200, format!("{name} {}", asked.path))))
}

fn nowhere() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

fn signature(asked: &Asked) -> &str {
    asked.headers.get("authorization").map_or("", String::as_str)
}

#[test]
fn an_operation_is_signed_for_lambda_and_arrives_as_it_was_sent() {
    let (read, control) = (function("read"), function("control"));
    let proxy = Proxy::start(&read.url, &control.url);
    let body = r#"{"DocumentName":"patch-fleet"}"#;
    let headers = [
        OWN,
        "X-Amz-Target: AmazonSSM.StartAutomationExecution\r\n",
        "Content-Type: application/x-amz-json-1.1\r\n",
        "amz-sdk-invocation-id: 1-2-3\r\n",
        "Authorization: AWS4-HMAC-SHA256 Credential=SOMEBODY/20261120/us-east-1/ssm/aws4_request\r\n",
        "X-Amz-Date: 20200101T000000Z\r\n",
        "X-Amz-Security-Token: somebody's\r\n",
        "Cookie: tasty\r\n",
    ];
    let answer = proxy.ask("POST /", &headers, body);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("control /"), "{answer}");
    let [asked] = control.asked().try_into().expect("one request");
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("POST", body));
    assert_eq!(asked.headers["x-amz-target"], "AmazonSSM.StartAutomationExecution");
    assert_eq!(asked.headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(asked.headers["amz-sdk-invocation-id"], "1-2-3");
    assert_eq!(asked.headers["x-amz-security-token"], "session");
    assert_ne!(asked.headers["x-amz-date"], "20200101T000000Z");
    assert_eq!(format!("http://{}", asked.headers["host"]), control.url);
    assert!(!asked.headers.contains_key("cookie"), "{asked:?}");
    let signed = signature(&asked);
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signed}");
    assert!(signed.contains("/eu-central-1/lambda/aws4_request"), "{signed}");
    for header in ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
        let names =
            signed.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next()).expect("names");
        assert!(names.split(';').any(|name| name == header), "{header} is not signed: {signed}");
    }
    assert!(read.asked().is_empty());
}

#[test]
fn what_reads_goes_to_the_reading_url_and_answers_come_back_whole() {
    let read = Stub::start(|asked| {
        let reply = Reply::new(200, format!("path {}", asked.path));
        let reply = reply.with("content-type", "text/csv").with("x-next-token", "abc");
        Some(
            reply
                .with("connection", "close, x-hop")
                .with("x-hop", "1")
                .with("access-control-allow-origin", "*"),
        )
    });
    let proxy = Proxy::start(&read.url, &nowhere());
    let answer =
        proxy.ask("GET /executions/1/nodes?format=csv&next=a%2Bb", &[OWN, "Accept: text/csv\r\n"], "");
    assert!(answer.ends_with("path /executions/1/nodes?format=csv&next=a%2Bb"), "{answer}");
    for header in ["content-type: text/csv", "x-next-token: abc"] {
        assert!(answer.contains(header), "no `{header}` in {answer}");
    }
    for header in ["x-hop", "access-control"] {
        assert!(!answer.contains(header), "`{header}` in {answer}");
    }
    proxy.ask("POST /", &[OWN, "X-Amz-Target: AmazonSSM.ListCommands\r\n"], "{}");
    let asked = read.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].headers["accept"], "text/csv");
    assert!(asked.iter().all(|asked| signature(asked).contains("/lambda/")), "{asked:?}");
}

#[test]
fn fleetwrights_own_commands_work_through_it() {
    let read = Stub::start(|asked| {
        let is_list = asked.path.starts_with("/executions?") && !signature(asked).is_empty();
        is_list.then(|| Reply::new(200, r#"{"Executions":[]}"#))
    });
    let proxy = Proxy::start(&read.url, &nowhere());
    let run = |arguments: &[&str]| {
        let endpoint = format!("http://{}", proxy.address);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
        command.args(arguments).args(["--endpoint", &endpoint]).output().expect("runs")
    };
    let listed = run(&["results"]);
    assert_eq!((listed.status.code(), listed.stdout), (Some(0), b"No executions.\n".to_vec()));
    let stopped = run(&["stop", "12345678-1234-4123-8123-123456789012"]);
    let told = String::from_utf8_lossy(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with("error: ServiceUnavailableException: no answer from http://127.0.0.1:"),
        "{told}"
    );
}

#[test]
fn errors_of_the_function_are_passed_on() {
    let read = Stub::start(|_| Some(Reply::new(400, r#"{"__type":"InvalidNextToken"}"#)));
    let proxy = Proxy::start(&read.url, &read.url);
    let answer = proxy.ask("POST /", &[OWN, "X-Amz-Target: AmazonSSM.ListCommands\r\n"], "{}");
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.ends_with(r#"{"__type":"InvalidNextToken"}"#),
        "{answer}"
    );
}

#[test]
fn pages_of_other_sites_are_refused_before_anything_is_signed() {
    let function = function("both");
    let proxy = Proxy::start(&function.url, &function.url);
    for headers in [
        &["Host: evil.example\r\n"][..],
        &["Host: evil.example:4567\r\n"],
        &[OWN, "Origin: https://evil.example\r\n"],
        &[OWN, "Origin: null\r\n"],
    ] {
        for request in ["GET /executions", "POST /"] {
            let answer = proxy.ask(request, headers, "{}");
            assert!(answer.starts_with("HTTP/1.1 403"), "{headers:?}: {answer}");
            assert!(answer.contains("AccessDeniedException"), "{headers:?}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
        }
    }
    assert!(function.asked().is_empty());
    let own = proxy.ask("GET /executions", &[OWN, "Origin: http://HOST\r\n"], "");
    assert!(own.starts_with("HTTP/1.1 200"), "{own}");
}

#[test]
fn a_function_url_that_is_down_is_an_error_that_clients_read() {
    let down = nowhere();
    let proxy = Proxy::start(&down, &down);
    let answer = proxy.ask("POST /", &[OWN, "X-Amz-Target: AmazonSSM.ListCommands\r\n"], "{}");
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(
        answer.contains(r#""__type":"ServiceUnavailableException""#) && answer.contains(&down),
        "{answer}"
    );
    let answer = proxy.ask("GET /executions", &[OWN], "");
    assert!(answer.contains(r#""Code":"ServiceUnavailableException""#), "{answer}");
}

#[test]
fn without_credentials_it_does_not_begin() {
    let mut command = proxy("http://127.0.0.1:1", "http://127.0.0.1:1");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    let output = command.env("HOME", "/nonexistent").output().expect("runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with("error: ") && told.contains("AWS credentials") && told.contains("sso login"),
        "{told}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn addresses_that_cannot_be_signed_for_are_named() {
    let output =
        proxy("https://abc.lambda-url.eu-central-1.on.aws", "http://example.com").output().expect("runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--control-url http://example.com: it begins with https://"), "{told}");
}
