//! A run is a function of its seed, however it is driven.

mod common;

use std::time::Duration;

use common::{LIMIT, Toy, deploy, simulation, texts};
use fleetwright_local::names::topic_arn;
use fleetwright_local::{
    Call, Delivery, DeliveryFault, Failure, Fault, Faults, Pace, SdkClients, Simulation, SimulationError,
    Stop, VirtualClock,
};
use futures::future::join_all;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Everything goes wrong, at random, by a seed of its own.
struct Chaos(ChaCha8Rng);

impl Faults for Chaos {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        if call.function != "toy" {
            return Fault::None;
        }
        match self.0.random_range(0..12) {
            0 => Fault::CrashBefore,
            1 => Fault::CrashAfter,
            2 => Fault::FailBefore(Failure::Http500),
            3 => Fault::FailAfter(Failure::Timeout),
            4 => Fault::Slow(Duration::from_secs(12)),
            _ => Fault::None,
        }
    }

    fn on_delivery(&mut self, _: &Delivery<'_>) -> DeliveryFault {
        match self.0.random_range(0..6) {
            0 => DeliveryFault::Duplicate(2),
            1 => DeliveryFault::Delay(Duration::from_secs(40)),
            _ => DeliveryFault::Deliver,
        }
    }
}

/// A function under chaos with twenty publications at once.
fn under_chaos(seed: u64) -> Simulation {
    let mut simulation = simulation(seed);
    deploy(&mut simulation, Toy::start);
    simulation.set_faults(Box::new(Chaos(fleetwright_local::seed::generator(seed, "chaos"))));
    let clients = SdkClients::new(&simulation.client("publisher"));
    simulation.spawn(async move {
        let publications = (0..20).map(|index| {
            let publish = clients.sns.publish().topic_arn(topic_arn("news"));
            publish.message(format!("message {index}")).send()
        });
        join_all(publications).await;
    });
    simulation
}

fn run(seed: u64) -> Simulation {
    let mut simulation = under_chaos(seed);
    simulation.run_until(|_| false, LIMIT).unwrap();
    simulation
}

#[test]
fn two_runs_of_a_seed_are_equal_line_by_line() {
    for seed in 0..8 {
        let (one, two) = (run(seed), run(seed));
        assert_eq!(one.cloud().trace.lines(), two.cloud().trace.lines(), "seed {seed}");
        assert_eq!(one.trace_hash(), two.trace_hash(), "seed {seed}");
        assert_eq!(one.cloud().counters, two.cloud().counters, "seed {seed}");
        assert_eq!(texts(&one), texts(&two), "seed {seed}");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(run(1).trace_hash(), run(2).trace_hash());
}

#[test]
fn pacing_changes_nothing_but_the_time_it_takes() {
    let mut paced = under_chaos(3);
    let mut looks = 0;
    let mut pace = Pace { speed: 100_000.0, progress: &mut |_| looks += 1 };
    let outcome = paced.run_paced(|_| false, LIMIT, &mut pace).unwrap();
    assert_eq!(paced.trace_hash(), run(3).trace_hash());
    assert!(matches!(outcome.stop, Stop::Limit | Stop::Idle));
    assert!(looks > 10);
}

#[test]
fn a_skewed_clock_shows_another_time_and_waits_as_long() {
    let mut simulation = simulation(1);
    let skewed: VirtualClock = simulation.clock().skewed(jiff::SignedDuration::from_secs(-10));
    let begin = simulation.now();
    assert_eq!(skewed.now().duration_until(begin).as_secs(), 10);
    let until = skewed.now().saturating_add(Duration::from_secs(5)).unwrap();
    simulation.block_on(async move { skewed.sleep_until(until).await }, LIMIT).unwrap();
    assert_eq!(simulation.now().duration_since(begin).as_secs(), 5);
}

#[test]
fn a_future_that_never_waits_is_an_error_and_not_a_hang() {
    let mut simulation = simulation(1);
    let restless = std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    });
    let error = simulation.block_on(restless, LIMIT).unwrap_err();
    assert!(matches!(error, SimulationError::Livelock { .. }), "{error}");
}

#[test]
fn a_wait_for_what_can_never_happen_ends() {
    let mut simulation = simulation(1);
    let error = simulation.block_on(std::future::pending::<()>(), LIMIT).unwrap_err();
    assert!(matches!(error, SimulationError::NotDone { why: Stop::Idle, .. }), "{error}");
}
