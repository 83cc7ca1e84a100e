//! Names of requests, by which people find them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The header AWS tells a request's id in.
pub(super) const HEADER: &str = "x-amzn-requestid";

/// Gives each request of a port an id in the form of AWS' own.
#[derive(Clone)]
pub(super) struct RequestIds {
    port: &'static str,
    next: Arc<AtomicU64>,
}

impl RequestIds {
    pub(super) fn new(port: &'static str) -> Self {
        Self { port, next: Arc::default() }
    }

    pub(super) fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{}/{number}", self.port).as_bytes())
            .to_string()
    }
}
