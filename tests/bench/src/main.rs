//! `fleetwright-bench`: measures.

use fleetwright_bench::throughput::Function;

fn main() {
    let function = Function::record();
    function.round();
    println!("{:.0} events/s", function.events_per_second(101));
}
