//! What an execution would cost, and what the same steps would cost as an SSM Automation. An estimate: list prices of
//! us-east-1 without free tiers, storage, logs and data transfer, and Lambda for as long as it took in virtual time.
//!
//! The prices are AWS's as third parties copied them, since AWS's own price pages cannot be read by a program.

use crate::report::Usage;
use crate::snapshot::StepSight;
use crate::text;
use serde::Serialize;

/// When the prices below were found; their sources have dates of their own.
pub(crate) const LOOKED_UP: &str = "November 2026";
const MILLION: f64 = 1e6;
/// A million write request units of DynamoDB on demand
/// (<https://github.com/aws-samples/sample-llm-search-citation-analysis-with-amazon-bedrock/pull/60>, May 2026).
const DYNAMODB_WRITES: f64 = 0.625;
/// A million read request units (the same source).
const DYNAMODB_READS: f64 = 0.125;
/// A million invocations of Lambda functions (the same source).
const LAMBDA_INVOCATIONS: f64 = 0.20;
/// A gigabyte of a Lambda function's memory for a second, on arm64: four fifths of the price for x86 that the same
/// source has. Confirmed by nobody.
const LAMBDA_GB_SECOND: f64 = 0.000_013_333_4;
/// The memory the functions are meant to have, in gigabytes: 256 MB.
const LAMBDA_GB: f64 = 0.25;
/// A million requests to standard queues of SQS (<https://awsnegotiations.com/sqs-sns-cost-optimization.html>).
const SQS_REQUESTS: f64 = 0.40;
/// A million messages published to standard topics of SNS
/// (<https://www.factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols/>).
const SNS_PUBLISHES: f64 = 0.50;
/// One step of an SSM Automation (a cost document of CrowdStrike's, 2025). There is no free tier any more (SSM User
/// Guide, systems-manager-automation).
const AUTOMATION_STEP: f64 = 0.002;
/// Prices are given to so many parts of a dollar.
const PARTS: f64 = 1e6;

/// What an execution costs in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Price {
    /// With Fleetwright.
    pub(crate) here: f64,
    /// As SSM Automation with an execution per node (Targets and TargetParameterName), which is how it gives results
    /// per node.
    pub(crate) ssm_automation: f64,
    /// As one SSM Automation execution, which knows no results per node.
    pub(crate) ssm_automation_one_execution: f64,
}

impl Price {
    /// Of what was used, and of the steps that ran.
    pub(crate) fn of(usage: &Usage, steps: &[StepSight]) -> Self {
        let per_node: u64 = steps.iter().map(executions_per_node).sum();
        Self {
            here: rounded(here(usage)),
            ssm_automation: rounded(number(per_node) * AUTOMATION_STEP),
            ssm_automation_one_execution: rounded(number(steps.len() as u64) * AUTOMATION_STEP),
        }
    }
}

/// A fleet step runs once in the execution of each node, any other once. A second attempt is the same step.
fn executions_per_node(sight: &StepSight) -> u64 {
    let reported = sight.counts.map(|counts| counts.total());
    sight.total.max(reported).unwrap_or(1)
}

/// AWS's own events are free, and so are the deliveries of SNS to a queue. What SNS and EventBridge put into a queue
/// is counted as a request to SQS all the same, so that the estimate is rather too high than too low.
fn here(usage: &Usage) -> f64 {
    let invocations: u64 = usage.invocations.values().sum();
    let gb_seconds = number(usage.milliseconds) / 1000.0 * LAMBDA_GB;
    let requests = usage.total("sqs") + usage.notifications + usage.events;
    let per_million = usage.units.write * DYNAMODB_WRITES
        + usage.units.read * DYNAMODB_READS
        + number(invocations) * LAMBDA_INVOCATIONS
        + number(requests) * SQS_REQUESTS
        + number(usage.notifications) * SNS_PUBLISHES;
    per_million / MILLION + gb_seconds * LAMBDA_GB_SECOND
}

/// Counts here are far below where this loses digits.
const fn number(count: u64) -> f64 {
    count as f64
}

fn rounded(dollars: f64) -> f64 {
    (dollars * PARTS).round() / PARTS
}

