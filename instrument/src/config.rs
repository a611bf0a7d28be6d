//! Settings: the environment and the command line, read once into types.

mod arguments;
mod settings;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use contract::env;

pub use arguments::{HELP, Request, parse};
pub use settings::Settings;

/// How system calls are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every call stops: dear, but without `no_new_privs`.
    Full,
    /// Not at all.
    Off,
    /// A seccomp filter chooses.
    Seccomp,
}

/// What to do when tracing is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// The workload runs untraced, and the log says so.
    Availability,
    /// The workload does not run.
    Security,
}

/// What to do with a workload that sets up an `io_uring`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoUring {
    /// Report it.
    Allow,
    /// Refuse it, as a kernel without it does.
    Deny,
}

/// How much the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Silent,
    /// What stops the tracer.
    Error,
    /// What makes it see less.
    Warn,
    /// What an operator wants to know.
    Info,
    /// Decisions.
    Debug,
    /// Every stop.
    Trace,
}

/// Where events and alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A file of JSON lines.
    File(PathBuf),
    /// The sidecar.
    Socket(PathBuf),
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How system calls are watched.
    pub mode: Mode,
    /// What to do when tracing is impossible.
    pub priority: Priority,
    /// How much the log says.
    pub log: LogLevel,
    /// Where events and alerts go.
    pub output: Output,
    /// The sidecar's socket, for when the output cannot be opened; `None` when somebody who is
    /// there to see named the output on the command line.
    pub second_output: Option<PathBuf>,
    /// Rule files instead of the built-in ones.
    pub rules: Vec<PathBuf>,
    /// How rules are used and alerts are written.
    pub settings: Settings,
    /// Whether rule files were named on the command line.
    pub is_interactive: bool,
    /// Whether every event goes out, not only alerts.
    pub events: bool,
    /// What to do with `io_uring`.
    pub io_uring: IoUring,
    /// The program to become, and its arguments.
    pub command: Vec<OsString>,
}

/// Why the settings make no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An option that does not exist, or that lacks its value.
    #[error("{0}; see `instrument --help`")]
    Argument(String),
    /// A setting of the rules is wrong.
    #[error("{place}: {what}")]
    Setting {
        /// The option or the variable.
        place: &'static str,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// No program to become.
    #[error("no command given; see `instrument --help`")]
    NoCommand,
    /// A setting has a value that it cannot have.
    #[error("{name} is `{value}`, but must be {expected}")]
    Value {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
}

/// The environment.
pub type Environment = BTreeMap<OsString, OsString>;

/// The process's environment: the one place where it is read.
pub fn environment() -> Environment {
    std::env::vars_os().collect()
}

/// Settings from the environment.
pub fn from_environment(environment: &Environment) -> Result<Config, ConfigError> {
    let text = |name: &str| environment.get(OsStr::new(name)).filter(|v| !v.is_empty());
    let word = |name: &'static str| text(name).map(|v| v.to_string_lossy().to_ascii_lowercase());
    let wrong = |name, value: String, expected| ConfigError::Value {
        name,
        value,
        expected,
    };
    let mode = match word(env::WORKLOAD_AGENT_MODE).as_deref() {
        None | Some("seccomp") => Mode::Seccomp,
        Some("full") => Mode::Full,
        Some("off") => Mode::Off,
        Some(other) => {
            let expected = "seccomp, full or off";
            return Err(wrong(env::WORKLOAD_AGENT_MODE, other.into(), expected));
        }
    };
    let priority = match word(env::SYSDIG_PRIORITY).as_deref() {
        None | Some("availability") => Priority::Availability,
        Some("security") => Priority::Security,
        Some(other) => {
            let expected = "availability or security";
            return Err(wrong(env::SYSDIG_PRIORITY, other.into(), expected));
        }
    };
    let io_uring = match word(env::WORKLOAD_AGENT_IO_URING).as_deref() {
        None | Some("allow") => IoUring::Allow,
        Some("deny") => IoUring::Deny,
        Some(other) => {
            let expected = "allow or deny";
            return Err(wrong(env::WORKLOAD_AGENT_IO_URING, other.into(), expected));
        }
    };
    let log = match word(env::SYSDIG_LOGGING) {
        None => LogLevel::Info,
        Some(level) => LogLevel::parse(&level).ok_or_else(|| {
            let expected = "silent, fatal, critical, error, warning, info, debug or trace";
            wrong(env::SYSDIG_LOGGING, level, expected)
        })?,
    };
    let socket = text(env::WORKLOAD_AGENT_SOCKET)
        .map_or_else(|| contract::path::SOCKET.into(), PathBuf::from);
    let output = match text(env::WORKLOAD_AGENT_OUTPUT) {
        Some(file) => Output::File(file.into()),
        None => Output::Socket(socket.clone()),
    };
    Ok(Config {
        mode,
        priority,
        log,
        output,
        second_output: Some(socket),
        rules: text(env::WORKLOAD_AGENT_RULES).map_or_else(Vec::new, |list| paths(list)),
        settings: settings(text(env::WORKLOAD_AGENT_SET))?,
        is_interactive: false,
        events: false,
        io_uring,
        command: Vec::new(),
    })
}

/// Reads settings, one per line or semicolon.
fn settings(text: Option<&OsString>) -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    let text = text.map(|text| text.to_string_lossy());
    let each = text.iter().flat_map(|text| text.split([';', '\n']));
    for setting in each.filter(|setting| !setting.trim().is_empty()) {
        settings.set(setting).map_err(|what| ConfigError::Setting {
            place: env::WORKLOAD_AGENT_SET,
            what,
        })?;
    }
    Ok(settings)
}

