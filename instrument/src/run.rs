//! The wiring: settings, two processes, and what each of them does.

use std::ffi::{CString, OsStr};
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use contract::{env, exit};
use event::EventTypeSet;
use sys::Pid;

use crate::brain::Pace;
use crate::config::{self, Config, Environment, Mode, Output, Priority, Request, Settings};
use crate::filter::{Directories, Plan};
use crate::foreign::{Entry, Found, Lookout};
use crate::ids::Tracer;
use crate::judge::{Judge, RulesError};
use crate::launch::{self, Channel, Command, LaunchError, Side, Watched};
use crate::log;
use crate::notice::Notices;
use crate::outbox::{self, Destination, Identity, Outbox, Rounds};
use crate::ruletools::{self, Tool};
use crate::watch::{Doubt, Policy, Watch};

/// How long a workload that cannot be traced may wait for that to be told.
const UNTRACED_WORDS: Duration = Duration::from_millis(500);

/// The program.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let environment = config::environment();
    let request = config::from_environment(&environment)
        .map_err(|error| (exit::REFUSED, error))
        .and_then(|config| config::parse(config, arguments).map_err(|error| (exit::USAGE, error)));
    match request {
        Err((code, error)) => complain(code, &error),
        Ok(Request::Help) => print(config::HELP),
        Ok(Request::Version) => print(concat!("instrument ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Rules(tool, files, settings)) => {
            help_author(&tool, &files, &settings, &environment)
        }
        Ok(Request::Run(config)) => start(&config, &environment),
    }
}

fn help_author(
    tool: &Tool,
    files: &[PathBuf],
    settings: &Settings,
    environment: &Environment,
) -> ExitCode {
    use std::io::IsTerminal as _;
    let is_plain = environment.contains_key(OsStr::new("NO_COLOR"));
    let style = if std::io::stdout().is_terminal() && !is_plain {
        rules::Style::Colour
    } else {
        rules::Style::Plain
    };
    let answer = ruletools::run(tool, files, settings, style);
    let printed = print(&answer.text);
    if answer.is_fine {
        printed
    } else {
        ExitCode::FAILURE
    }
}