/// `$1,234.50`, `$0.35`, `$0.0123`, `less than $0.0001`.
pub(crate) fn dollars(amount: f64) -> String {
    if amount > 0.0 && amount < 0.000_1 {
        return "less than $0.0001".to_owned();
    }
    let decimals = if amount < 0.1 { 4 } else { 2 };
    let text = format!("{amount:.decimals$}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), text::grouped);
    format!("${whole}.{:0<2}", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleetwright_engine::{Status, StepExecution};
    use fleetwright_fleet::Counts;
    use fleetwright_local::dynamodb::Units;
    use jiff::Timestamp;
    use std::collections::BTreeMap;

    fn sight(action: &str, nodes: Option<u64>, attempt: u32) -> StepSight {
        let step = StepExecution {
            ordinal: 0,
            name: "step".parse().expect("a name"),
            action: action.to_owned(),
            attempt,
            status: Status::Success,
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: Some(Timestamp::UNIX_EPOCH),
            deadline: None,
            work: None,
            commands: Vec::new(),
            counts: nodes.map(|success| Counts { success, ..Counts::default() }),
            without_command: Vec::new(),
            targets: None,
            outputs: BTreeMap::new(),
            failure_message: None,
            next_step: None,
            parent: None,
        };
        StepSight { counts: step.counts, total: nodes, step }
    }

    #[test]
    fn three_steps_on_ten_thousand_nodes_are_sixty_dollars_of_ssm_automation() {
        let steps = [1, 1, 1].map(|attempt| sight("aws:runCommand", Some(10_000), attempt));
        let price = Price::of(&Usage::default(), &steps);
        let expected = Price { here: 0.0, ssm_automation: 60.0, ssm_automation_one_execution: 0.006 };
        assert_eq!(price, expected);
    }

    #[test]
    fn a_step_counts_once_for_each_time_it_ran_but_not_for_its_attempts() {
        // 120 + 1 + 11 + 0 + 1 steps of $0.002.
        let steps = [
            sight("aws:runCommand", Some(120), 3),
            sight("aws:branch", None, 1),
            sight("aws:runCommand", Some(11), 1),
            sight("aws:runCommand", Some(0), 1),
            sight("aws:branch", None, 1),
        ];
        let price = Price::of(&Usage::default(), &steps);
        let expected = Price { here: 0.0, ssm_automation: 0.266, ssm_automation_one_execution: 0.01 };
        assert_eq!(price, expected);
    }

    #[test]
    fn an_open_fleet_step_counts_the_nodes_it_is_for() {
        let mut open = sight("aws:runCommand", Some(120), 1);
        open.counts = Some(Counts { success: 7, ..Counts::default() });
        assert_eq!(executions_per_node(&open), 120);
        open.total = None;
        assert_eq!(executions_per_node(&open), 7);
    }

    #[test]
    fn what_was_used_is_priced_service_by_service() {
        let usage = Usage {
            // 15,000 requests, and 10,000 + 5,000 messages that were put into queues: 30,000 × $0.40 = $0.012.
            calls: BTreeMap::from([
                ("sqs.ReceiveMessage".to_owned(), 8_000),
                ("sqs.DeleteMessageBatch".to_owned(), 7_000),
                ("ssm.SendCommand".to_owned(), 1_000_000),
            ]),
            // 40,000 × $0.625 = $0.025, 80,000 × $0.125 = $0.01.
            units: Units { read: 80_000.0, write: 40_000.0 },
            // 10,000 × $0.20 = $0.002.
            invocations: BTreeMap::from([("api-control".to_owned(), 1_000), ("reconcile".to_owned(), 9_000)]),
            // 2,000 s × 0.25 GB × $0.0000133334 = $0.0066667.
            milliseconds: 2_000_000,
            // 10,000 × $0.50 = $0.005.
            notifications: 10_000,
            events: 5_000,
        };
        assert_eq!(Price::of(&usage, &[]).here, 0.060_667);
    }

    #[test]
    fn dollars_have_the_digits_that_matter() {
        for (amount, text) in [
            (0.0, "$0.00"),
            (0.000_02, "less than $0.0001"),
            (0.012_34, "$0.0123"),
            (0.018, "$0.018"),
            (0.02, "$0.02"),
            (0.266, "$0.27"),
            (60.0, "$60.00"),
            (1_234.5, "$1,234.50"),
        ] {
            assert_eq!(dollars(amount), text);
        }
    }
}
