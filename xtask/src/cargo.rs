//! How cargo is called.
//!
//! Everything is built for the host's triple by name and with a static C library, by `test`,
//! `demo` and `dist` alike: then the programs that the tests run are the same files that go into
//! `FROM scratch` images, and the AWS SDK is compiled once.

use std::process::{Command, ExitStatus};

use anyhow::{Context as _, bail};

use crate::config::Config;

/// Makes a cargo command that builds static programs. `words` starts with the subcommand.
pub(crate) fn fixed(config: &Config, words: &[&str]) -> Command {
    let mut command = plain(config, words);
    command.args(["--target", &config.host]);
    let flags = flags(config);
    command.env("RUSTFLAGS", &flags);
    // Documentation tests link the same static libraries.
    command.env("RUSTDOCFLAGS", &flags);
    command
}

/// What the compiler is told: the caller's flags, and ours.
pub(crate) fn flags(config: &Config) -> String {
    let flags = format!("{} -Ctarget-feature=+crt-static", config.rustflags);
    flags.trim().to_owned()
}

/// Makes a cargo command with nothing added.
pub(crate) fn plain(config: &Config, words: &[&str]) -> Command {
    let mut command = Command::new(&config.cargo);
    command.args(words).current_dir(&config.root);
    command
}

/// Runs a command to its end, with our output streams.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("cannot run `{}`", command.get_program().display()))
}

/// Runs a command to its end and fails when it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` ended with {status}", spelled(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run `{}`", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            spelled(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}

/// The command as a person would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program());
    let name = name.file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
