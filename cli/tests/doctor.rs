//! `fleetwright doctor` against the embedded cloud, well and sick, and against answers no healthy one gives.
#![cfg(unix)]

mod stub;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use stub::{Reply, Stub};

/// Looks at something that is under way, before it is given up.
const LOOKS: u32 = 20_000;
/// Every check, in the order people read them.
const CHECKS: [&str; 15] = [
    "functions",
    "reconcile may run",
    "schedule rule",
    "schedule fires",
    "reconcile keeps up",
    "command events",
    "notifications",
    "service role",
    "role may publish",
    "queues worked off",
    "dead letters: facts",
    "dead letters: prompt",
    "expiry",
    "this machine's clock",
    "functions' clock",
];
const ROLE: &str = "fleetwright-notifications";

/// `fleetwright local`. It ends with the test.
struct Local {
    child: Child,
    aws: String,
    api: String,
    agent: ureq::Agent,
}

impl Local {
    fn start(arguments: &[&str]) -> Self {
        let mut command = fleetwright();
        command.args(["local", "--aws-port", "0", "--api-port", "0", "--nodes", "3", "--format", "json"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let urls: Value = serde_json::from_str(&line).expect("JSON");
        let url = |port: &str| urls[port].as_str().expect("a URL").to_owned();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { aws: url("aws"), api: url("api"), child, agent }
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = fleetwright();
        command.args(["doctor", "--aws-url", &self.aws, "--endpoint", &self.api]).args(arguments);
        command.output().expect("it runs")
    }

    /// What the doctor finds that is not ok, and its exit status.
    fn troubles(&self) -> (Vec<Value>, Option<i32>) {
        let output = self.doctor(&["--format", "json"]);
        (read(&output).into_iter().filter(|check| check["state"] != "ok").collect(), output.status.code())
    }

    /// An operation of a service that speaks JSON.
    fn json(&self, target: &str, body: &Value) -> Value {
        let request = self.agent.post(&self.aws).header("x-amz-target", target);
        let mut answer = request.send(body.to_string()).expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        assert_eq!(answer.status(), 200, "{target}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// An operation of IAM.
    fn iam(&self, form: &str) {
        let answer = self.agent.post(&self.aws).send(format!("{form}&Version=2010-05-08"));
        assert_eq!(answer.expect("an answer").status(), 200, "{form}");
    }

    fn health(&self) -> Value {
        let mut answer = self.agent.get(format!("{}/health", self.api)).call().expect("an answer");
        serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON")
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing of whoever runs the tests has a say.
fn fleetwright() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetwright"));
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn read(output: &Output) -> Vec<Value> {
    let told = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    report["checks"].as_array().expect("checks").clone()
}

fn names(checks: &[Value]) -> Vec<&str> {
    checks.iter().map(|check| check["check"].as_str().expect("a name")).collect()
}

fn said<'a>(check: &'a Value, member: &str) -> &'a str {
    check[member].as_str().unwrap_or_default()
}

#[track_caller]
fn until(mut reached: impl FnMut() -> bool) {
    assert!((0..LOOKS).any(|_| reached()), "it does not come about");
}

#[test]
fn a_healthy_deployment_is_all_ok() {
    let local = Local::start(&[]);
    let output = local.doctor(&[]);
    let page = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{page}{}", String::from_utf8_lossy(&output.stderr));
    assert!(page.starts_with("fleetwright in us-east-1: all 15 checks are ok\n"), "{page}");
    let lines: Vec<&str> = page.lines().skip(2).collect();
    assert_eq!(lines.len(), CHECKS.len(), "one line a check: {page}");
    for (line, check) in lines.iter().zip(CHECKS) {
        assert!(line.starts_with(check) && line.contains("  ok  "), "{check}: {page}");
        assert!(line.chars().count() <= 100, "{line}");
    }
    let output = local.doctor(&["--format", "json"]);
    assert_eq!((names(&read(&output)).as_slice(), output.status.code()), (CHECKS.as_slice(), Some(0)));
}

#[test]
fn a_rule_that_is_off_is_named_with_the_command_that_switches_it_on() {
    let local = Local::start(&[]);
    local.json("AWSEvents.DisableRule", &json!({ "Name": "command-status" }));
    let output = local.doctor(&[]);
    let page = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{page}");
    assert!(page.contains("1 of 15 checks is wrong"), "{page}");
    assert!(page.contains("command-status is disabled"), "{page}");
    assert!(page.contains("    breaks  Nothing is lost (G3)"), "{page}");
    let mend = format!(
        "    mend    aws events enable-rule --name command-status --region us-east-1 --endpoint-url {}\n",
        local.aws
    );
    assert!(page.contains(&mend), "{page}");
    local.json("AWSEvents.EnableRule", &json!({ "Name": "command-status" }));
    assert_eq!(local.troubles(), (Vec::new(), Some(0)));
}

#[test]
fn a_schedule_that_is_off_is_noticed_by_its_rule_and_by_what_it_no_longer_does() {
    let local = Local::start(&["--speed", "600"]);
    until(|| local.health()["LastReconcileAt"].is_string());
    local.json("AWSEvents.DisableRule", &json!({ "Name": "every-minute" }));
    until(|| {
        let health = local.health();
        let at = |member: &str| health[member].as_str().expect("a moment").parse::<jiff::Timestamp>();
        let (now, last) = (at("Now").expect("a moment"), at("LastReconcileAt").expect("a moment"));
        now.duration_since(last) > jiff::SignedDuration::from_mins(4)
    });
    let (troubles, status) = local.troubles();
    assert_eq!(status, Some(1));
    for (check, words) in [("schedule rule", "every-minute is disabled"), ("schedule fires", "last ran ")] {
        let found = troubles.iter().find(|one| one["check"] == check);
        let found = found.unwrap_or_else(|| panic!("{check} is not among {troubles:#?}"));
        assert_eq!(found["state"], "wrong");
        assert!(said(found, "found").contains(words), "{found}");
        assert!(said(found, "breaks").contains("G3"), "{found}");
    }
}

#[test]
fn poison_that_was_put_aside_is_counted() {
    let local = Local::start(&["--speed", "3600"]);
    let url = |queue: &str| format!("{}/123456789012/{queue}", local.aws);
    let poison = json!({ "QueueUrl": url("prompt"), "MessageBody": "{" });
    local.json("AmazonSQS.SendMessage", &poison);
    let dead = json!({ "QueueUrl": url("prompt-dead"), "AttributeNames": ["ApproximateNumberOfMessages"] });
    until(|| {
        let answer = local.json("AmazonSQS.GetQueueAttributes", &dead);
        answer["Attributes"]["ApproximateNumberOfMessages"] == "1"
    });
    let (troubles, status) = local.troubles();
    let found = troubles.iter().find(|one| one["check"] == "dead letters: prompt").expect("it is noticed");
    assert_eq!((said(found, "found"), status), ("1 message in prompt-dead", Some(1)));
    assert!(said(found, "mend").contains("start-message-move-task"), "{found}");
}

#[test]
fn a_service_role_that_may_not_publish_is_told_from_one_that_is_gone() {
    let local = Local::start(&[]);
    local.iam(&format!("Action=DeleteRolePolicy&RoleName={ROLE}&PolicyName={ROLE}"));
    let (troubles, status) = local.troubles();
    assert_eq!((names(&troubles), status), (vec!["role may publish"], Some(1)), "{troubles:#?}");
    assert!(said(&troubles[0], "found").contains("sns:Publish to run-command is denied"), "{troubles:#?}");
    let allow = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sns%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
    assert!(said(&troubles[0], "mend").starts_with("aws iam put-role-policy --role-name "), "{troubles:#?}");
    let put = "Action=PutRolePolicy&PolicyName=mended";
    local.iam(&format!("{put}&RoleName={ROLE}&PolicyDocument={allow}"));
    assert_eq!(local.troubles(), (Vec::new(), Some(0)), "what was mended is well");
    local.iam(&format!("Action=DeleteRolePolicy&RoleName={ROLE}&PolicyName=mended"));
    let nobody = "%7B%22Statement%22%3A%5B%5D%7D";
    local.iam(&format!("Action=UpdateAssumeRolePolicy&RoleName={ROLE}&PolicyDocument={nobody}"));
    let (troubles, _) = local.troubles();
    assert_eq!(said(&troubles[0], "found"), format!("ssm.amazonaws.com may not assume {ROLE}"));
    local.iam(&format!("Action=DeleteRole&RoleName={ROLE}"));
    let (troubles, _) = local.troubles();
    assert_eq!(names(&troubles), ["service role", "role may publish"], "{troubles:#?}");
    assert_eq!(said(&troubles[0], "found"), format!("there is no role {ROLE}"));
    assert!(said(&troubles[0], "breaks").contains("refuses"), "{troubles:#?}");
    assert_eq!(troubles[1]["state"], "unchecked", "a role that is not there may neither publish nor not");
}

#[test]
fn a_machine_whose_clock_is_off_is_told_so() {
    // An hour passes there in a second here: this machine is soon behind.
    let local = Local::start(&["--speed", "3600"]);
    let (troubles, status) = local.troubles();
    let found = troubles.iter().find(|one| one["check"] == "this machine's clock").expect("it is noticed");
    assert!(said(found, "found").ends_with("behind AWS's"), "{found}");
    assert_eq!(status, Some(1));
}

#[test]
fn a_function_whose_clock_is_off_is_told_by_the_date_of_its_answer() {
    let local = Local::start(&[]);
    let stub = Stub::start(|asked| {
        let health = r#"{"Now":"2026-03-14T02:00:30Z","LastReconcileAt":"2026-03-14T01:59:00Z","OldestDueAt":"2026-03-14T01:50:30Z"}"#;
        let reply = Reply::new(200, health).with("date", "Sat, 14 Mar 2026 02:00:00 GMT");
        (asked.path == "/health").then_some(reply)
    });
    let output = local.doctor(&["--endpoint", &stub.url, "--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "an option is given once: {output:?}");
    let mut command = fleetwright();
    command.args(["doctor", "--aws-url", &local.aws, "--endpoint", &stub.url, "--format", "json"]);
    let output = command.output().expect("it runs");
    let checks = read(&output);
    let troubles: Vec<Value> = checks.into_iter().filter(|check| check["state"] != "ok").collect();
    assert_eq!(names(&troubles), ["reconcile keeps up", "functions' clock"], "{troubles:#?}");
    assert_eq!(said(&troubles[0], "found"), "something has been due for 10 m 00 s");
    assert_eq!(said(&troubles[1], "found"), "it is 30 s ahead of AWS's");
    assert!(said(&troubles[1], "breaks").contains("G4"), "{troubles:#?}");
    let asked: Vec<String> = stub.asked().into_iter().map(|asked| asked.method + " " + &asked.path).collect();
    assert_eq!(asked, ["GET /health"]);
}

#[test]
fn a_deployed_api_is_asked_at_its_function_url_with_a_signature() {
    let stub = Stub::start(|asked| {
        let denied = || Reply::new(403, r#"{"__type":"AccessDeniedException","message":"no"}"#);
        let signed =
            asked.headers.get("authorization").is_some_and(|how| how.contains("/lambda/aws4_request"));
        Some(match asked.path.as_str() {
            "/2021-10-31/functions/night-api-read/url" => {
                let url = format!("http://{}/", asked.headers["host"]);
                Reply::new(200, json!({ "FunctionUrl": url, "AuthType": "AWS_IAM" }).to_string())
            }
            "/health" if signed => {
                let health = r#"{"Now":"2026-03-14T02:00:03Z","LastReconcileAt":"2026-03-14T01:59:00Z"}"#;
                Reply::new(200, health).with("date", "Sat, 14 Mar 2026 02:00:00 GMT")
            }
            _ => denied(),
        })
    });
    let mut command = fleetwright();
    command.args(["doctor", "--stack", "night", "--aws-url", &stub.url, "--format", "json"]);
    let checks = read(&command.output().expect("it runs"));
    let well: Vec<Value> = checks.into_iter().filter(|check| check["state"] == "ok").collect();
    assert_eq!(names(&well), ["schedule fires", "reconcile keeps up", "functions' clock"], "{well:#?}");
    assert_eq!(said(&well[0], "found"), "reconcile ran 1 m 03 s ago");
}

#[test]
fn a_stack_that_is_not_there_is_not_healthy() {
    let local = Local::start(&[]);
    let output = local.doctor(&["--stack", "other", "--format", "json"]);
    let checks = read(&output);
    assert_eq!((checks[0]["state"].as_str(), output.status.code()), (Some("wrong"), Some(1)));
    assert_eq!(said(&checks[0], "found"), "there is no other-reconcile in us-east-1");
    assert!(said(&checks[0], "mend").contains("--stack"), "{}", checks[0]);
    assert_eq!(said(&checks[1], "found"), "there is no function to read it from");
}

#[test]
fn what_may_not_be_read_is_unchecked_with_what_aws_said() {
    let stub = Stub::start(|_| {
        let denied = r#"{"__type":"AccessDeniedException","message":"jane is not authorized"}"#;
        Some(Reply::new(403, denied).with("x-amzn-errortype", "AccessDeniedException"))
    });
    let mut command = fleetwright();
    command.args(["doctor", "--aws-url", &stub.url, "--endpoint", &stub.url, "--format", "json"]);
    let output = command.output().expect("it runs");
    let checks = read(&output);
    assert_eq!(output.status.code(), Some(1));
    let functions = &checks[0];
    assert_eq!(functions["state"], "unchecked", "{checks:#?}");
    assert_eq!(said(functions, "found"), "AccessDeniedException: jane is not authorized");
    assert!(checks.iter().all(|check| check["state"] == "unchecked"), "{checks:#?}");
}

#[test]
fn without_credentials_nothing_is_asked() {
    let mut command = fleetwright();
    let output = command.args(["doctor", "--region", "eu-central-1"]).env("HOME", "/nonexistent").output();
    let output = output.expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: ") && told.contains("AWS credentials"), "{told}");
    let mut command = fleetwright();
    let output = command.args(["doctor"]).env("HOME", "/nonexistent").output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--region"), "{told}");
}
