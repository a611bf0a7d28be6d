//! What the tracer needs before it begins, out of the settings.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use contract::exit;
use event::EventTypeSet;

use super::complain;
use crate::config::{Config, Environment, Mode, Output, Priority};
use crate::filter::Directories;
use crate::judge::{Judge, RulesError};
use crate::outbox::{self, Destination, Identity};
use crate::watch::{Doubt, Policy};

/// Loaded and opened.
pub(super) struct Prepared {
    pub(super) mode: Mode,
    pub(super) policy: Policy,
    pub(super) judge: Judge,
    pub(super) outbox: outbox::Config,
    pub(super) identity: Identity,
}

/// Loads and opens what the settings name. What must not be is said, and is the exit code.
pub(super) fn prepare(config: &Config, environment: &Environment) -> Result<Prepared, ExitCode> {
    let identity = identity(config.mode, environment);
    let judge =
        judge(config, identity.hostname()).map_err(|error| complain(exit::REFUSED, &error))?;
    let destination = match (destination(&config.output), &config.second_output) {
        (Ok(destination), _) => destination,
        (Err(error), Some(socket)) if config.priority == Priority::Availability => {
            tracing::error!(%error, "Alerts go to the sidecar instead.");
            Destination::Socket(socket.clone())
        }
        (Err(error), _) => return Err(complain(exit::REFUSED, &error)),
    };
    Ok(Prepared {
        mode: config.mode,
        policy: policy(config, &judge),
        judge,
        outbox: outbox::Config {
            form: config.settings.form,
            ..outbox::Config::new(destination)
        },
        identity,
    })
}

/// What to watch for, as the settings and the rules have it.
fn policy(config: &Config, judge: &Judge) -> Policy {
    Policy {
        watched: if config.events {
            EventTypeSet::all()
        } else {
            judge.events()
        },
        directories: if config.events || judge.asks_for_directories() {
            Directories::Stop
        } else {
            Directories::Pass
        },
        events: config.events,
        io_uring: config.io_uring,
        doubt: match config.priority {
            Priority::Availability => Doubt::Sampled,
            Priority::Security => Doubt::Always,
        },
    }
}

/// The rules to judge by. A rule file that is named on the command line must be right: whoever
/// wrote it is there to see. One that comes with the task's settings must not keep a workload from
/// running, unless that is what the settings ask for.
fn judge(config: &Config, hostname: &str) -> Result<Judge, RulesError> {
    let asked = if config.rules.is_empty() {
        Judge::usual(hostname, &config.settings)
    } else {
        Judge::from_files(&config.rules, hostname, &config.settings)
    };
    match asked {
        Err(error) if config.priority == Priority::Availability && !config.is_interactive => {
            tracing::error!(%error, "Rules are wrong; the built-in ones are used instead.");
            Judge::built_in(hostname, &config.settings)
        }
        asked => asked,
    }
}

/// Why the output cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to `{path}`: {reason}")]
struct OutputError {
    path: String,
    reason: std::io::Error,
}

fn destination(output: &Output) -> Result<Destination, OutputError> {
    let path = match output {
        Output::Socket(path) => return Ok(Destination::Socket(path.clone())),
        Output::File(path) => path,
    };
    let file = if path == std::path::Path::new("-") {
        std::io::stderr()
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
    } else {
        OpenOptions::new().append(true).create(true).open(path)
    };
    file.map(Destination::File).map_err(|reason| OutputError {
        path: path.display().to_string(),
        reason,
    })
}

fn identity(mode: Mode, environment: &Environment) -> Identity {
    let mode = match mode {
        Mode::Full => wire::Mode::Full,
        Mode::Off => wire::Mode::Off,
        Mode::Seccomp => wire::Mode::Seccomp,
    };
    Identity::gather(mode, |name| {
        let value = environment.get(OsStr::new(name))?;
        Some(value.to_string_lossy().into_owned())
    })
}
