//! `fleetwright watch`: an execution while it runs.

use crate::args::{Format, Watch};
use crate::client::Client;
use crate::clock;
use crate::failure::Failure;
use crate::progress::{self, Display};
use crate::resource::Resource;
use crate::results::{Advice, Filter, Overview};
use crate::view::{self, StepView, is_over};
use fleetwright_wire::results::{Execution, ExecutionDetail, Step, StepList, StepSummary, Summary};
use std::io::{Write, stderr};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

/// Between two looks while something happens.
const LIVELY: Duration = Duration::from_secs(1);
/// And while nothing does.
const QUIET: Duration = Duration::from_secs(15);
/// Looks in a row that may fail: a laptop changes networks, and the execution goes on.
const FAILURES_MAX: u32 = 20;

/// Watches it. Whether it ended in Success.
pub(crate) fn run(options: &Watch) -> Result<bool, Failure> {
    let client = Client::new(&options.service.endpoint)?;
    until_over(&client, &options.id, options.format)
}

/// Watches an execution until it is over, and prints what it came to. Whether that was Success.
pub(crate) fn until_over(client: &Client, id: &str, format: Format) -> Result<bool, Failure> {
    let mut display = progress::display(format);
    let ended = follow(client, id, display.as_mut());
    display.finish();
    if ended? == Ended::Interrupted {
        let again = Advice::new(client.endpoint()).command(&format!("watch {id}"));
        // Nobody is left to tell if even this cannot be written.
        let _ = writeln!(stderr(), "No longer watched; the execution goes on. To watch it again: {again}");
        return Ok(false);
    }
    let overview = Overview::fetch(client, id, &Filter::default())?;
    overview.print(&Advice::new(client.endpoint()), format)?;
    Ok(overview.succeeded())
}

/// Why nobody watches any more.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// The execution is over, or was set aside.
    Over,
    /// Whoever watched has had enough.
    Interrupted,
}

/// What the display waits for.
enum News {
    Looked(Box<Look>),
    Failed(Failure),
    Interrupted,
}

/// Looks and interrupts arrive side by side: an interrupt waits for no answer of the service.
fn follow(client: &Client, id: &str, display: &mut dyn Display) -> Result<Ended, Failure> {
    let (news, arriving) = mpsc::channel();
    let interrupts = news.clone();
    thread::spawn(move || wait_for_interrupt(&interrupts));
    let mut sight = Sight::new(client.clone(), id.to_owned());
    thread::spawn(move || sight.keep_looking(&news));
    for news in arriving {
        match news {
            News::Looked(look) => {
                display.show(&look.steps, clock::now());
                if look.is_over {
                    return Ok(Ended::Over);
                }
            }
            News::Failed(failure) => return Err(failure),
            News::Interrupted => return Ok(Ended::Interrupted),
        }
    }
    Err(Failure::Defect("nobody looks any more".to_owned()))
}

/// Without a handler for it an interrupt ends the process, which is no harm.
fn wait_for_interrupt(news: &Sender<News>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
        let _ = news.send(News::Interrupted);
    }
}

/// What is seen of an execution at one moment.
#[derive(Debug, Clone, PartialEq)]
struct Look {
    steps: Vec<StepView>,
    is_over: bool,
}

/// Looks at one execution again and again, as cheaply as it can: numbers each time, its steps when they changed.
struct Sight {
    client: Client,
    id: String,
    /// Steps of pages that cannot change any more.
    closed: Vec<Step>,
    /// Where the page after those begins.
    cursor: Option<String>,
    /// The steps after those.
    open: Vec<Step>,
    /// What the steps were read at.
    seen: Option<Shape>,
}

/// What changes with the steps: the status, the step it is at, and the steps with nodes by status.
type Shape = (String, Option<String>, Vec<(u32, String)>);

impl Sight {
    const fn new(client: Client, id: String) -> Self {
        Self { client, id, closed: Vec::new(), cursor: None, open: Vec::new(), seen: None }
    }

    fn keep_looking(&mut self, news: &Sender<News>) {
        let (mut pause, mut failures) = (LIVELY, 0);
        let mut last = None;
        loop {
            let told = match self.look() {
                Ok(look) => {
                    let changed = last.as_ref() != Some(&look);
                    pause = if changed { LIVELY } else { (pause * 5 / 4).min(QUIET) };
                    failures = 0;
                    last = Some(look.clone());
                    Some(News::Looked(Box::new(look)))
                }
                Err(failure) => {
                    failures += 1;
                    pause = (pause * 5 / 4).min(QUIET);
                    let may_pass = last.is_some() && failures < FAILURES_MAX && failure.may_pass();
                    (!may_pass).then_some(News::Failed(failure))
                }
            };
            // Nobody listens to the end of a watch but the end of the process.
            if told.is_some_and(|news_of_it| news.send(news_of_it).is_err()) {
                return;
            }
            clock::pause(pause);
        }
    }

    fn look(&mut self) -> Result<Look, Failure> {
        let summary: Summary = self.client.get(&Resource::execution(&self.id, "summary"))?;
        let detail: ExecutionDetail = self.client.get(&Resource::execution(&self.id, ""))?;
        let execution = detail.execution;
        let shape = shape(&execution, &summary);
        if self.seen.as_ref() != Some(&shape) {
            self.read_steps()?;
            self.seen = Some(shape);
        }
        let steps = self.closed.iter().chain(&self.open).map(|step| counted(step, &summary.steps)).collect();
        Ok(Look { steps, is_over: is_over(&execution.status) || execution.parked.is_some() })
    }

    /// Reads the steps that may have changed. A loop has thousands; most of them are over.
    fn read_steps(&mut self) -> Result<(), Failure> {
        self.open.clear();
        let mut cursor = self.cursor.clone();
        loop {
            let page = Resource::execution(&self.id, "steps").with_some("next", cursor.as_ref());
            let StepList { steps, next_token } = self.client.get(&page)?;
            let full_and_over = next_token.is_some() && steps.iter().all(|step| is_over(&step.status));
            if full_and_over && self.open.is_empty() {
                self.closed.extend(steps);
                self.cursor.clone_from(&next_token);
            } else {
                self.open.extend(steps);
            }
            if next_token.is_none() {
                return Ok(());
            }
            cursor = next_token;
        }
    }
}

fn shape(execution: &Execution, summary: &Summary) -> Shape {
    let steps = summary.steps.iter().map(|step| (step.ordinal, step.status.clone()));
    (execution.status.clone(), execution.current_step.clone(), steps.collect())
}

/// A step with the numbers of now.
fn counted(step: &Step, summary: &[StepSummary]) -> StepView {
    let mut view = StepView::from(step);
    if let Some(now) = summary.iter().find(|now| now.ordinal == step.ordinal) {
        view.counts = Some(view::ended(&now.counts));
        view.total = now.targets.or(view.total);
    }
    view
}
