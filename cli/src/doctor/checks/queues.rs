//! Whether the queues are worked off, and nothing was put aside.

use crate::doctor::account::{Account, Trouble};
use crate::doctor::finding::Finding;
use crate::doctor::wiring::{Found, Wiring, name_in};
use crate::text::plural;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionResponseType};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

const WORKED_OFF: &str = "queues worked off";
/// Of node notifications, and of command events and wakes.
const DEAD_FACTS: &str = "dead letters: facts";
const DEAD_PROMPTS: &str = "dead letters: prompt";
const WAITS: &str = "Nothing is lost while it waits in its queue (G1), but nothing is heard of it: executions go on only \
     when reconcile asks SSM, minutes late. After the queue's retention it is gone.";
const ONE_FOR_ALL: &str = "Poison is to fail alone. Now one message that cannot be read brings back the whole batch it is \
     in, until all of them are in the dead-letter queue.";
const PUT_ASIDE: &str = "What was accepted is stored or here (G1): nothing is lost, and reconcile finds what these told. \
     But they were tried again and again and never taken in, so something is broken, or was; after the queue's \
     retention they are gone.";
const NO_PLACE: &str = "What was accepted is to be stored or put aside (G1). Without a dead-letter queue a message that \
     is never taken in comes back until it is too old, and is lost.";

/// One finding for the mappings, and one for each queue's dead letters.
pub(in crate::doctor) async fn all(account: &Account, wiring: &Wiring) -> Vec<Finding> {
    let mut findings = vec![mappings(account, wiring)];
    match wiring.queues() {
        Ok(queues) => {
            for arn in queues {
                findings.push(dead_letters(account, wiring, arn).await);
            }
        }
        Err(trouble) => {
            findings.extend([DEAD_FACTS, DEAD_PROMPTS].map(|check| Finding::unchecked(check, &trouble)));
        }
    }
    findings
}

fn mappings(account: &Account, wiring: &Wiring) -> Finding {
    let mappings = match &wiring.mappings {
        Ok(mappings) => mappings,
        Err(trouble) => return Finding::unchecked(WORKED_OFF, trouble.with_function()),
    };
    if mappings.is_empty() {
        let found = format!("{} works off no queue", wiring.function("on-command-event"));
        return Finding::wrong(WORKED_OFF, found, WAITS, wiring.deploy(account));
    }
    let update = |mapping: &EventSourceMappingConfiguration, how: &str| {
        let uuid = mapping.uuid().unwrap_or_default();
        account.aws(&format!("lambda update-event-source-mapping --uuid {uuid} {how}"))
    };
    for mapping in mappings {
        let queue = queue_of(mapping);
        let state = mapping.state().unwrap_or_default();
        // Of one that is being changed nobody can say more.
        if state.starts_with("Disabl") {
            let found = format!("that of {queue} is {state}");
            return Finding::wrong(WORKED_OFF, found, WAITS, update(mapping, "--enabled"));
        }
        if !mapping.function_response_types().contains(&FunctionResponseType::ReportBatchItemFailures) {
            let found = format!("that of {queue} does not report which messages of a batch failed");
            let mend = update(mapping, "--function-response-types ReportBatchItemFailures");
            return Finding::wrong(WORKED_OFF, found, ONE_FOR_ALL, mend);
        }
    }
    let mut queues: Vec<&str> = mappings.iter().map(queue_of).collect();
    queues.sort_unstable();
    Finding::ok(WORKED_OFF, format!("{}, message by message", queues.join(" and ")))
}

fn queue_of(mapping: &EventSourceMappingConfiguration) -> &str {
    name_in(mapping.event_source_arn().unwrap_or_default())
}

/// A queue that messages are put aside in.
struct Aside {
    arn: String,
    url: String,
    messages: u64,
}

async fn dead_letters(account: &Account, wiring: &Wiring, arn: &str) -> Finding {
    let queue = name_in(arn);
    let is_prompt = wiring.prompt_queue().is_ok_and(|prompt| prompt == Some(queue));
    let check = if is_prompt { DEAD_PROMPTS } else { DEAD_FACTS };
    let aside = match aside(account, arn).await {
        Ok(Some(aside)) => aside,
        Ok(None) => {
            let found = format!("{queue} has no dead-letter queue");
            return Finding::wrong(check, found, NO_PLACE, wiring.deploy(account));
        }
        Err(trouble) if trouble.is_absence() => {
            let found = format!("{queue}, or its dead-letter queue, is not there");
            return Finding::wrong(check, found, NO_PLACE, wiring.deploy(account));
        }
        Err(trouble) => return Finding::unchecked(check, format!("{queue}: {trouble}")),
    };
    let Aside { arn, url, messages } = aside;
    if messages == 0 {
        return Finding::ok(check, format!("{} is empty", name_in(&arn)));
    }
    let look = format!("sqs receive-message --queue-url {url} --max-number-of-messages 10");
    let again = format!("sqs start-message-move-task --source-arn {arn}");
    let mend = format!("{}\n{}", account.aws(&look), account.aws(&again));
    Finding::wrong(check, format!("{} in {}", plural(messages, "message"), name_in(&arn)), PUT_ASIDE, mend)
}

async fn aside(account: &Account, arn: &str) -> Found<Option<Aside>> {
    let policy = attribute(account, &url(account, arn).await?, QueueAttributeName::RedrivePolicy).await?;
    let policy: Value = policy.and_then(|policy| serde_json::from_str(&policy).ok()).unwrap_or_default();
    let Some(arn) = policy["deadLetterTargetArn"].as_str().map(str::to_owned) else { return Ok(None) };
    let url = url(account, &arn).await?;
    let mut messages = 0;
    // What somebody is looking at just now is there as well.
    for name in [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ] {
        let count = attribute(account, &url, name).await?;
        messages += count.and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Some(Aside { arn, url, messages }))
}

/// The URL of a queue: `arn:aws:sqs:REGION:ACCOUNT:NAME`.
async fn url(account: &Account, arn: &str) -> Found<String> {
    let owner = arn.split(':').nth(4).map(str::to_owned);
    let asked = account.sqs.get_queue_url().queue_name(name_in(arn)).set_queue_owner_aws_account_id(owner);
    Ok(asked.send().await.map_err(Trouble::from)?.queue_url.unwrap_or_default())
}

async fn attribute(account: &Account, url: &str, name: QueueAttributeName) -> Found<Option<String>> {
    let asked = account.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
    let mut attributes = asked.send().await.map_err(Trouble::from)?.attributes.unwrap_or_default();
    Ok(attributes.remove(&name))
}
