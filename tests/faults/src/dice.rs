//! Draws out of a seed.

use fleetwright_local::seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// Everything random of one purpose.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for one purpose: other purposes of the seed don't disturb its draws.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(seed::generator(seed, purpose))
    }

    /// A number from the first to the last.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        self.0.random_range(first..=last)
    }

    /// A number from the first to the last, small ones more often: each doubling is as likely as any other.
    pub(crate) fn mostly_small(&mut self, first: u64, last: u64) -> u64 {
        let doublings = (last - first + 1).ilog2();
        let width = 1 << self.between(0, doublings.into());
        self.between(first, (first + width - 1).min(last))
    }

    /// A place in a list of so many.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// Whether something of this probability happens.
    pub(crate) fn hits(&mut self, probability: f64) -> bool {
        // Drawn in any case: what follows doesn't depend on the rate.
        let draw: f64 = self.0.random_range(0.0..1.0);
        draw < probability
    }

    /// One of these.
    pub(crate) fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    /// One of these, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let total: u64 = choices.iter().map(|(weight, _)| weight).sum();
        let mut draw = self.between(0, total - 1);
        for (weight, choice) in choices {
            if draw < *weight {
                return *choice;
            }
            draw -= weight;
        }
        choices[0].1
    }

    /// A duration between two, in whole milliseconds.
    pub(crate) fn duration(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.between(ms(shortest), ms(longest)))
    }

    /// How often something goes wrong in a run: mostly never, sometimes seldom, now and then often, rarely always.
    pub(crate) fn rate(&mut self) -> f64 {
        match self.between(0, 99) {
            0..=54 => 0.0,
            55..=79 => self.per_mille(1, 30),
            80..=92 => self.per_mille(30, 150),
            93..=97 => self.per_mille(150, 600),
            _ => 1.0,
        }
    }

    /// How often something goes wrong where there are few chances for it in a run.
    pub(crate) fn rate_of_few(&mut self) -> f64 {
        match self.between(0, 9) {
            0..=3 => 0.0,
            4..=7 => self.per_mille(100, 500),
            8 => self.per_mille(500, 900),
            _ => 1.0,
        }
    }

    /// So many thousandths, between two.
    pub(crate) fn per_mille(&mut self, least: u64, most: u64) -> f64 {
        f64::from(u32::try_from(self.between(least, most)).unwrap_or(0)) / 1000.0
    }
}
