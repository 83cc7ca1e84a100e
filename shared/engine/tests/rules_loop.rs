//! `aws:loop`, rule by rule (User Guide, automation-action-loop; facts 3.4).

mod common;

use common::loops::{ITEMS, api, fail_in, looping, output, steps, succeed};
use common::{Shell, node, parsed, request};
use fleetwright_engine::{AnswerStatus, Start};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_loop_goes_through_its_items_and_its_steps_say_in_which_round_they_are() {
    let mut shell = Shell::rehearsal(&looping("", ITEMS, &api("one", "")), &["one"]);
    shell.rehearse(succeed);
    assert_eq!(steps(&shell), "one=Success one=Success one=Success each=Success after=Success");
    let rounds: Vec<(u32, Option<Value>)> = shell
        .closed
        .iter()
        .filter_map(|step| step.parent.clone())
        .map(|parent| (parent.iteration, parent.iterator_value))
        .collect();
    assert_eq!(rounds, [(1, Some(json!("a"))), (2, Some(json!("b"))), (3, Some(json!("c")))]);
    let parents = shell.closed.iter().filter_map(|step| step.parent.as_ref());
    assert!(parents.into_iter().all(|parent| parent.name == "each" && parent.ordinal == 0));
    assert_eq!(shell.begun.len(), 1, "it is stored when it begins");
    assert_eq!(shell.ended().0, "Success");
}

/// (Iterators and their type, how many rounds there are or why the loop fails, the source of the rule)
const ITERATORS: [(&str, Result<usize, &str>, &str); 17] = [
    ("Iterators: []", Ok(0), "UG: nothing to iterate over"),
    ("Iterators: [a]", Ok(1), "UG: Iterators"),
    ("Iterators: \"{{ Ids }}\"", Ok(2), "UG example: a reference to a StringList"),
    ("Iterators: [\"{{ Ids }}\", x]", Ok(3), "ours: spliced one level, as InstanceIds"),
    ("Iterators: \"{{ Text }}\"", Err("Iterators: not a list"), "UG: Type StringList"),
    ("Iterators: \"{{ List }}\"", Err("Iterators: not a list"), "3.3: no conversion"),
    ("Iterators: [1]", Ok(1), "UG: IteratorDataType, default String; left unquoted"),
    ("Iterators: [1, 2], IteratorDataType: Integer", Ok(2), "UG: IteratorDataType"),
    (
        "Iterators: [1, \"{{ Text }}\"], IteratorDataType: Integer",
        Err("item 2 is not of type Integer"),
        "UG: IteratorDataType",
    ),
    ("Iterators: ['1', '2'], IteratorDataType: Integer", Ok(2), "UG: Iterators are a StringList"),
    ("Iterators: [true, false], IteratorDataType: Boolean", Ok(2), "UG: IteratorDataType"),
    ("Iterators: ['True'], IteratorDataType: Boolean", Ok(1), "UG: Iterators are a StringList"),
    ("Iterators: [{ Name: a }], IteratorDataType: StringMap", Ok(1), "UG: IteratorDataType"),
    ("Iterators: ['{\"a\": 1}'], IteratorDataType: StringMap", Ok(1), "UG: Iterators are a StringList"),
    (
        "Iterators: [\"{{ Text }}\"], IteratorDataType: StringMap",
        Err("item 1 is not of type StringMap"),
        "UG: IteratorDataType",
    ),
    ("Iterators: [a, b, c], MaxIterations: 2", Ok(2), "UG: MaxIterations"),
    ("Iterators: \"{{ before.Missing }}\"", Err("{{ before.Missing }} has no value"), "3.3"),
];

#[test]
fn what_a_loop_iterates_over_is_a_list_of_the_declared_type() {
    for (iterators, expected, source) in ITERATORS {
        let inputs: String =
            iterators.split(", IteratorDataType").enumerate().fold(String::new(), |text, (at, part)| {
                let part = if at == 0 {
                    part.replace(", MaxIterations", "\n      MaxIterations")
                } else {
                    format!("IteratorDataType{part}")
                };
                text + &format!("      {part}\n")
            });
        let before = "  - name: before\n    action: aws:executeAwsApi\n    inputs: { Service: a, Api: b }\n    outputs: [{ Name: Missing, Selector: '$.Missing', Type: StringList }]\n";
        let inner =
            "        - name: one\n          action: aws:sleep\n          inputs: { Duration: PT0S }\n";
        let list = "  List: { type: String, default: '[1, 2]' }\n";
        let text = format!("{}{list}mainSteps:\n{before}{}", common::HEAD, looping("", &inputs, inner));
        let parameters = BTreeMap::from([("Ids".to_owned(), (0..2).map(node).collect())]);
        let answered = ["before".parse().expect("a step name")].into();
        let mut shell = Shell::of(parsed(&text), Start { parameters, answered, ..request() });
        shell.rehearse(succeed);
        let rounds = shell.closed.iter().filter(|step| step.name == *"one").count();
        match expected {
            Ok(count) => assert_eq!((rounds, shell.ended().0), (count, "Success"), "{iterators}: {source}"),
            Err(why) => {
                assert!(
                    shell.message("each").contains(why),
                    "{iterators}: {source}: {}",
                    shell.message("each")
                );
                assert_eq!((rounds, shell.ended().0), (0, "Failed"), "{iterators}");
            }
        }
    }
}

