//! What the environment says to tests and to the programs of this package.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that reads the environment"
)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::parity::Mode;

/// Names the socket of the daemon that the scenarios use; `with-dockerd` sets it.
pub const E2E_DOCKER_SOCKET: &str = "E2E_DOCKER_SOCKET";
/// Says why there is no daemon, when there is none; `with-dockerd` sets it.
pub const E2E_NO_DOCKER: &str = "E2E_NO_DOCKER";

/// The socket of the tests' own Docker daemon, or the reason why there is none.
pub fn docker_socket() -> Result<PathBuf, String> {
    match (env::var_os(E2E_DOCKER_SOCKET), env::var(E2E_NO_DOCKER)) {
        (Some(socket), _) => Ok(PathBuf::from(socket)),
        (None, Ok(reason)) => Err(reason),
        (None, Err(_)) => Err(
            "no Docker daemon of our own: `cargo xtask test --step scenarios` starts one".into(),
        ),
    }
}

/// The tracer's mode for the suites that run in one mode only: `E2E_MODE`, by default `seccomp`.
///
/// # Panics
///
/// When it is set to something else than a mode that traces.
pub fn mode() -> Mode {
    let asked = env::var("E2E_MODE").unwrap_or_else(|_| "seccomp".to_owned());
    let is_full = asked == "full";
    assert!(
        is_full || asked == "seccomp",
        "E2E_MODE is `{asked}`; it may be `seccomp` or `full`"
    );
    if is_full { Mode::Full } else { Mode::Seccomp }
}

/// For how many seconds servers are kept busy that no rule may fire on: `QUIET_SECONDS`, by default
/// three.
///
/// # Panics
///
/// When it is set to something else than a number.
pub fn quiet_seconds() -> u32 {
    let asked = env::var("QUIET_SECONDS").ok();
    asked.map_or(3, |seconds| {
        seconds.parse().expect("QUIET_SECONDS is a number")
    })
}

/// The directory into which cargo puts programs: the one that holds us, or its parent for tests.
pub fn program_directory() -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    let mut directory = own.parent().unwrap_or(&own).to_path_buf();
    if directory.ends_with("deps") {
        directory.pop();
    }
    Ok(directory)
}

/// Where programs are looked for.
pub fn search_path() -> OsString {
    let base = env::var_os("PATH").unwrap_or_default();
    let mut path = base;
    // Daemons live in the directories of the system, which a user's PATH may lack.
    path.push(":/usr/sbin:/sbin");
    path
}

/// The first program of that name on the search path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    env::split_paths(&search_path())
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// moto's server: in the virtual environment that the patcher's tests make, or on the search path.
pub fn moto_server() -> Option<Command> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/venv");
    let venv = env::var_os("AWS_VENV").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let python = venv.join("bin/python");
    if python.is_file() && venv.join("complete").is_file() {
        // By its interpreter: the script names the place where it was made.
        let mut command = Command::new(python);
        command.arg(venv.join("bin/moto_server"));
        return Some(command);
    }
    find_program("moto_server").map(Command::new)
}

/// The directory with the upstream rule files, when the user has one.
pub fn falco_rules() -> Option<PathBuf> {
    env::var_os("FALCO_RULES_DIR").map(PathBuf::from)
}

/// The directory with kernels to test on, or the reason why there is none.
pub fn kernels() -> Result<PathBuf, String> {
    env::var_os("E2E_KERNELS")
        .map(PathBuf::from)
        .ok_or_else(|| "no kernels: `cargo xtask kernels` gets some".to_owned())
}

/// Whether the user asked for no colours (<https://no-color.org>).
pub fn no_colour() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The arguments after the program's name.
pub fn arguments() -> Vec<OsString> {
    env::args_os().skip(1).collect()
}