/// Cuts a comma-separated list.
fn paths(list: &OsStr) -> Vec<PathBuf> {
    list.as_bytes()
        .split(|byte| *byte == b',')
        .filter(|part| !part.is_empty())
        .map(|part| PathBuf::from(OsStr::from_bytes(part)))
        .collect()
}

impl LogLevel {
    /// Reads a level, lower case.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "silent" => Self::Silent,
            "fatal" | "critical" | "error" => Self::Error,
            "warning" | "warn" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        from_environment(&pairs.collect())
    }

    #[test]
    fn an_empty_environment_has_defaults() {
        let config = config(&[]).unwrap();
        assert_eq!(
            (config.mode, config.priority),
            (Mode::Seccomp, Priority::Availability)
        );
        assert_eq!(config.output, Output::Socket(contract::path::SOCKET.into()));
        assert_eq!(config.log, LogLevel::Info);
    }

    #[test]
    fn settings_are_read() {
        let config = config(&[
            ("WORKLOAD_AGENT_MODE", "full"),
            ("SYSDIG_PRIORITY", "security"),
            ("WORKLOAD_AGENT_OUTPUT", "/tmp/alerts"),
            ("WORKLOAD_AGENT_RULES", "/a.yaml,,b.yaml"),
            ("WORKLOAD_AGENT_IO_URING", "deny"),
            ("SYSDIG_LOGGING", "DEBUG"),
        ])
        .unwrap();
        assert_eq!(
            (config.mode, config.priority),
            (Mode::Full, Priority::Security)
        );
        assert_eq!(config.output, Output::File("/tmp/alerts".into()));
        assert_eq!(config.rules, [PathBuf::from("/a.yaml"), "b.yaml".into()]);
        assert_eq!(
            (config.io_uring, config.log),
            (IoUring::Deny, LogLevel::Debug)
        );
    }

    #[test]
    fn settings_of_rules_are_read_from_one_variable() {
        let set = config(&[("WORKLOAD_AGENT_SET", "rule_matching=all; priority=error\n")]).unwrap();
        assert_eq!(
            set.settings.options.minimum_priority,
            event::Priority::Error
        );
        let error = config(&[("WORKLOAD_AGENT_SET", "rule_matching=x")]).unwrap_err();
        let message = "WORKLOAD_AGENT_SET: rule_matching is `x`, but must be first or all";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn wrong_values_name_the_variable_and_the_way_out() {
        let error = config(&[("WORKLOAD_AGENT_MODE", "fast")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "WORKLOAD_AGENT_MODE is `fast`, but must be seccomp, full or off"
        );
        assert!(config(&[("SYSDIG_PRIORITY", "x")]).is_err());
        assert!(config(&[("SYSDIG_LOGGING", "loud")]).is_err());
        assert!(config(&[("WORKLOAD_AGENT_IO_URING", "x")]).is_err());
    }
}
