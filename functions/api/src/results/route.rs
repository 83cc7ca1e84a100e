//! Paths.

use matchit::Router;
use percent_encoding::percent_decode_str;
use std::sync::LazyLock;

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Executions,
    Execution,
    Steps,
    Summary,
    Nodes,
    Groups,
    Timeline,
    Command,
    Node,
    Health,
    OpenApi,
}

/// Where it is.
pub(super) const PATHS: [(&str, Resource); 11] = [
    ("/executions", Resource::Executions),
    ("/executions/{id}", Resource::Execution),
    ("/executions/{id}/steps", Resource::Steps),
    ("/executions/{id}/summary", Resource::Summary),
    ("/executions/{id}/nodes", Resource::Nodes),
    ("/executions/{id}/groups", Resource::Groups),
    ("/executions/{id}/timeline", Resource::Timeline),
    ("/commands/{id}/summary", Resource::Command),
    ("/nodes/{id}", Resource::Node),
    ("/health", Resource::Health),
    ("/openapi.json", Resource::OpenApi),
];

static ROUTER: LazyLock<Router<Resource>> = LazyLock::new(|| {
    let mut router = Router::new();
    for (path, resource) in PATHS {
        // Two paths that exclude each other would be found by the test below.
        if router.insert(path, resource).is_err() {
            tracing::error!(path, "not routed");
        }
    }
    router
});

/// A resource, and whose it is; empty where it is nobody's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) resource: Resource,
    pub(super) id: String,
}

/// What there is at a path, whose parts are percent-encoded.
pub(super) fn find(path: &str) -> Option<Route> {
    let found = ROUTER.at(path).ok()?;
    let id = percent_decode_str(found.params.get("id").unwrap_or_default()).decode_utf8().ok()?;
    Some(Route { resource: *found.value, id: id.into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_to_its_resource() {
        for (path, resource) in PATHS {
            let id = if path.contains("{id}") { "one/two ü" } else { "" };
            let found = find(&path.replace("{id}", "one%2Ftwo%20%C3%BC"));
            assert_eq!(found, Some(Route { resource, id: id.to_owned() }), "{path}");
        }
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in
            ["", "/", "/executions/", "/executions/a/b", "/executions/a/nodes/b", "/nodes", "/nodes/%FF"]
        {
            assert_eq!(find(path), None, "{path}");
        }
    }
}
