//! An emulated Lambda: functions that are processes, started, killed and started again.

use crate::http::{router, runtime_api};
use crate::invocations::{Invocations, ProcessId};
use axum::serve;
use futures::FutureExt;
use futures::channel::oneshot;
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// A function: what is run for it, and how often at the same time.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// What the program reads from its environment, besides what Lambda sets.
    pub environment: BTreeMap<&'static str, String>,
    /// How many processes there are of it, each with one invocation at a time.
    pub processes: usize,
}

/// A process that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Killed {
    /// Its function.
    pub function: &'static str,
    /// Whether it was in the middle of an invocation.
    pub at_work: bool,
}

/// Lambda. All its processes die with it.
pub struct Lambda {
    url: String,
    invocations: Invocations,
    functions: Vec<Function>,
    /// Each with the index of its function.
    processes: Vec<Process>,
    started: u64,
    over: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<io::Result<()>>>,
}

struct Process {
    id: ProcessId,
    function: usize,
    child: Child,
}

impl Lambda {
    /// Lambda without functions, on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start() -> io::Result<Self> {
        let invocations = Invocations::default();
        let router = router(invocations.clone());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}", listener.local_addr()?);
        let (over, is_over) = oneshot::channel();
        let server = thread::Builder::new().name("lambda".to_owned()).spawn(move || {
            // Not gracefully: those who wait for an answer would keep it.
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = is_over.fuse() => Ok(()),
                    ended = async { serve(listener, router).await } => ended,
                }
            })
        })?;
        Ok(Self {
            url,
            invocations,
            functions: Vec::new(),
            processes: Vec::new(),
            started: 0,
            over: Some(over),
            server: Some(server),
        })
    }

    /// Where functions are invoked.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds a function and starts its processes.
    ///
    /// # Errors
    /// When its program cannot be run.
    pub fn add(&mut self, function: Function) -> io::Result<()> {
        let (index, processes) = (self.functions.len(), function.processes);
        self.functions.push(function);
        for _ in 0..processes {
            let process = self.begin(index)?;
            self.processes.push(process);
        }
        Ok(())
    }

    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    /// The function and the system's id of each process.
    pub fn process_ids(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.processes.iter().map(|process| (self.functions[process.function].name, process.child.id()))
    }

    /// Whether the process in that place is in the middle of an invocation.
    pub fn is_at_work(&self, place: usize) -> bool {
        self.processes.get(place).is_some_and(|process| self.invocations.is_at_work(process.id))
    }

    /// Kills the process in that place with SIGKILL and starts another there.
    ///
    /// # Errors
    /// When it cannot be killed, or no other started.
    ///
    /// # Panics
    /// When there is no such place.
    pub fn kill(&mut self, place: usize) -> io::Result<Killed> {
        let process = &mut self.processes[place];
        process.child.kill()?;
        process.child.wait()?;
        let (at_work, function) = (self.invocations.end(process.id), process.function);
        self.processes[place] = self.begin(function)?;
        Ok(Killed { function: self.functions[function].name, at_work })
    }

    /// Starts those again that ended by themselves; how many.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn tend(&mut self) -> io::Result<usize> {
        let mut ended = 0;
        for place in 0..self.processes.len() {
            if self.processes[place].child.try_wait()?.is_some() {
                self.kill(place)?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Kills all processes; no others take their places.
    pub fn clear(&mut self) {
        for Process { id, mut child, .. } in self.processes.drain(..) {
            // One that has ended already cannot be killed, and need not be.
            let _ = child.kill();
            let _ = child.wait();
            self.invocations.end(id);
        }
    }

    fn begin(&mut self, index: usize) -> io::Result<Process> {
        let function = &self.functions[index];
        let id = self.started;
        // Known before it can ask.
        self.invocations.begin(id, function.name);
        let child = Command::new(&function.program)
            .env_clear()
            .envs(&function.environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api(&self.url, id))
            .env("AWS_LAMBDA_FUNCTION_NAME", function.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "local")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        self.started += 1;
        Ok(Process { id, function: index, child })
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.clear();
        drop(self.over.take());
        // Only what the server said of its end is lost.
        let _ = self.server.take().map(JoinHandle::join);
    }
}
