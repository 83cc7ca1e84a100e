//! What the API says of items that a release wrote is what that release said of them.

use crate::golden::{Answered, Golden, RELEASES, put};
use crate::moments::{MOMENTS, Moment};
use fleetwright_protocols::ticks;
use serde_json::{Value, json};

/// Whether an answer says all that was recorded. It may say more.
fn says(answer: &Value, recorded: &Value) -> bool {
    match (answer, recorded) {
        (Value::Object(answer), Value::Object(recorded)) => {
            recorded.iter().all(|(name, value)| answer.get(name).is_some_and(|answer| says(answer, value)))
        }
        (Value::Array(answer), Value::Array(recorded)) => {
            answer.len() == recorded.len() && answer.iter().zip(recorded).all(|(a, r)| says(a, r))
        }
        (answer, recorded) => answer == recorded,
    }
}

fn as_recorded(moment: &Moment, answers: &[Answered], recorded: &[Answered]) {
    for recorded in recorded {
        let answered = answers.iter().find(|a| a.asked == recorded.asked && a.body == recorded.body);
        let answer = &answered.unwrap_or_else(|| panic!("{}: not asked", recorded.asked)).answer;
        assert!(
            says(answer, &recorded.answer),
            "{}: {} {} is answered {answer:#}, and was {:#}",
            moment.name,
            recorded.asked,
            recorded.body,
            recorded.answer
        );
    }
}

#[test]
fn every_read_of_old_items_is_answered_as_it_was() {
    for release in RELEASES {
        for moment in &MOMENTS {
            let golden = Golden::read(release, moment);
            assert!(golden.answers.iter().any(|a| a.answer.get("Refused").is_none()), "{}", moment.name);
            as_recorded(moment, &golden.ask(moment), &golden.answers);
        }
    }
}

/// A later release may add attributes to items, and members to what is kept in them, without a new version.
#[test]
fn items_with_more_in_them_than_this_release_knows_are_read_all_the_same() {
    for moment in &MOMENTS {
        let golden = Golden::read(RELEASES[0], moment);
        let mut run = golden.deploy(moment, |story| story.delivery(ticks().lost()));
        let items: Vec<Value> = golden.items.iter().map(with_more).collect();
        put(&run, &items);
        as_recorded(moment, &golden.ask_in(&mut run), &golden.answers);
    }
}

/// Puts something unknown into an item, and into whatever JSON object it holds.
pub(crate) fn with_more(item: &Value) -> Value {
    let mut item = item.clone();
    for (name, value) in item.as_object_mut().into_iter().flatten() {
        // Of pairs of names and ids a further one is no member.
        if matches!(name.as_str(), "ids" | "text") {
            continue;
        }
        let Some(mut json) = value["S"].as_str().and_then(|text| serde_json::from_str(text).ok()) else {
            continue;
        };
        more(&mut json);
        value["S"] = json!(json.to_string());
    }
    item["from_a_later_release"] = json!({ "S": "kept" });
    item
}

/// Adds a member to each object that is no map of somebody's names.
fn more(json: &mut Value) {
    const MAPS: [&str; 7] =
        ["parameters", "variables", "outputs", "document_outputs", "live", "unsettled", "counts"];
    match json {
        Value::Array(values) => values.iter_mut().for_each(more),
        Value::Object(members) => {
            for (name, value) in &mut *members {
                if !MAPS.contains(&name.as_str()) {
                    more(value);
                }
            }
            // An enum's value is one member by its name; structs have names in lower case.
            if members.keys().all(|name| name.starts_with(|first: char| first.is_ascii_lowercase())) {
                members.insert("from_a_later_release".to_owned(), json!({ "kept": false }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
