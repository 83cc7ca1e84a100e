//! What a run used: calls, capacity, invocations, deliveries.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::dynamodb::Units;

/// Counts of one simulation, by the name of the function or client and then by action (`ssm:SendCommand`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counters {
    /// AWS calls.
    pub calls: BTreeMap<String, BTreeMap<String, CallCount>>,
    /// DynamoDB's capacity.
    pub capacity: BTreeMap<String, BTreeMap<String, Units>>,
    /// Invocations by function.
    pub functions: BTreeMap<String, FunctionCount>,
    /// Deliveries by what carries them: `topic`, `event`, `schedule`, `queue`.
    pub deliveries: BTreeMap<&'static str, DeliveryCount>,
}

/// Calls of one action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallCount {
    /// Calls the service received.
    pub applied: u64,
    /// Those of them the service answered with an error.
    pub refused: u64,
    /// Calls a fault kept from the service.
    pub lost: u64,
    /// Calls over HTTP by a function whose process was gone before it had the answer.
    pub unheard: u64,
}

/// Invocations of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FunctionCount {
    /// Invocations that began.
    pub invocations: u64,
    /// Those that had to start an execution environment first.
    pub cold_starts: u64,
    /// Those that ended with an error of the function's own.
    pub errors: u64,
    /// Those that ran out of time.
    pub timeouts: u64,
    /// Those that died.
    pub crashes: u64,
    /// Asynchronous events given up after their retries or for their age.
    pub given_up: u64,
    /// Time all invocations took, in virtual milliseconds, each rounded up as it is billed.
    pub milliseconds: u64,
}

/// Deliveries over one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryCount {
    /// Copies that were put under way.
    pub delivered: u64,
    /// Deliveries a fault kept from arriving, and those that had nowhere to go.
    pub dropped: u64,
}

impl Counters {
    /// How often an action reached its service, over all callers.
    pub fn applied(&self, action: &str) -> u64 {
        self.calls.values().filter_map(|actions| actions.get(action)).map(|count| count.applied).sum()
    }

    /// DynamoDB's capacity over all callers.
    pub fn units(&self) -> Units {
        let mut total = Units::default();
        self.capacity.values().flat_map(BTreeMap::values).for_each(|units| total.add(*units));
        total
    }

    pub(crate) fn call(&mut self, caller: &str, action: &str) -> &mut CallCount {
        entry(entry(&mut self.calls, caller), action)
    }

    pub(crate) fn use_units(&mut self, caller: &str, operation: &str, units: Units) {
        if units != Units::default() {
            entry(entry(&mut self.capacity, caller), operation).add(units);
        }
    }

    pub(crate) fn function(&mut self, name: &str) -> &mut FunctionCount {
        entry(&mut self.functions, name)
    }
}

impl FunctionCount {
    pub(crate) fn took(&mut self, duration: Duration) {
        let milliseconds = duration.as_micros().div_ceil(1000);
        self.milliseconds += u64::try_from(milliseconds).unwrap_or(u64::MAX);
    }
}

fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    map.entry(name.to_owned()).or_default()
}
