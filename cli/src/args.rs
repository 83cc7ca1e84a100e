//! What the command line takes.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// SSM Automation runbooks over whole fleets, driven by events.
#[derive(Debug, Parser)]
#[command(name = "fleetwright", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an example patch night over 120 simulated nodes, and watch it.
    ///
    /// Everything runs in this process: an embedded AWS, Fleetwright's own functions, and a fleet of which some nodes
    /// fail, some hang, and one cannot be reached. Exit status 0 if the runbook ended in Success, else 1.
    Demo(Demo),
    /// Run a runbook against a simulated fleet, in virtual time, without an AWS account.
    ///
    /// Steps whose actions cannot run here yet, steps that wait for people, and all of them without a fleet, are answered
    /// for: as the mocks file says, else with success and outputs of the declared types.
    ///
    /// Exit status 0 if the execution ended in Success, 1 if it did not, 2 if the input cannot be used.
    Simulate(Simulate),
    /// Check runbooks, and say what is wrong and where. Nothing is run.
    ///
    /// Exit status 0 if all files are valid, warnings or not; 1 if some are not, or cannot be read; 2 if the command
    /// line cannot be used.
    Validate(Validate),
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// What chance is drawn from: the same seed is the same night.
    #[arg(long, value_name = "S", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Virtual seconds that pass in a real second. Left out, the pace adapts: slow while nodes report, fast while
    /// nothing happens, about ten seconds in all. What happens does not depend on it.
    #[arg(long, value_name = "X", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// An SSM Automation document, schema 0.3, in YAML or JSON.
    pub(crate) runbook: PathBuf,
    /// A parameter of the runbook. Repeat it for the items of a list; a StringList also takes JSON.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// How many nodes a made-up mixed fleet has. Without a fleet, steps that need one succeed unseen.
    #[arg(long, value_name = "N", conflicts_with = "fleet", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) nodes: Option<u32>,
    /// A fleet file: groups of nodes, their tags, patches and behaviour.
    #[arg(long, value_name = "FILE")]
    pub(crate) fleet: Option<PathBuf>,
    /// A mocks file: what steps answer that no fleet answers for, and parameters.
    #[arg(long, value_name = "FILE")]
    pub(crate) mocks: Option<PathBuf>,
    /// What chance is drawn from: the same seed is the same run.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Virtual time after which an execution that has not ended is given up, such as 90m, 36h or 30d. The default is
    /// longer than any command lives.
    #[arg(long, value_name = "TIME", default_value = "8d", value_parser = limit)]
    pub(crate) limit: Duration,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Options of `validate`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// SSM Automation documents, schema 0.3, in YAML or JSON; of a folder all .yaml, .yml and .json files that are
    /// not hidden, however deep.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Warn of what SSM Automation itself would not know.
    #[arg(long)]
    pub(crate) portable: bool,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err("it is written NAME=VALUE".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        Ok(_) | Err(_) => Err("it is a number above 0, such as 60".to_owned()),
    }
}

fn limit(text: &str) -> Result<Duration, String> {
    let unit = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)].into_iter();
    let seconds = unit
        .filter_map(|(unit, seconds)| {
            text.strip_suffix(unit)?.parse::<u32>().ok().map(|n| u64::from(n) * seconds)
        })
        .next();
    // An execution that is older than 90 days is ended.
    let allowed = 1..=100 * 86_400;
    let seconds = seconds.filter(|seconds| allowed.contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "it is written 90m, 36h or 8d, at most 100d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_parameter_is_a_name_and_a_value_that_may_hold_anything() {
        assert_eq!(parameter("Filter=tag=a=b"), Ok(("Filter".to_owned(), "tag=a=b".to_owned())));
        assert_eq!(parameter("Empty="), Ok(("Empty".to_owned(), String::new())));
        assert!(parameter("Empty").is_err());
        assert!(parameter("=value").is_err());
    }

    #[test]
    fn a_limit_is_a_time_with_its_unit() {
        assert_eq!(limit("36h"), Ok(Duration::from_secs(36 * 3600)));
        for text in ["", "8", "0d", "101d", "-1h", "soon"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_speed_is_above_zero() {
        assert_eq!(speed("60"), Ok(60.0));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
    }
}
