//! `with-dockerd DIRECTORY COMMAND…`: runs a command while a Docker daemon of our own is there.
//!
//! The command finds the daemon's socket in `E2E_DOCKER_SOCKET`. When no daemon can be started
//! the command runs all the same, with the reason in `E2E_NO_DOCKER`. Ends as the command ends.
#![forbid(unsafe_code)]

use std::io::{Write as _, stderr};
use std::path::Path;
use std::process::{Command, ExitCode};

use e2e::config::{self, E2E_DOCKER_SOCKET, E2E_NO_DOCKER};
use e2e::dockerd::Daemon;

fn main() -> ExitCode {
    let arguments = config::arguments();
    let [directory, program, rest @ ..] = arguments.as_slice() else {
        return complain("usage: with-dockerd DIRECTORY COMMAND…");
    };
    let mut command = Command::new(program);
    command.args(rest);
    let daemon = Daemon::start(Path::new(directory));
    match &daemon {
        Ok(daemon) => command.env(E2E_DOCKER_SOCKET, daemon.socket()),
        Err(error) => {
            drop(writeln!(stderr(), "scenarios run without Docker: {error}"));
            command
                .env_remove(E2E_DOCKER_SOCKET)
                .env(E2E_NO_DOCKER, error.to_string())
        }
    };
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => complain(&format!("cannot run `{}`: {error}", program.display())),
    }
}

fn complain(reason: &str) -> ExitCode {
    // Without standard error there is nobody to tell.
    drop(writeln!(stderr(), "error: {reason}"));
    ExitCode::from(2)
}
