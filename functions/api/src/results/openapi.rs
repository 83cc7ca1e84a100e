//! The description of the results API. It is made from its handlers and types by a test, which holds that what stands in
//! `openapi.json` is still so: at run time it is a text.

/// What is answered.
const TEXT: &str = include_str!("../../openapi.json");

/// This description.
#[cfg_attr(test, utoipa::path(get, path = "/openapi.json", tag = "description", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
)))]
pub(super) const fn openapi() -> &'static str {
    TEXT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::route::PATHS;
    use crate::results::tables::Table;
    use crate::results::{commands, executions, health, nodes};
    use fleetwright_wire::results::{GroupList, NodeList};
    use serde_json::Value;
    use std::collections::BTreeSet;
    use utoipa::OpenApi;

    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Fleetwright results",
            description = "What became of a fleet: executions, steps, nodes, groups and timelines. Everything is read-only.",
            license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        ),
        paths(
            executions::executions,
            executions::execution,
            executions::steps,
            executions::summary,
            executions::timeline,
            nodes::nodes,
            nodes::groups,
            commands::summary,
            commands::node,
            health::health,
            super::openapi,
        )
    )]
    struct Api;

    /// Where what is answered stands.
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

    fn generated() -> Value {
        serde_json::to_value(Api::openapi()).expect("JSON")
    }

    fn written() -> Value {
        serde_json::from_str(openapi()).expect("JSON")
    }

    #[test]
    fn it_is_what_handlers_and_types_say() {
        let how = "cargo test --package api --lib -- --ignored written_anew";
        assert!(
            written() == generated(),
            "functions/api/openapi.json is of another day; write it with: {how}"
        );
    }

    #[test]
    #[ignore = "writes openapi.json"]
    fn it_is_written_anew() {
        std::fs::write(FILE, format!("{:#}\n", generated())).expect("it is written");
    }

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn it_describes_every_path_there_is_and_no_other() {
        let written = written();
        assert!(
            written["openapi"].as_str().expect("a version").starts_with("3.1."),
            "{}",
            written["openapi"]
        );
        let described: BTreeSet<&str> =
            written["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
        assert_eq!(described, PATHS.iter().map(|(path, _)| *path).collect());
        for (path, methods) in written["paths"].as_object().expect("paths") {
            assert_eq!(methods.as_object().expect("methods").keys().collect::<Vec<_>>(), ["get"], "{path}");
            let parameters = methods["get"]["parameters"].as_array();
            let in_path = parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "path");
            assert_eq!(in_path.count(), path.matches('{').count(), "{path}");
        }
    }

    #[test]
    fn everything_it_refers_to_is_in_it() {
        let written = written();
        let mut found = Vec::new();
        references(&written, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let at = reference.strip_prefix('#').expect("a reference within");
            assert!(written.pointer(at).is_some(), "{reference}");
        }
    }

    #[test]
    fn operations_are_told_apart_by_their_ids() {
        let written = written();
        let paths = written["paths"].as_object().expect("paths").values();
        let ids: Vec<&str> = paths.map(|path| path["get"]["operationId"].as_str().expect("an id")).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn tables_have_a_column_for_every_member() {
        let written = written();
        for (row, columns) in [("NodeResult", NodeList::COLUMNS), ("Group", GroupList::COLUMNS)] {
            let members = written["components"]["schemas"][row]["properties"].as_object().expect("members");
            let members: BTreeSet<&str> = members.keys().map(String::as_str).collect();
            assert_eq!(members, columns.iter().copied().collect(), "{row}");
        }
    }
}
