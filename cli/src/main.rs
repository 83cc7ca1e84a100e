//! The `fleetwright` command.
fn main() {}
