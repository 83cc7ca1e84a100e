//! `template.yaml`: checked, expanded as CloudFormation does, held against the code, and built.

use crate::functions;
use crate::python::{Environment, succeeds};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the templates are.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// What is deployed, and the names the tests know it by.
const TEMPLATES: [(&str, &str); 2] = [("template.yaml", "template"), ("infra/dashboard.yaml", "dashboard")];
/// What else CloudFormation reads.
const EXAMPLES: [&str; 1] = ["infra/event-starts/patch-now.yaml"];
/// The tests that hold it, which are not run with the others: they read what is expanded here.
const HELD: [&str; 7] = ["test", "--locked", "--workspace", "--test", "deployed", "--", "--ignored"];
/// The tools ask for a Region, whichever; nothing is asked of AWS.
const REGION: &str = "us-east-1";

/// The tools, and what they leave.
struct Workshop {
    tools: Environment,
    directory: PathBuf,
}

/// Checks it, expands it, and holds it against the code.
pub(crate) fn hold() -> Result<(), String> {
    let workshop = Workshop::open()?;
    workshop.check()?;
    let expanded = workshop.expand()?;
    succeeds(super::cargo_command().args(HELD).env("FLEETWRIGHT_EXPANDED", expanded), "see above")
}

/// Builds all functions as `sam deploy` would upload them, for the platform this runs on; where they are.
pub(crate) fn build() -> Result<PathBuf, String> {
    let workshop = Workshop::open()?;
    let mut sam = workshop.tool("sam");
    let built = workshop.directory.join("build");
    sam.args(["build", "--parameter-overrides", "Architecture=x86_64", "--build-dir"]).arg(&built);
    // Where it finds cargo-lambda, which finds its linker there.
    let before = std::env::var_os("PATH").unwrap_or_default();
    let builders = functions::environment()?.programs();
    let path = std::env::join_paths([builders].into_iter().chain(std::env::split_paths(&before)));
    sam.env("PATH", path.map_err(|error| error.to_string())?);
    // What programs read stands alone.
    sam.stdout(std::io::stderr());
    succeeds(&mut sam, "see above")?;
    Ok(built)
}

impl Workshop {
    fn open() -> Result<Self, String> {
        let directory = super::target_directory()?.join("template");
        let requirements = Path::new(ROOT).join("tests/template/requirements.txt");
        let tools = Environment::install(&directory, &requirements, "the tools for the template")?;
        Ok(Self { tools, directory })
    }

    fn check(&self) -> Result<(), String> {
        succeeds(self.tool("sam").args(["validate", "--lint"]), "see above")?;
        let mut lint = self.tool("cfn-lint");
        succeeds(lint.args(TEMPLATES.map(|(file, _)| file)).args(EXAMPLES), "see above")
    }

    /// Where the expanded templates are.
    fn expand(&self) -> Result<PathBuf, String> {
        let directory = self.directory.join("expanded");
        fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        for (file, name) in TEMPLATES {
            let expanded = directory.join(format!("{name}.json"));
            let json = File::create(&expanded).map_err(|error| format!("{}: {error}", expanded.display()))?;
            let mut expand = self.tool("python");
            succeeds(expand.args(["tests/template/expand.py", file]).stdout(json), "see above")?;
        }
        Ok(directory)
    }

    /// A tool at the root of the repository, which leaves nothing there and tells nobody of its use.
    fn tool(&self, name: &str) -> Command {
        let mut tool = self.tools.program(name);
        tool.current_dir(ROOT).env("AWS_DEFAULT_REGION", REGION);
        tool.env("SAM_CLI_TELEMETRY", "0").env("__SAM_CLI_APP_DIR", self.directory.join("sam"));
        tool.env("PYTHONPYCACHEPREFIX", self.directory.join("pycache"));
        tool
    }
}
