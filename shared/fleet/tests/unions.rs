//! Facts are united: order and repetition change nothing, and SSM's own answer stands.

use fleetwright_fleet::{
    Asked, Command, Fact, InvocationResult, InvocationShown, NodeId, Outcome, PluginResult, SettledMark,
    Settlement, Subject, Terminal,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

fn node(number: u8) -> NodeId {
    format!("i-{number:017x}").parse().expect("a node id")
}

fn fact(number: Option<u8>, status: Terminal) -> Fact {
    Fact {
        command_id: "a8c7e76f-15f1-4c33-9052-0123456789ab".parse().expect("a command id"),
        subject: number.map_or(Subject::Command, |number| Subject::Node(node(number))),
        status,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn asked(numbers: &[u8]) -> Command {
    let nodes: BTreeSet<NodeId> = numbers.iter().map(|number| node(*number)).collect();
    Command { asked: Some(Asked::Nodes(nodes)), ..Command::default() }
}

fn invocation(number: u8, status: Option<Terminal>, response_code: i32) -> (NodeId, InvocationResult) {
    let word = status.map_or("InProgress", Terminal::as_str).to_owned();
    let plugin =
        PluginResult { name: "run".to_owned(), status: word, response_code, ..PluginResult::default() };
    let result = InvocationResult {
        node: node(number),
        status,
        shown: InvocationShown::default(),
        plugins: vec![plugin],
        shortened: false,
    };
    (node(number), result)
}

fn settlement(target_count: u64, invocations: Vec<(NodeId, InvocationResult)>) -> Settlement {
    Settlement {
        status: Some(Terminal::Incomplete),
        target_count,
        requested_at: Timestamp::UNIX_EPOCH,
        invocations: invocations.into_iter().collect(),
        patch: None,
    }
}

/// All orders of a few things.
fn permutations(items: &[Fact]) -> Vec<Vec<Fact>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

#[test]
fn every_order_and_repetition_of_facts_gives_the_same_command() {
    let facts = [
        fact(Some(1), Terminal::Success),
        fact(Some(2), Terminal::Failed),
        fact(Some(2), Terminal::TimedOut),
        fact(None, Terminal::Failed),
        fact(Some(1), Terminal::Success),
    ];
    let mut expected = asked(&[1, 2]);
    facts.iter().for_each(|fact| expected.fold(fact));
    for order in permutations(&facts) {
        let mut command = asked(&[1, 2]);
        order.iter().chain(&order).for_each(|fact| command.fold(fact));
        assert_eq!(command, expected);
    }
}

#[test]
fn a_command_to_named_nodes_is_complete_when_all_are_terminal_or_ssm_says_so() {
    let mut command = asked(&[1, 2]);
    command.fold(&fact(Some(1), Terminal::Success));
    assert!(!command.is_complete());
    let mut by_nodes = command.clone();
    by_nodes.fold(&fact(Some(2), Terminal::Failed));
    assert!(by_nodes.is_complete());
    command.fold(&fact(None, Terminal::Success));
    assert!(command.is_complete());
}

#[test]
fn a_command_by_targets_is_complete_only_when_ssm_says_so() {
    let mut command = Command { asked: Some(Asked::Targets), ..Command::default() };
    command.fold(&fact(Some(1), Terminal::Success));
    assert!(!command.is_complete());
    command.fold(&fact(None, Terminal::Success));
    assert!(command.is_complete());
    assert!(!command.is_plain_success(), "how many there are, only a settle tells");
}

#[test]
fn a_success_of_the_command_is_no_success_of_its_nodes() {
    let mut command = asked(&[1, 2]);
    command.fold(&fact(Some(1), Terminal::Success));
    command.fold(&fact(None, Terminal::Success));
    assert!(!command.is_plain_success());
    command.fold(&fact(Some(2), Terminal::Success));
    assert!(command.is_plain_success());
}

#[test]
fn nodes_that_were_not_asked_are_left_out() {
    let mut command = asked(&[1]);
    command.fold(&fact(Some(9), Terminal::Failed));
    assert_eq!(command.facts(), 0);
    assert_eq!(command.partition(None).outcome(&node(9)), None);
    assert_eq!(command.partition(None).counts().total(), 1);
}

#[test]
fn of_two_reports_the_worse_counts_until_ssm_has_answered() {
    let mut command = asked(&[1]);
    command.fold(&fact(Some(1), Terminal::Success));
    command.fold(&fact(Some(1), Terminal::Failed));
    assert!(command.is_contradicted());
    assert_eq!(command.progress().outcome(&node(1)), Some(Outcome::Failed));
    let answer = settlement(1, vec![invocation(1, Some(Terminal::Success), 0)]);
    assert_eq!(command.partition(Some(&answer)).outcome(&node(1)), Some(Outcome::Success));
}

#[test]
fn an_events_word_is_not_final_where_it_may_stand_for_a_node_that_ran_or_never_began() {
    let mut command = asked(&[1, 2, 3]);
    command.fold(&fact(Some(1), Terminal::Failed));
    command.fold(&fact(Some(2), Terminal::TimedOut));
    command.fold(&fact(Some(3), Terminal::Success));
    let of = |number| command.partition(None).outcome(&node(number));
    assert_eq!(
        [of(1), of(2)],
        [Some(Outcome::Unknown); 2],
        "Undeliverable and DeliveryTimedOut are told so too"
    );
    assert_eq!(of(3), Some(Outcome::Success));
    command.fold(&fact(Some(2), Terminal::ExecutionTimedOut));
    assert_eq!(command.partition(None).outcome(&node(2)), Some(Outcome::TimedOut), "SSM's own word");
}

#[test]
fn a_finer_word_is_no_contradiction() {
    let mut command = asked(&[1]);
    command.fold(&fact(Some(1), Terminal::TimedOut));
    command.fold(&fact(Some(1), Terminal::DeliveryTimedOut));
    assert!(!command.is_contradicted());
    assert_eq!(command.partition(None).outcome(&node(1)), Some(Outcome::Unknown));
}

#[test]
fn a_settle_is_outdated_only_by_more_facts_that_contradict() {
    let mut command = asked(&[1, 2]);
    command.fold(&fact(Some(1), Terminal::Success));
    let mark = SettledMark { generation: "g".to_owned(), facts: command.facts(), parts: 1 };
    command.fold(&fact(Some(2), Terminal::Success));
    assert!(!command.outdates(&mark), "more, but nothing contradicts");
    command.fold(&fact(Some(1), Terminal::Failed));
    assert!(command.outdates(&mark));
}

#[test]
fn a_settle_never_lowers_what_was_reported() {
    let mut command = asked(&[1]);
    command.fold(&fact(Some(1), Terminal::Success));
    let answer = settlement(1, vec![invocation(1, None, -1)]);
    assert_eq!(command.partition(Some(&answer)).outcome(&node(1)), Some(Outcome::Success));
}

#[test]
fn nodes_ssm_counted_and_never_named_are_unknown_without_an_id() {
    let command = Command { asked: Some(Asked::Targets), ..Command::default() };
    let answer = settlement(5, vec![invocation(1, Some(Terminal::Success), 0)]);
    let counts = command.partition(Some(&answer)).counts();
    assert_eq!((counts.success, counts.unknown, counts.total()), (1, 4, 5));
}

#[test]
fn the_five_outcomes_partition_the_targets() {
    let command = asked(&[1, 2, 3, 4, 5]);
    let answer = settlement(
        5,
        vec![
            invocation(1, Some(Terminal::Success), 0),
            invocation(2, Some(Terminal::Failed), 1),
            invocation(3, Some(Terminal::ExecutionTimedOut), 137),
            invocation(4, Some(Terminal::Undeliverable), -1),
            invocation(5, Some(Terminal::Terminated), -1),
        ],
    );
    let partition = command.partition(Some(&answer));
    let by_outcome: BTreeMap<Outcome, Vec<&NodeId>> =
        Outcome::ALL.into_iter().map(|outcome| (outcome, partition.nodes(outcome).collect())).collect();
    assert!(by_outcome.values().all(|nodes| nodes.len() == 1), "{by_outcome:?}");
    assert_eq!(partition.counts().errors(), 2);
    assert_eq!(partition.counts().success_percentage(), 20);
}
