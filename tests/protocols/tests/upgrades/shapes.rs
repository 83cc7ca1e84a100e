//! What this code writes has the shape of what its release wrote.

use crate::golden::{Golden, RELEASES, kind};
use crate::moments::MOMENTS;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a send's token: as a member's name it is data.
const TOKEN_CHARS: usize = 26;

/// The attributes of each kind of item, with the types they have; of JSON text, its members' too.
type Shape = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn shape(items: &[Value]) -> Shape {
    let mut shape = Shape::new();
    for item in items {
        let attributes = shape.entry(kind(item)).or_default();
        for (name, value) in item.as_object().expect("an item") {
            attribute(name, value, attributes);
        }
    }
    shape
}

fn attribute(name: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("a value");
    found.entry(name.to_owned()).or_default().insert(kind.clone());
    for (key, value) in value.as_object().into_iter().flatten() {
        // A key such as `halt#<token>`.
        let key = key.split('#').next().unwrap_or_default();
        attribute(&format!("{name}.{key}"), value, found);
    }
    let json = value.as_str().filter(|text| text.starts_with(['{', '[']));
    if let Some(json) = json.and_then(|text| serde_json::from_str(text).ok()) {
        member(&format!("{name}:"), &json, found);
    }
}

fn member(path: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let kind = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "members",
    };
    found.entry(path.to_owned()).or_default().insert(kind.to_owned());
    for value in value.as_array().into_iter().flatten() {
        member(&format!("{path}[]"), value, found);
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = if name.len() == TOKEN_CHARS { "*" } else { name };
        member(&format!("{path}.{name}"), value, found);
    }
}

/// What the first has and the second has not.
fn lacking(one: &Shape, other: &Shape) -> Vec<String> {
    let mut lacking = Vec::new();
    for (kind, attributes) in one {
        for (name, types) in attributes {
            let there = other.get(kind).and_then(|attributes| attributes.get(name));
            lacking.extend(
                types
                    .iter()
                    .filter(|of| there.is_none_or(|there| !there.contains(*of)))
                    .map(|of| format!("{kind}: {name} as {of}")),
            );
        }
    }
    lacking
}

/// Whoever sees this test fail has changed what is stored.
///
/// If a release has been made since the last folder was written: let that folder be, raise the workspace's version, add
/// it to [`RELEASES`], and write a new folder with the test that is ignored below. The tests of reading then hold both.
/// If none has been made, write the last folder anew. In either case, if the last release cannot read what is written
/// now (an attribute it needs is gone, or means something else; it would do harm by not knowing a new one), raise
/// `SCHEMA` in the orchestrator's `table/schema.rs` and let the readers take both versions: a release leaves alone
/// what is of a version it does not know.
#[test]
fn this_code_writes_items_of_the_shape_that_the_release_wrote() {
    let release = RELEASES.last().expect("a release");
    let (mut written, mut golden) = (Vec::new(), Vec::new());
    for moment in &MOMENTS {
        written.extend(Golden::played(moment).items);
        golden.extend(Golden::read(release, moment).items);
    }
    let (written, golden) = (shape(&written), shape(&golden));
    let (new, gone) = (lacking(&written, &golden), lacking(&golden, &written));
    assert!(
        new.is_empty() && gone.is_empty(),
        "items are no longer as release {release} writes them; the test's comment says what to do.\n\
         New: {new:#?}\nGone: {gone:#?}"
    );
}

#[test]
fn every_item_bears_the_version_of_its_layout() {
    for moment in &MOMENTS {
        for item in Golden::played(moment).items {
            assert_eq!(item["schema"]["N"], "1", "{}: {item:#}", moment.name);
        }
    }
}

#[test]
fn the_moments_show_every_kind_of_item() {
    let items: Vec<Value> =
        MOMENTS.iter().flat_map(|moment| Golden::read(RELEASES[0], moment).items).collect();
    let kinds: BTreeSet<String> = items.iter().map(kind).collect();
    let all = ["CMD", "DESC", "DIRECT", "DOC", "EXEC", "LIST", "NODE", "OUT", "RES", "SEND", "STEP", "chunk"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

/// Writes the golden items of this version: run by its name, with `--ignored`, once for a release.
#[test]
#[ignore = "writes files: run once for each release"]
fn write_the_golden_items_of_this_release() {
    for moment in &MOMENTS {
        let mut golden = Golden::played(moment);
        golden.answers = golden.ask(moment);
        let path = Golden::path(env!("CARGO_PKG_VERSION"), moment);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        let text = serde_json::to_string_pretty(&golden).expect("JSON");
        std::fs::write(&path, text + "\n").expect("written");
    }
}
