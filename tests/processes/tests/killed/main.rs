//! Real processes die of SIGKILL for a minute, at random moments; then their work is finished, and nothing is lost, sent
//! twice, or shown otherwise than it was.

mod checks;
mod client;
mod clock;
mod stage;
mod trouble;
mod workload;

use checks::Finding;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stage::Stage;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use workload::Workload;

/// How long processes are killed.
const CHAOS: Duration = Duration::from_mins(1);
/// A run that kills fewer has proved nothing.
const KILLS_MIN: usize = 20;
/// As is one that kills nobody at work.
const KILLS_AT_WORK_MIN: usize = 5;

#[test]
#[ignore = "takes a minute of real time: cargo xtask test runs it beside the others"]
fn processes_that_are_killed_lose_nothing_and_send_nothing_twice() {
    let seed = seed();
    println!("seed {seed}");
    let mut stage = Stage::set(seed);
    let (client, console) = (stage.client(), stage.console());
    let workload = Workload::draw(seed);
    let begun = clock::now();
    let (kills, done) = thread::scope(|scope| {
        let work = scope.spawn(|| workload.run(&client, &console));
        let kills = kill(&mut stage, seed);
        println!("killed for {:.1?}", begun.elapsed());
        (kills, work.join())
    });
    let done = done.expect("the work is asked for");
    let asked = begun.elapsed();
    let finding = stage.heal(move |deployment| Finding::of(deployment, &done));
    println!("{kills}\n{finding}\nasked for in {asked:.1?}, healed in {:.1?}", begun.elapsed() - asked);
    assert!(finding.wrong.is_empty(), "seed {seed}:\n{}", finding.wrong.join("\n"));
    assert!(kills.total() >= KILLS_MIN, "too few died: {kills}");
    assert!(kills.at_work() >= KILLS_AT_WORK_MIN, "too few died at work: {kills}");
    assert!(finding.unheard("ssm:SendCommand") > 0, "nobody died in the middle of SendCommand");
    stage.clear();
}

/// What is random follows from it, but for what the machine makes of it.
fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a seed that failed can be run again")]
    let given = std::env::var("FLEETWRIGHT_SEED");
    given.map_or(1, |text| text.parse().expect("FLEETWRIGHT_SEED is a number"))
}

/// Who was killed, by function: all, and those in the middle of an invocation.
#[derive(Default)]
struct Kills(BTreeMap<&'static str, (usize, usize)>);

impl Kills {
    fn total(&self) -> usize {
        self.0.values().map(|(all, _)| all).sum()
    }

    fn at_work(&self) -> usize {
        self.0.values().map(|(_, at_work)| at_work).sum()
    }
}

impl std::fmt::Display for Kills {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} killed, {} of them at work:", self.total(), self.at_work())?;
        self.0.iter().try_for_each(|(name, (all, at_work))| write!(formatter, " {name} {all}/{at_work}"))
    }
}

/// Kills processes for a while: every other time one at work, if any is.
fn kill(stage: &mut Stage, seed: u64) -> Kills {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x6b69_6c6c);
    let (begun, mut kills) = (clock::now(), Kills::default());
    while begun.elapsed() < CHAOS {
        clock::wait(Duration::from_millis(random.random_range(200..2000)));
        let lambda = &mut stage.lambda;
        let ended = lambda.tend().expect("processes start");
        assert_eq!(ended, 0, "processes end only when they are killed");
        let at_work: Vec<usize> = (0..lambda.processes()).filter(|place| lambda.is_at_work(*place)).collect();
        let place = if at_work.is_empty() || random.random_bool(0.5) {
            random.random_range(0..lambda.processes())
        } else {
            at_work[random.random_range(0..at_work.len())]
        };
        let killed = lambda.kill(place).expect("a process is killed, and another started");
        let count = kills.0.entry(killed.function).or_default();
        count.0 += 1;
        count.1 += usize::from(killed.at_work);
    }
    kills
}