fn print(text: &str) -> ExitCode {
    use std::io::Write as _;
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(code: i32, error: &dyn std::fmt::Display) -> ExitCode {
    log::line(&format!("instrument: {error}"));
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn start(config: &Config, environment: &Environment) -> ExitCode {
    log::start(config.log);
    forget_secrets();
    let search_path = environment.get(OsStr::new("PATH"));
    let command = Command::find(
        &config.command,
        search_path.map(std::ffi::OsString::as_os_str),
        sys::raw_environment(),
    );
    let command = match command {
        Ok(command) => command,
        Err(error) => return complain(error.exit_code(), &error),
    };
    if config.mode == Mode::Off {
        return execute(&command);
    }
    let identity = identity(config.mode, environment);
    let judge = match judge(config, identity.hostname()) {
        Ok(judge) => judge,
        Err(error) => return complain(exit::REFUSED, &error),
    };
    let destination = match (destination(&config.output), &config.second_output) {
        (Ok(destination), _) => destination,
        (Err(error), Some(socket)) if config.priority == Priority::Availability => {
            tracing::error!(%error, "Alerts go to the sidecar instead.");
            Destination::Socket(socket.clone())
        }
        (Err(error), _) => return complain(exit::REFUSED, &error),
    };
    let policy = policy(config, &judge);
    match launch::split() {
        Ok(Side::Tracer(channel, workload)) => {
            let outbox = outbox::Config {
                form: config.settings.form,
                ..outbox::Config::new(destination)
            };
            trace((channel, workload), (policy, judge), outbox, identity)
        }
        Ok(Side::Workload(mut channel, tracer)) => {
            let wanted = (config.mode == Mode::Seccomp).then_some(policy.stopping());
            match channel.be_traced(tracer, wanted) {
                Ok(None) => execute(&command),
                Ok(Some(refused)) => {
                    tracing::warn!(error = %refused, "No filter: every call stops, which is slow.");
                    execute(&command)
                }
                Err(error) => {
                    drop(channel);
                    sys::reap_unseen(tracer);
                    untraced(config, &command, &error)
                }
            }
        }
        Err(error) => untraced(config, &command, &error),
    }
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

/// The access key is of no use to the workload, nor in `/proc/PID/environ` of the tracer.
fn forget_secrets() {
    if let Ok(name) = CString::new(env::SYSDIG_ACCESS_KEY) {
        sys::forget_variable(&name);
    }
}

fn execute(command: &Command) -> ExitCode {
    let error = command.execute();
    complain(error.exit_code(), &error)
}

/// Tracing is impossible: what then is a setting.
fn untraced(config: &Config, command: &Command, error: &LaunchError) -> ExitCode {
    match config.priority {
        Priority::Availability => {
            tracing::error!(%error, "The workload runs untraced.");
            execute(command)
        }
        Priority::Security => complain(
            exit::REFUSED,
            &format_args!(
                "{error}; with SYSDIG_PRIORITY=security the workload does not run untraced"
            ),
        ),
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

/// What `ps` shows of the tracer.
const SHOWN_AS: &str = "instrument: tracer";

/// The tracer's process.
fn trace(
    (channel, workload): (Channel, Pid),
    (policy, judge): (Policy, Judge),
    outbox: outbox::Config,
    identity: Identity,
) -> ExitCode {
    log::borrow_from(workload);
    // Who looks for the workload by its command line (`pkill -f`) does not mean the tracer.
    sys::show_as(SHOWN_AS);
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!("A fault of the tracer: {panic}.");
    }));
    let mut keep = vec![channel.descriptor()];
    if let Destination::File(file) = &outbox.destination {
        keep.push(file.as_raw_fd());
    }
    // Each step is worth taking even when another one is refused.
    let steps = [
        sys::on_wake(),
        sys::close_all_but(&keep),
        sys::null_standard_descriptors(),
        sys::become_invisible(),
    ];
    for errno in steps.into_iter().filter_map(Result::err) {
        tracing::error!(
            error = errno.desc(),
            "The tracer cannot hide from the workload."
        );
    }
    if std::env::set_current_dir("/").is_err() {
        tracing::debug!("The tracer keeps the workload's directory busy.");
    }
    let found = Arc::new(Found::default());
    let mut lookout = Lookout::new(workload, Arc::clone(&found));
    let (alarm, thread) = (judge.alarm(), sys::Tid::this());
    let rounds = move || {
        let due = alarm.as_ref().map(|alarm| alarm.look(thread, sys::now()));
        lookout.look().min(due.unwrap_or(Duration::MAX))
    };
    let outbox = outbox::Config {
        rounds: Some(Rounds(Box::new(rounds))),
        ..outbox
    };
    // Before anything is seized: what cannot be traced to its end must not be begun.
    let mut outbox = match Outbox::start(outbox, identity) {
        Ok(outbox) => outbox,
        Err(error) => {
            tracing::error!(%error, "The tracer cannot start its sender.");
            return ExitCode::FAILURE;
        }
    };
    let watched = match channel.trace(workload, outbox.sender()) {
        Ok(watched) => watched,
        Err(error) => {
            // The workload's side tells people and goes on or not; this one tells the sidecar.
            outbox.alert(&Notices::of(judge.hostname()).untraced(&error));
            outbox.flush(&wire::Bye::default(), UNTRACED_WORDS);
            return ExitCode::FAILURE;
        }
    };
    let tracer = Tracer {
        pid: Pid::this(),
        sender: outbox.sender(),
    };
    let (pace, plan) = match watched {
        Watched::Bare => (Pace::Every, None),
        Watched::Filtered => (
            Pace::Filtered,
            Some(Plan {
                wanted: policy.stopping(),
                tracer,
            }),
        ),
    };
    Watch::new((tracer, workload), pace, policy, judge, outbox)
        .with_entry(Entry::new(found, plan.as_ref()))
        .run();
    ExitCode::SUCCESS
}
