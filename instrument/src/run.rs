//! The wiring: settings, two processes, and what each of them does.

use std::ffi::{CString, OsStr};
use std::path::PathBuf;
use std::process::ExitCode;

use contract::{env, exit};

use crate::config::{self, Config, Environment, Mode, Priority, Request, Settings};
use crate::launch::{self, Beginning, Command, LaunchError, Side};
use crate::log;
use crate::ruletools::{self, Tool};

mod prepared;
mod tracer;

use prepared::prepare;
use tracer::trace;

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
    exit_code(code)
}

fn exit_code(code: i32) -> ExitCode {
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
    match launch::split() {
        Ok(Side::Tracer(channel, workload)) => match prepare(config, environment) {
            Ok(prepared) => trace((channel, workload), prepared),
            Err(code) => {
                channel.refuse();
                code
            }
        },
        Ok(Side::Workload(mut channel, tracer)) => match channel.be_traced(tracer) {
            Ok(Beginning::Traced | Beginning::Unfiltered(None)) => execute(&command),
            Ok(Beginning::Unfiltered(Some(refused))) => {
                tracing::warn!(error = %refused, "No filter: every call stops, which is slow.");
                execute(&command)
            }
            Ok(Beginning::Refused) => {
                sys::reap_unseen(tracer);
                exit_code(exit::REFUSED)
            }
            Err(error) => {
                drop(channel);
                sys::reap_unseen(tracer);
                untraced(config, &command, &error)
            }
        },
        Err(error) => untraced(config, &command, &error),
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
