//! Installs the Debian packages that tests make use of.
//!
//! Nothing here is needed to build; a test that misses one of these says so and is skipped.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::tally::Tally;
use crate::console::Console;

/// A program that tests run, and the package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("bash", "bash"),
    ("busybox", "busybox-static"),
    ("cc", "gcc"),
    ("docker-init", "tini"),
    ("docker-registry", "docker-registry"),
    ("dockerd", "docker.io"),
    ("gdb", "gdb"),
    ("git", "git"),
    ("java", "default-jre-headless"),
    ("make", "make"),
    ("musl-gcc", "musl-tools"),
    ("nginx", "nginx-light"),
    ("nats-server", "nats-server"),
    ("node", "nodejs"),
    ("nsenter", "util-linux"),
    ("pg_lsclusters", "postgresql"),
    ("python3", "python3"),
    ("redis-benchmark", "redis-tools"),
    ("redis-server", "redis-server"),
    ("restic", "restic"),
    ("runsvdir", "runit"),
    ("s6-svscan", "s6"),
    ("strace", "strace"),
    ("supervisord", "supervisor"),
    ("tini", "tini"),
    ("wrk", "wrk"),
];

/// Where programs are looked for, whatever `PATH` says.
const DIRECTORIES: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// Installs what is missing when that is possible, and says what happens otherwise.
pub(crate) fn install(console: &Console, forbidden: bool) -> anyhow::Result<Tally> {
    let missing = missing(|program| {
        DIRECTORIES
            .iter()
            .any(|directory| Path::new(directory).join(program).exists())
    });
    if missing.is_empty() {
        console.good("everything is there");
        return Ok(Tally::passed());
    }
    let list = missing.join(" ");
    if let Some(reason) = obstacle(forbidden)? {
        console.warn(&format!("not installed: {list} ({reason})"));
        return Ok(skip(&list, reason));
    }
    console.line(&format!("installing {list}"));
    let updated = apt(&["update"])?;
    let mut words = vec!["install", "-y", "--no-install-recommends"];
    words.extend(&missing);
    if updated && apt(&words)? {
        return Ok(Tally::passed());
    }
    let reason = "apt-get failed";
    console.warn(&format!("not installed: {list} ({reason})"));
    Ok(skip(&list, reason))
}

fn skip(list: &str, reason: &str) -> Tally {
    let skip = format!("packages: {reason}; tests that need one of {list} are skipped");
    Tally {
        skips: vec![skip],
        ..Tally::default()
    }
}

fn missing(is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    PROGRAMS
        .iter()
        .filter(|(program, _)| !is_there(program))
        .map(|&(_, package)| package)
        .collect()
}

/// Why nothing can be installed here.
pub(super) fn obstacle(forbidden: bool) -> anyhow::Result<Option<&'static str>> {
    Ok(if forbidden {
        Some("--no-install")
    } else if std::fs::metadata("/proc/self")?.uid() != 0 {
        Some("not root")
    } else if !Path::new("/usr/bin/apt-get").exists() {
        Some("no apt-get")
    } else {
        None
    })
}

fn apt(words: &[&str]) -> anyhow::Result<bool> {
    let status = Command::new("apt-get")
        .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Keeps the packages' own daemons from being started: the tests run their own.
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_asked_for() {
        assert_eq!(missing(|_| true), Vec::<&str>::new());
        assert_eq!(missing(|program| program != "dockerd"), ["docker.io"]);
    }
}