/// (items, rounds, how the loop ends); UG: "The maximum number of iterators is 100".
#[test]
fn a_loop_has_at_most_a_hundred_items_and_they_leave_nothing_behind() {
    for (items, rounds, status) in [(100, 100, "Success"), (101, 0, "Failed")] {
        let inner = "        - name: one\n          action: aws:sleep\n          inputs: { Duration: PT0S }\n        - name: two\n          action: aws:branch\n          inputs: { Choices: [{ NextStep: three, Variable: \"{{ Text }}\", StringEquals: blue }] }\n        - name: three\n          action: aws:sleep\n          inputs: { Duration: PT0S }\n";
        let mut shell = Shell::new(&looping("", "      Iterators: \"{{ Ids }}\"\n", inner), items);
        let mut most = 0;
        while let Ok(decision) = shell.look() {
            assert!(decision.begun.len() + decision.closed.len() <= 21, "{}", decision.closed.len());
            most = most.max(serde_json::to_string(&shell.execution.head()).expect("json").len());
        }
        assert_eq!(shell.closed.iter().filter(|step| step.name == *"three").count(), rounds);
        assert_eq!(shell.ended().0, status);
        assert!(most < 10_000, "{most} bytes");
    }
}

/// (operator, MaxIterations, rounds, the source of the rule); the condition is asked after each round.
const CONDITIONS: [(&str, &str, usize, &str); 4] = [
    ("StringEquals: blue", "3", 3, "UG: the steps loop while it is true and MaxIterations is not reached"),
    ("StringEquals: red", "3", 1, "UG: evaluated after the steps in the loop complete"),
    ("StringEquals: blue", "1", 1, "UG: MaxIterations"),
    ("StringEquals: blue", "100", 100, "UG: at most 100"),
];

#[test]
fn a_loop_with_a_condition_makes_rounds_while_it_holds() {
    for (operator, max, rounds, source) in CONDITIONS {
        let inputs = format!(
            "      LoopCondition: {{ Variable: \"{{{{ Text }}}}\", {operator} }}\n      MaxIterations: {max}\n"
        );
        let inner =
            "        - name: one\n          action: aws:sleep\n          inputs: { Duration: PT0S }\n";
        let mut shell = Shell::new(&looping("", &inputs, inner), 0);
        shell.run(common::well);
        let counted = shell.closed.iter().filter(|step| step.name == *"one").count();
        assert_eq!((counted, shell.ended().0), (rounds, "Success"), "{operator} {max}: {source}");
    }
}

#[test]
fn a_condition_can_ask_what_the_round_came_to_and_fails_the_loop_if_it_cannot_compare() {
    let inner =
        api("one", &output("Retry", "Boolean")).replace("Item: \"{{ each.CurrentIteratorValue }}\", ", "");
    let inputs = "      LoopCondition: { Variable: \"{{ one.Retry }}\", BooleanEquals: true }\n      MaxIterations: 9\n";
    let text = looping("", inputs, &inner);
    let mut shell = Shell::rehearsal(&text, &["one"]);
    for retry in [json!(true), json!("True"), json!(false)] {
        while shell.execution.open_step().is_none() {
            shell.look().expect("decides");
        }
        let mut answer = shell.reply(AnswerStatus::Success);
        answer.outputs.insert("Retry".to_owned(), retry);
        shell.answer(&answer).expect("is taken");
    }
    shell.rehearse(succeed);
    assert_eq!(steps(&shell), "one=Success one=Success one=Success each=Success after=Success");
    let mut missing = Shell::rehearsal(&text, &["one"]);
    missing.rehearse(succeed);
    assert_eq!(steps(&missing), "one=Success each=Failed");
    assert!(missing.message("each").contains("LoopCondition: {{ one.Retry }} has no value"));
}

