//! Commands that an execution environment has seen to go by chunk items. None ever goes back.

use fleetwright_fleet::CommandId;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// More are not under way at once; what is forgotten is seen again.
const KEPT: usize = 256;

/// Their ids.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunked(Arc<Mutex<BTreeSet<CommandId>>>);

impl Chunked {
    pub(super) fn knows(&self, id: &CommandId) -> bool {
        self.0.lock().is_ok_and(|known| known.contains(id))
    }

    pub(super) fn remember(&self, id: &CommandId) {
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= KEPT {
                known.clear();
            }
            known.insert(id.clone());
        }
    }
}
