//! The demo: the whole product at work on the example task, in one terminal.

mod intrusion;
mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::config;
use crate::dockerd::{Daemon, DaemonError};
use crate::fargate::definition::{DefinitionError, TaskDefinition};
use crate::fargate::docker::{self, Docker};
use crate::fargate::task::{Task, WaitError};
use crate::fargate::{Setup, process};
use crate::intruder::acts::Ground;
use crate::intruder::headquarters;
use crate::pace::Deadline;
use crate::scratch::Scratch;
use crate::stage;
pub use report::Report;

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No Docker daemon.
    #[error("--docker needs a Docker daemon: {0}")]
    Daemon(#[from] DaemonError),
    /// The patched file is not a task.
    #[error("the patched template cannot be run: {0}")]
    Definition(#[from] DefinitionError),
    /// A file or a process.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The patcher refused.
    #[error("the patcher ended with {0}")]
    Patcher(std::process::ExitStatus),
    /// The task did not come up.
    #[error("{0}")]
    Wait(#[from] WaitError),
}

/// How long the task may take to come up, an alert to arrive, and the task to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the demo. `Ok(true)` means that everything was as it should be.
pub fn run(with_docker: bool) -> Result<bool, DemoError> {
    let report = Arc::new(Report::new());
    let scratch = Scratch::new()?;
    report.step("Patching examples/template.json");
    let patched = patch(scratch.path())?;
    let definition = TaskDefinition::parse(&std::fs::read_to_string(patched)?)?;

    let how = if with_docker {
        "in containers"
    } else {
        "as plain processes"
    };
    report.step(&format!("Running the patched task {how}"));
    let images = Scratch::within(&config::program_directory()?)?;
    let setup = setup(&images, &report, with_docker)?;
    // Declared before the task, so that it ends after it.
    let daemon;
    let task = if with_docker {
        daemon = Daemon::start(Path::new("target/dockerd"))?;
        let docker = Docker::new(daemon.socket())?;
        import(&docker, &setup, images.path())?;
        docker::run(&docker, &definition, setup)?
    } else {
        process::run(&definition, setup)?
    };
    task.wait_for_line("web", "listening", Deadline::after(PATIENCE))?;
    for limit in task.limits() {
        report.note(limit);
    }

    report.step("An intruder gets in through the web server");
    let ground = Ground::look(&task, with_docker);
    intrusion::act(&task, &ground, &report);

    report.step("Stopping the task");
    let code = end(&task)?;
    Ok(report.finish(code))
}

fn patch(directory: &Path) -> Result<PathBuf, DemoError> {
    let patched = directory.join("patched.json");
    let status = Command::new(stage::built("patcher")?)
        .args(["patch", stage::TEMPLATE, "--diff", "-o"])
        .arg(&patched)
        .args(["--agent-image", stage::AGENT_IMAGE])
        .status()?;
    if status.success() {
        Ok(patched)
    } else {
        Err(DemoError::Patcher(status))
    }
}

fn setup(images: &Scratch, report: &Arc<Report>, with_docker: bool) -> io::Result<Setup> {
    let (listener, told) = (Arc::clone(report), Arc::clone(report));
    Ok(Setup {
        images: stage::example(images.path(), with_docker)?,
        openings: vec![headquarters(move |answer| {
            told.note(&format!("a shell called home: {answer}"));
        })],
        metadata: None,
        listener: Some(Box::new(move |container, line| {
            listener.hear(container, line);
        })),
    })
}

fn import(docker: &Docker, setup: &Setup, directory: &Path) -> io::Result<()> {
    stage::build_agent(docker, directory)?;
    for (name, image) in setup
        .images
        .iter()
        .filter(|(name, _)| *name != stage::AGENT_IMAGE)
    {
        docker.import(name, image)?;
    }
    docker.import(docker::GATE_IMAGE, &stage::gate(&directory.join("gate"))?)
}

/// Ends the task as a deployment would, and returns the web server's exit code.
fn end(task: &Task) -> Result<i32, WaitError> {
    task.stop();
    task.wait_for_exit("web", Deadline::after(PATIENCE))
}

/// Whether output may be coloured.
fn is_coloured() -> bool {
    use std::io::IsTerminal as _;
    io::stdout().is_terminal() && !config::no_colour()
}
