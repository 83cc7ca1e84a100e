//! From the start of a process to its first `/next` at the Lambda Runtime API: a bare runtime's, each function's, and that of
//! a Python function with the same clients, in turn.

use crate::programs::{FUNCTIONS, Programs, environment};
use crate::time::{median, now, wait};
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Each program is started so often; the first time of each fills the caches of the disk, and is not counted.
const ROUNDS: usize = 21;

/// Between two looks: a hundredth of what is measured.
const LOOK: Duration = Duration::from_micros(10);

/// How a program starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its name.
    pub name: &'static str,
    /// Until it asks for work, the calls that warm it up left out.
    pub ready: Duration,
    /// These calls, to a loopback that answers at once: mostly the system's roots of trust being read.
    pub warm_up: Duration,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Starts {
    /// The Lambda runtime and nothing else.
    pub hello: Start,
    /// Each function's.
    pub functions: Vec<Start>,
    /// Python with boto3.
    pub python: Start,
}

/// A program, and what it is given besides what all are.
struct Program {
    name: &'static str,
    command: Vec<PathBuf>,
    warms_up: bool,
}

/// Starts all of them in turn.
///
/// # Errors
/// What the system says when one cannot be started.
pub fn measure(programs: &Programs) -> std::io::Result<Starts> {
    let script = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/function.py"));
    let mut all = vec![Program { name: "hello", command: vec![Programs::hello()?], warms_up: false }];
    all.extend(FUNCTIONS.map(|(name, id)| Program {
        name,
        command: vec![programs.function(id)],
        warms_up: true,
    }));
    all.push(Program { name: "python", command: vec![programs.python.clone(), script], warms_up: false });
    let lambda = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    // One that dies does not connect.
    lambda.set_nonblocking(true)?;
    let aws = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let aws_url = format!("http://{}", aws.local_addr()?);
    // It ends with this process.
    thread::spawn(move || aws.incoming().flatten().for_each(|peer| drop(thread::spawn(|| answer(peer)))));
    let mut taken: Vec<Vec<(Duration, Duration)>> = vec![Vec::new(); all.len()];
    for round in 0..ROUNDS {
        for (program, taken) in all.iter().zip(&mut taken) {
            let start = once(program, &lambda, &aws_url)?;
            if round > 0 {
                taken.push(start);
            }
        }
    }
    let mut starts = all.iter().zip(taken).map(|(program, taken)| {
        let (ready, warm_up) = taken.into_iter().unzip();
        Start { name: program.name, ready: median(ready), warm_up: median(warm_up) }
    });
    let hello = starts.next().expect("the first");
    let mut functions: Vec<Start> = starts.collect();
    let python = functions.pop().expect("the last");
    Ok(Starts { hello, functions, python })
}

/// Starts it once: until it was ready, and what its warm-up took of that.
fn once(program: &Program, lambda: &TcpListener, aws_url: &str) -> std::io::Result<(Duration, Duration)> {
    let runtime_api = lambda.local_addr()?.to_string();
    let mut command = Command::new(&program.command[0]);
    command.args(&program.command[1..]).env_clear().envs(environment(aws_url, &runtime_api));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let began = now();
    let mut process = command
        .spawn()
        .map_err(|error| Error::other(format!("{}: {error}", program.command[0].display())))?;
    let mut peer = loop {
        match lambda.accept() {
            Ok((peer, _)) => break peer,
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(LOOK),
            Err(error) => return Err(error),
        }
        if let Some(status) = process.try_wait()? {
            return Err(Error::other(format!("{} ended with {status}", program.name)));
        }
    };
    peer.set_nonblocking(false)?;
    let mut request = [0; 1024];
    let length = peer.read(&mut request)?;
    let took = began.elapsed();
    assert!(request[..length].windows(5).any(|window| window == b"/next"), "{}", program.name);
    process.kill()?;
    process.wait()?;
    let output = process.stdout.take().expect("it is piped");
    let warm_up = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line).ok()?;
        line["fields"]["took_us"].as_u64()
    });
    assert_eq!(warm_up.is_some(), program.warms_up, "{}", program.name);
    let warm_up = Duration::from_micros(warm_up.unwrap_or_default());
    Ok((took.saturating_sub(warm_up), warm_up))
}

/// AWS, as far as a warm-up asks: there is no heartbeat yet, and no command.
fn answer(peer: TcpStream) {
    let Ok(mut writer) = peer.try_clone() else { return };
    let mut reader = BufReader::new(peer);
    while request(&mut reader).is_some() {
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads a request to its end; `None`: there are no more.
fn request(reader: &mut impl BufRead) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            let mut body = vec![0; length];
            return reader.read_exact(&mut body).ok();
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
}