/// (the inner step's settings, the loop's, what is executed when round 2 fails, how the execution ends, the source)
const FAILURES: [(&str, &str, &str, &str, &str); 11] = [
    ("", "", "one=Success one=Failed each=Failed", "Failed", "UG: onFailure Abort is the default"),
    (
        "          onFailure: Abort\n",
        "    onFailure: Continue\n",
        "one=Success one=Failed each=Failed",
        "Success",
        "UG: the loop inherits onFailure; the loop is not critical",
    ),
    (
        "          onFailure: Abort\n",
        "    onFailure: Continue\n    isCritical: true\n",
        "one=Success one=Failed each=Failed",
        "Failed",
        "UG: the loop inherits onFailure",
    ),
    (
        "",
        "    onFailure: Continue\n",
        "one=Success one=Failed each=Failed after=Success",
        "Success",
        "UG: the loop's own onFailure",
    ),
    (
        "",
        "    onFailure: step:after\n",
        "one=Success one=Failed each=Failed after=Success",
        "Failed",
        "3.2: isCritical defaults to true",
    ),
    ("", "    isCritical: false\n", "one=Success one=Failed each=Failed", "Success", "3.2: isCritical"),
    (
        "          isCritical: false\n",
        "",
        "one=Success one=Failed each=Failed",
        "Success",
        "3.2: isCritical of the step that failed",
    ),
    (
        "          onFailure: Continue\n",
        "",
        "one=Success one=Failed one=Success each=Success after=Success",
        "Success",
        "3.2: Continue is not critical",
    ),
    (
        "          onFailure: Continue\n          isCritical: true\n",
        "",
        "one=Success one=Failed one=Success each=Success after=Success",
        "Failed",
        "3.2: isCritical if set",
    ),
    (
        "          isEnd: true\n",
        "",
        "one=Success one=Failed each=Failed",
        "Failed",
        "ours: Abort ends more than isEnd does",
    ),
    (
        "          maxAttempts: 2\n",
        "",
        "one=Success one=Failed each=Failed",
        "Failed",
        "3.2: fails only after all attempts",
    ),
];

#[test]
fn a_failure_inside_a_loop_takes_it_along_unless_the_step_goes_on() {
    for (inner, outer, ran, ends, source) in FAILURES {
        let mut shell = Shell::rehearsal(&looping(outer, ITEMS, &api("one", inner)), &["one"]);
        shell.rehearse(fail_in(2));
        assert_eq!((steps(&shell).as_str(), shell.ended().0), (ran, ends), "{inner}{outer}: {source}");
    }
}

#[test]
fn is_end_inside_a_loop_ends_the_round_and_next_step_stays_inside() {
    let inner = api("one", "          nextStep: three\n")
        + &api("two", "")
        + &api("three", "          isEnd: true\n")
        + &api("four", "");
    let mut shell =
        Shell::rehearsal(&looping("", "      Iterators: [a, b]\n", &inner), &["one", "two", "three", "four"]);
    shell.rehearse(succeed);
    assert_eq!(
        steps(&shell),
        "one=Success three=Success one=Success three=Success each=Success after=Success"
    );
}

#[test]
fn the_time_of_a_loop_bounds_all_that_is_inside() {
    /// (what the step inside does on failure, the loop's settings, what is executed, how the execution ends)
    const TABLE: [(&str, &str, &str, &str); 5] = [
        ("Continue", "    timeoutSeconds: 90\n", "rest=Success rest=TimedOut each=TimedOut", "TimedOut"),
        (
            "Continue",
            "    timeoutSeconds: 90\n    onFailure: Continue\n",
            "rest=Success rest=TimedOut each=TimedOut after=Success",
            "Success",
        ),
        (
            "Abort",
            "    timeoutSeconds: 90\n    onFailure: Continue\n",
            "rest=Success rest=TimedOut each=TimedOut after=Success",
            "Success",
        ),
        ("Continue", "    timeoutSeconds: 60\n", "rest=Success each=TimedOut", "TimedOut"),
        (
            "Continue",
            "    timeoutSeconds: 180\n",
            "rest=Success rest=Success rest=Success each=Success after=Success",
            "Success",
        ),
    ];
    for (on_failure, settings, ran, ends) in TABLE {
        let rest = format!(
            "        - name: rest\n          action: aws:sleep\n          onFailure: {on_failure}\n          inputs: {{ Duration: PT1M }}\n"
        );
        let mut shell = Shell::new(&looping(settings, ITEMS, &rest), 0);
        shell.run(common::well);
        assert_eq!((steps(&shell).as_str(), shell.ended().0), (ran, ends), "{on_failure} {settings}");
    }
}
