//! Other DynamoDBs than the embedded one: stories of `tests/protocols` over moto's, which nobody wrote with ours in mind,
//! and over Amazon's DynamoDB Local where `DYNAMODB_LOCAL_URL` names one.
//!
//! What they differ in, and who is right, stands in `tests/dynamodb/README.md`.

use crate::python::{Environment, succeeds};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// The packages that moto's server needs.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/dynamodb/requirements.txt");
/// Names Amazon's DynamoDB Local.
const LOCAL_URL: &str = "DYNAMODB_LOCAL_URL";
/// Tells the stories where the tables are.
const STORIES_URL: &str = "FLEETWRIGHT_TEST_DYNAMODB_URL";
/// The programs of `tests/protocols` with these stories: what the table's code relies on, a whole run of the example, how
/// commands are recorded, folded and settled, stopped, sent to tags, sent for a caller, and what becomes of those nobody
/// knows of.
const STORIES: [&str; 9] =
    ["documented", "examples", "records", "found", "contradictions", "stops", "targets", "direct", "unknown"];
/// A server that takes no connections by then never does.
const START_TRIES: u32 = 600;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Somebody's DynamoDB.
struct Engine {
    name: &'static str,
    /// Stories that are not told over it, each with the reason.
    left_out: &'static [(&'static str, &'static str)],
}

const MOTO: Engine = Engine {
    name: "moto's DynamoDB",
    left_out: &[
        ("what_cannot_be_a_key_of_an_index_is_refused", "it stores an index's key of any type"),
        ("an_item_has_400_kilobytes_and_no_more", "it takes 405,000 bytes, not 409,600"),
        ("a_batch_writes_25_different_items_at_most", "it takes more, and one twice"),
        (NO_PLACE, "it refuses the transaction instead of cancelling it"),
        (CAPACITY, "it tells no capacity of transactions"),
    ],
};

const LOCAL: Engine = Engine {
    name: "Amazon's DynamoDB Local",
    left_out: &[
        (NO_PLACE, "it refuses the transaction instead of cancelling it"),
        (CAPACITY, "it tells the capacity of writes outside of transactions"),
    ],
};

const NO_PLACE: &str = "a_transaction_with_an_update_of_no_place_is_cancelled_for_that";
const CAPACITY: &str = "a_write_in_a_transaction_costs_twice";

/// Tells the stories over all of them.
pub(crate) fn run() -> Result<(), String> {
    let scratch = super::target_directory()?.join("dynamodb");
    let environment = Environment::install(&scratch, Path::new(REQUIREMENTS), "moto's DynamoDB")?;
    let server = Moto::start(&environment, &scratch)?;
    MOTO.tell(&server.url())?;
    match server.requests()? {
        0 => return Err(format!("no story asked moto anything: does nobody read {STORIES_URL}?")),
        requests => println!("   moto answered {requests} requests"),
    }
    drop(server);
    match local_url() {
        Some(url) => LOCAL.tell(&url),
        None => {
            println!("   not over {}: {LOCAL_URL} names none", LOCAL.name);
            Ok(())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever has one says so in the environment")]
fn local_url() -> Option<String> {
    std::env::var(LOCAL_URL).ok().filter(|url| !url.is_empty())
}

impl Engine {
    /// Tells the stories over it. They have been built with all other tests.
    fn tell(&self, url: &str) -> Result<(), String> {
        println!("   over {} at {url}, but for", self.name);
        self.left_out.iter().for_each(|(story, reason)| println!("   - {story}: {reason}"));
        let mut cargo = super::cargo_command();
        cargo.args(["test", "--locked", "--workspace", "--quiet", "--no-fail-fast"]);
        cargo.args(STORIES.iter().flat_map(|program| ["--test", program]));
        cargo.args(["--", "--exact"]).args(self.left_out.iter().flat_map(|(story, _)| ["--skip", story]));
        succeeds(cargo.env(STORIES_URL, url), &format!("a story over {} failed", self.name))
    }
}

/// moto's server on loopback; it ends with this value.
struct Moto {
    server: Child,
    port: u16,
    /// It writes a line for each request.
    log: PathBuf,
}

impl Moto {
    /// Starts it and waits until it takes connections.
    fn start(environment: &Environment, scratch: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("moto_server: {error}");
        let port = free_port().map_err(failed)?;
        let log = scratch.join("moto.log");
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = environment.program("moto_server");
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let mut moto = Self { server: command.spawn().map_err(failed)?, port, log };
        for _ in 0..START_TRIES {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(moto);
            }
            if let Some(status) = moto.server.try_wait().map_err(failed)? {
                return Err(format!("moto_server ended with {status}: see {}", moto.log.display()));
            }
            pause();
        }
        Err(format!("moto_server takes no connections: see {}", moto.log.display()))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// How many it has answered.
    fn requests(&self) -> Result<usize, String> {
        let log =
            std::fs::read_to_string(&self.log).map_err(|error| format!("{}: {error}", self.log.display()))?;
        Ok(log.lines().filter(|line| line.contains("POST / HTTP")).count())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It keeps nothing, so nothing is lost; one that has ended already is what is wanted.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[expect(clippy::disallowed_methods, reason = "another process takes real time to start")]
fn pause() {
    std::thread::sleep(PAUSE);
}
