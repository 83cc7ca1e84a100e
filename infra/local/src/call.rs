//! One AWS call from its caller to the service and back, with its latency and what may happen to it.
//!
//! A request that has left is applied even if its caller gives up or dies meanwhile: that is what makes a timeout an
//! unknown outcome instead of a failure.

use std::time::Duration;

use futures::channel::oneshot;
use serde_json::{Value, json};

use crate::clock::later;
use crate::cloud::{Cloud, Pending, Violation};
use crate::connector::PATIENCE;
use crate::dynamodb::Units;
use crate::faults::{Call, Failure, Fault};
use crate::lambda::EnvironmentId;
use crate::names::OWN_KEY;
use crate::protocol::{Answer, Request, Service};
use crate::seed;
use crate::trace::{TraceLine, subject};
use crate::witness::Applied;

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) name: String,
    /// What it may do and where it dies; nothing for a client outside any function, which may do all.
    pub(crate) function: Option<CallingFunction>,
}

impl Caller {
    /// The caller of a request signed with these credentials: whoever acts in a role goes by its name as well.
    pub(crate) fn with_credentials(&self, authorization: Option<&str>) -> Self {
        let key = authorization.and_then(|text| text.split_once("Credential=")?.1.split('/').next());
        match key {
            Some(key) if key != OWN_KEY => Self { name: format!("{} as {key}", self.name), ..self.clone() },
            Some(_) | None => self.clone(),
        }
    }
}

/// The function a call comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallingFunction {
    pub(crate) environment: EnvironmentId,
    pub(crate) operations: &'static [&'static str],
}

/// What comes back, and how long it is under way. Nothing ever comes back to a caller that died.
pub(crate) struct Reply {
    pub(crate) outcome: Result<Answer, Failure>,
    pub(crate) after: Duration,
}

/// A call between its caller and the service.
pub(crate) struct InFlight {
    caller: Caller,
    request: Request,
    after: Duration,
    ending: Ending,
    reply: oneshot::Sender<Reply>,
}

/// What the caller gets once the call was applied.
enum Ending {
    Answer,
    Failure(Failure),
    Crash(EnvironmentId),
}

/// What to do with a call that leaves now.
enum Course {
    Apply { before: Duration, after: Duration, ending: Ending },
    Fail(Failure, Duration),
    Crash(EnvironmentId),
}

impl Cloud {
    /// A call leaves its caller.
    pub(crate) fn begin(&mut self, caller: Caller, request: Request, reply: oneshot::Sender<Reply>) {
        // What is left of a dead invocation does nothing more: dropping `reply` leaves its caller waiting for ever.
        if caller.function.is_some_and(|function| self.crashed.contains(&function.environment)) {
            return;
        }
        let (before, after) = self.latency(request.service);
        if let Some(reason) = caller.function.and_then(|function| forbidden(function, &request)) {
            self.refuse(&caller, &request, reason, before + after, reply);
            return;
        }
        match self.course(&caller, &request, before, after) {
            Course::Apply { before, after, ending } => {
                let at = later(self.now(), before);
                let in_flight = InFlight { caller, request, after, ending, reply };
                self.schedule(at, Pending::Call(Box::new(in_flight)));
            }
            Course::Fail(failure, after) => {
                self.record(&caller, &request, &format!("not applied, {failure:?}"));
                self.counters.call(&caller.name, &request.action()).lost += 1;
                // The caller may be gone already; then nobody wants to know.
                let _ = reply.send(Reply { outcome: seen(failure, &request), after });
            }
            Course::Crash(environment) => {
                self.record(&caller, &request, "not applied, crash");
                self.counters.call(&caller.name, &request.action()).lost += 1;
                self.crashed.insert(environment);
            }
        }
    }

    /// A call has reached its service.
    pub(crate) fn apply(&mut self, call: InFlight) {
        let InFlight { caller, request, after, ending, reply } = call;
        let (answer, units) = self.answer(&caller.name, &request);
        self.tell(&caller.name, &request, &answer, units);
        let count = self.counters.call(&caller.name, &request.action());
        count.applied += 1;
        count.refused += u64::from(answer.error_code().is_some());
        let outcome = answer.error_code().unwrap_or("ok").to_owned();
        let (outcome, seen) = match ending {
            Ending::Answer => (outcome, Ok(answer)),
            Ending::Failure(failure) => (format!("{outcome}, {failure:?}"), seen(failure, &request)),
            Ending::Crash(environment) => {
                self.record(&caller, &request, &format!("{outcome}, crash"));
                self.crashed.insert(environment);
                return;
            }
        };
        self.record(&caller, &request, &outcome);
        let patience = if let Err(Failure::Timeout) = seen { PATIENCE } else { Duration::ZERO };
        // The caller may have given up; the call was applied all the same.
        let _ = reply.send(Reply { outcome: seen, after: after.max(patience) });
    }

    /// Shows whoever looks on what was applied.
    fn tell(&mut self, caller: &str, request: &Request, answer: &Answer, units: Units) {
        let at = self.now();
        if let Some(witness) = &mut self.witness {
            let (dynamodb, ledger) = (&self.dynamodb, self.ssm.ledger());
            witness.on_applied(&Applied { caller, request, answer, units, dynamodb, ledger, at });
        }
    }

