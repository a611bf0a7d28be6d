//! What the environment says, read in this one place.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that reads the environment"
)]

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

/// Where the sources, the build and the tools are.
#[derive(Debug)]
pub(crate) struct Config {
    /// The workspace's root directory.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// The cargo that runs us.
    pub(crate) cargo: OsString,
    /// The machine's own target triple.
    pub(crate) host: String,
    /// Flags for the compiler that the caller set.
    pub(crate) rustflags: String,
    /// Where cargo unpacks libraries.
    pub(crate) registry: PathBuf,
}

impl Config {
    /// Reads what cargo told us, and asks the compiler for the rest.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: start this as `cargo xtask`")?;
        let root = PathBuf::from(manifest)
            .parent()
            .context("CARGO_MANIFEST_DIR has no parent directory")?
            .to_path_buf();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(directory) => root.join(directory),
            None => root.join("target"),
        };
        Ok(Self {
            root,
            target,
            cargo,
            host: host_triple()?,
            rustflags: env::var("RUSTFLAGS").unwrap_or_default(),
            registry: cargo_home().join("registry/src"),
        })
    }

    /// A path below the directory into which cargo puts a profile's programs.
    pub(crate) fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(&self.host).join(profile).join(name)
    }
}

/// Whether the user asked for no colours (<https://no-color.org>).
pub(crate) fn no_colour() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn cargo_home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(
        || env::home_dir().unwrap_or_default().join(".cargo"),
        PathBuf::from,
    )
}

fn host_triple() -> anyhow::Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(&rustc)
        .arg("-vV")
        .output()
        .with_context(|| format!("cannot run `{}`", rustc.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(host) => Ok(host.to_owned()),
        None => bail!("`{} -vV` names no host", rustc.display()),
    }
}