    fn course(&mut self, caller: &Caller, request: &Request, before: Duration, after: Duration) -> Course {
        let (index, now) = (self.calls, self.now());
        self.calls += 1;
        let Request { service, operation, body } = request;
        let fault = self.faults.on_call(&Call {
            function: &caller.name,
            service: *service,
            operation,
            body,
            index,
            now,
        });
        let fail = |failure| {
            let patience = if failure == Failure::Timeout { PATIENCE } else { Duration::ZERO };
            Course::Fail(failure, (before + after).max(patience))
        };
        let crash = caller.function.map(|function| function.environment);
        match fault {
            Fault::None => Course::Apply { before, after, ending: Ending::Answer },
            Fault::FailBefore(failure) => fail(failure),
            Fault::FailAfter(failure) if failure.is_refusal() => fail(failure),
            Fault::FailAfter(failure) => Course::Apply { before, after, ending: Ending::Failure(failure) },
            Fault::Slow(more) => Course::Apply { before: before + more, after, ending: Ending::Answer },
            Fault::SlowAfter(more) => Course::Apply { before, after: after + more, ending: Ending::Answer },
            Fault::CrashBefore => crash.map_or_else(|| fail(Failure::Reset), Course::Crash),
            Fault::CrashAfter => {
                let ending = crash.map_or(Ending::Failure(Failure::Reset), Ending::Crash);
                Course::Apply { before, after, ending }
            }
        }
    }

    fn refuse(
        &mut self,
        caller: &Caller,
        request: &Request,
        reason: String,
        after: Duration,
        reply: oneshot::Sender<Reply>,
    ) {
        let (at, action) = (self.now(), request.action());
        let message = format!("function {} may not call {action}: {reason}", caller.name);
        self.record(caller, request, "violation");
        self.violations.push(Violation { at, function: caller.name.clone(), action, reason });
        let answer = Answer::error(400, "AccessDeniedException", &message);
        let _ = reply.send(Reply { outcome: Ok(answer), after });
    }

    fn record(&mut self, caller: &Caller, request: &Request, outcome: &str) {
        self.trace.add_body(&request.body);
        self.trace.add(TraceLine {
            at: self.clock.now(),
            actor: caller.name.clone(),
            operation: request.action(),
            subject: subject(request),
            outcome: outcome.to_owned(),
        });
    }

    /// How long a call takes to reach its service, and the answer to come back.
    fn latency(&mut self, service: Service) -> (Duration, Duration) {
        let milliseconds = Duration::from_millis;
        // Ours, after what the services show from inside a Region: single-digit milliseconds for DynamoDB, more and
        // more varied for the control-plane service that SSM is.
        let (shortest, longest) = match service {
            Service::DynamoDb => (milliseconds(1), milliseconds(4)),
            Service::Ssm => (milliseconds(10), milliseconds(75)),
            Service::Sqs | Service::Sns | Service::EventBridge | Service::Iam | Service::Lambda => {
                (milliseconds(3), milliseconds(9))
            }
        };
        let mut draw = || seed::between(&mut self.random, shortest, longest);
        (draw(), draw())
    }
}

/// Why a function may not make a call, if it may not.
fn forbidden(function: CallingFunction, request: &Request) -> Option<String> {
    let action = request.action();
    if !function.operations.contains(&action.as_str()) {
        return Some("it is not in the function's list of operations".to_owned());
    }
    let inconsistent = request.service == Service::DynamoDb
        && match request.operation.as_str() {
            "GetItem" => !consistent(&request.body),
            "Query" | "Scan" => request.body.get("IndexName").is_none() && !consistent(&request.body),
            "BatchGetItem" => {
                let tables = request.body["RequestItems"].as_object();
                tables.is_some_and(|tables| !tables.values().all(consistent))
            }
            _ => false,
        };
    inconsistent.then(|| "protocol reads are consistent reads, but for queries of an index".to_owned())
}

fn consistent(read: &Value) -> bool {
    read.get("ConsistentRead") == Some(&Value::Bool(true))
}

/// A failure as the caller sees it: an answer, or a broken connection.
fn seen(failure: Failure, request: &Request) -> Result<Answer, Failure> {
    let code = |dynamodb, ssm, sqs, others| match request.service {
        Service::DynamoDb => dynamodb,
        Service::Ssm => ssm,
        Service::Sqs => sqs,
        Service::Sns | Service::EventBridge | Service::Iam | Service::Lambda => others,
    };
    match failure {
        Failure::Timeout | Failure::Reset => Err(failure),
        Failure::Http500 => {
            let code = code("InternalServerError", "InternalServerError", "InternalFailure", "InternalError");
            Ok(Answer::error(500, code, "The request failed for a reason of the service's own"))
        }
        Failure::TransactionConflict if request.service == Service::DynamoDb => Ok(conflict(request)),
        Failure::Throttled | Failure::TransactionConflict => {
            let sqs = "com.amazonaws.sqs#RequestThrottled";
            let code =
                code("ProvisionedThroughputExceededException", "ThrottlingException", sqs, "Throttled");
            Ok(Answer::error(400, code, "Rate exceeded"))
        }
    }
}

/// DynamoDB's answer when another transaction holds an item: here the first one.
fn conflict(request: &Request) -> Answer {
    const MESSAGE: &str = "Transaction is ongoing for the item";
    let Some(items) = request.body["TransactItems"].as_array() else {
        return Answer::error(400, "com.amazonaws.dynamodb.v20120810#TransactionConflictException", MESSAGE);
    };
    let reason = |index| match index {
        0 => json!({ "Code": "TransactionConflict", "Message": MESSAGE }),
        _ => json!({ "Code": "None" }),
    };
    let reasons: Vec<_> = (0..items.len()).map(reason).collect();
    let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let body = json!({ "__type": code, "Message": "Transaction cancelled", "CancellationReasons": reasons });
    Answer { status: 400, body }
}
