//! The settings: the only module that reads the environment.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use contract::env;
use event::{EventType, Priority};

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where tracers connect.
    pub socket: PathBuf,
    /// Where records go.
    pub sinks: Vec<SinkConfig>,
    /// The task metadata endpoint, when ECS gave one.
    pub metadata: Option<String>,
    /// Where status and health are asked for.
    pub admin: PathBuf,
    /// An address for `/metrics` and `/healthz` over TCP.
    pub http: Option<std::net::SocketAddr>,
    /// Spool settings.
    pub spool: SpoolConfig,
    /// From SIGTERM to the end.
    pub drain: Duration,
    /// Between heartbeat records.
    pub heartbeat: Duration,
    /// The longest message, bytes.
    pub message_bytes: usize,
    /// Alerts alike within [`FOLD_WINDOW`] that are sent one by one before they are folded; 0
    /// never folds.
    pub fold_after: u32,
    /// Frames a second that one session may send before it is read more slowly.
    pub rate: u32,
    /// What is logged.
    pub log: String,
}

/// The longest time that can be set: a day.
const MAX_SECONDS: u64 = 86_400;

/// How long alerts alike are folded into one record.
pub const FOLD_WINDOW: Duration = Duration::from_secs(10);

/// The disk behind the queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolConfig {
    /// The folder; `None` when switched off.
    pub dir: Option<PathBuf>,
    /// The most bytes it may take.
    pub bytes: u64,
    /// When data is forced to the device.
    pub sync: SyncPolicy,
}

/// When data is forced to the device. Whatever the policy, a process that dies loses nothing: the
/// kernel has the data by then. The policy matters when the machine itself stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before frames are acknowledged.
    Batch,
    /// Twice a second.
    Interval,
    /// By the kernel, in its time.
    Never,
}

/// A place to store, and what goes there.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkConfig {
    /// Which.
    pub target: Target,
    /// What goes there.
    pub route: Route,
}

/// Places to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// CloudWatch Logs.
    CloudWatch {
        /// Log group; made when absent.
        group: String,
        /// Log stream; the task's id when not set.
        stream: Option<String>,
    },
    /// A file, rotated.
    File {
        /// Its path; older ones have `.1`, `.2`, … behind it.
        path: PathBuf,
        /// Bytes before it is rotated.
        rotate: u64,
        /// Older files that are kept.
        keep: u32,
    },
    /// NATS `JetStream`.
    Nats {
        /// Server, as `nats://host:4222`.
        url: String,
        /// First words of the subjects.
        subject: String,
    },
    /// An orchestrator that speaks the wire protocol.
    Orchestrator {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// Whether over TLS.
        tls: bool,
    },
    /// OTLP logs over HTTP.
    Otlp {
        /// The full address, as `https://host:4318/v1/logs`.
        url: String,
    },
    /// Lines on standard output.
    Stdout,
}

impl Target {
    /// The word in settings, metrics, cursors and records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CloudWatch { .. } => "cloudwatch",
            Self::File { .. } => "file",
            Self::Nats { .. } => "nats",
            Self::Orchestrator { .. } => "orchestrator",
            Self::Otlp { .. } => "otlp",
            Self::Stdout => "stdout",
        }
    }
}

/// What goes to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Alerts at least as bad as this.
    pub priority: Priority,
    /// Which events.
    pub events: EventFilter,
    /// One of so many events.
    pub sample: u64,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            priority: Priority::Debug,
            events: EventFilter::All,
            sample: 1,
        }
    }
}

/// Which events a sink takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFilter {
    /// All of them.
    All,
    /// These types.
    Kinds(Vec<EventType>),
    /// None.
    Off,
}

/// A setting that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{name}=`{value}`: {problem}")]
pub struct ConfigError {
    /// The variable.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// Settings by name.
pub type Vars = BTreeMap<String, String>;

/// The process' environment. A setting of ours that is not UTF-8 is an error; what others set is not
/// our affair.
pub fn environment() -> Result<Vars, ConfigError> {
    let mut vars = Vars::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => drop(vars.insert(name, value)),
            Err(value) if name.starts_with("WORKLOAD_AGENT_") || name.starts_with("SYSDIG_") => {
                return Err(ConfigError {
                    name: name.into(),
                    value: value.to_string_lossy().into_owned(),
                    problem: "not UTF-8".to_owned(),
                });
            }
            Err(_) => {}
        }
    }
    Ok(vars)
}

/// The folder with recorded answers of the metadata endpoint, where the machine has one.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn metadata_samples() -> Option<PathBuf> {
    let beside = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/ecs-metadata"
    );
    let folder =
        std::env::var_os("ECS_METADATA_SAMPLES").map_or_else(|| beside.into(), PathBuf::from);
    folder.is_dir().then_some(folder)
}

impl Config {
    /// Reads the settings.
    pub fn parse(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            socket: text(vars, env::WORKLOAD_AGENT_SOCKET)
                .unwrap_or(contract::path::SOCKET)
                .into(),
            sinks: crate::output::parse(vars)?,
            metadata: text(vars, env::ECS_CONTAINER_METADATA_URI_V4).map(str::to_owned),
            admin: text(vars, env::WORKLOAD_AGENT_ADMIN)
                .unwrap_or(contract::path::ADMIN)
                .into(),
            http: parsed(
                vars,
                env::WORKLOAD_AGENT_HTTP,
                "say address:port, as 127.0.0.1:9464",
            )?,
            spool: SpoolConfig {
                dir: match text(vars, env::WORKLOAD_AGENT_SPOOL).unwrap_or(contract::path::SPOOL) {
                    "off" => None,
                    dir => Some(dir.into()),
                },
                bytes: number(vars, env::WORKLOAD_AGENT_SPOOL_BYTES, 64 << 20, 4 << 20)?,
                sync: sync_policy(vars)?,
            },
            drain: seconds(vars, env::WORKLOAD_AGENT_DRAIN, 25)?,
            heartbeat: seconds(vars, env::WORKLOAD_AGENT_HEARTBEAT, 60)?,
            message_bytes: usize::try_from(number(
                vars,
                env::WORKLOAD_AGENT_MESSAGE_BYTES,
                256 * 1024 - 26,
                1024,
            )?)
            .unwrap_or(usize::MAX)
            .min(1024 * 1024 - 26),
            fold_after: u32::try_from(number(vars, env::WORKLOAD_AGENT_FOLD, 5, 0)?)
                .unwrap_or(u32::MAX),
            rate: u32::try_from(number(vars, env::WORKLOAD_AGENT_RATE, 200_000, 1)?)
                .unwrap_or(u32::MAX),
            log: text(vars, env::SYSDIG_LOGGING).unwrap_or("info").to_owned(),
        })
    }
}

fn sync_policy(vars: &Vars) -> Result<SyncPolicy, ConfigError> {
    let name = env::WORKLOAD_AGENT_SPOOL_SYNC;
    match text(vars, name) {
        None | Some("interval") => Ok(SyncPolicy::Interval),
        Some("batch") => Ok(SyncPolicy::Batch),
        Some("never") => Ok(SyncPolicy::Never),
        Some(value) => Err(error(name, value, "say batch, interval or never")),
    }
}

/// A setting that is there and not empty.
pub(crate) fn text<'a>(vars: &'a Vars, name: &str) -> Option<&'a str> {
    vars.get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

pub(crate) fn error(name: &'static str, value: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError {
        name: name.into(),
        value: value.to_owned(),
        problem: problem.into(),
    }
}

fn parsed<T: std::str::FromStr>(
    vars: &Vars,
    name: &'static str,
    problem: &str,
) -> Result<Option<T>, ConfigError> {
    text(vars, name)
        .map(|value| value.parse().map_err(|_| error(name, value, problem)))
        .transpose()
}

fn number(vars: &Vars, name: &'static str, default: u64, least: u64) -> Result<u64, ConfigError> {
    let problem = format!("say a number, at least {least}");
    let value = parsed::<u64>(vars, name, &problem)?.unwrap_or(default);
    if value < least {
        Err(error(name, &value.to_string(), problem))
    } else {
        Ok(value)
    }
}

fn seconds(vars: &Vars, name: &'static str, default: u64) -> Result<Duration, ConfigError> {
    let seconds = number(vars, name, default, 1)?;
    if seconds > MAX_SECONDS {
        let problem = format!("say seconds, at most {MAX_SECONDS}");
        return Err(error(name, &seconds.to_string(), problem));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn nothing_set_means_stdout_and_the_usual_places() {
        let config = Config::parse(&Vars::new()).unwrap();
        assert_eq!(config.socket, PathBuf::from(contract::path::SOCKET));
        assert_eq!(config.sinks.len(), 1);
        assert_eq!(config.sinks[0].target, Target::Stdout);
        assert_eq!(config.drain, Duration::from_secs(25));
    }

    #[test]
    fn an_error_names_the_variable_its_value_and_the_way_out() {
        let cases = [
            (
                env::WORKLOAD_AGENT_DRAIN,
                "soon",
                "say a number, at least 1",
            ),
            (env::WORKLOAD_AGENT_DRAIN, "0", "say a number, at least 1"),
            (
                env::WORKLOAD_AGENT_HEARTBEAT,
                "18446744073709551615",
                "say seconds, at most 86400",
            ),
            (
                env::WORKLOAD_AGENT_SPOOL_SYNC,
                "yes",
                "say batch, interval or never",
            ),
            (
                env::WORKLOAD_AGENT_HTTP,
                "9464",
                "say address:port, as 127.0.0.1:9464",
            ),
        ];
        for (name, value, problem) in cases {
            let error = Config::parse(&vars(&[(name, value)])).unwrap_err();
            assert_eq!(error.to_string(), format!("{name}=`{value}`: {problem}"));
        }
    }

    #[test]
    fn an_empty_setting_is_no_setting() {
        let config = Config::parse(&vars(&[(env::WORKLOAD_AGENT_DRAIN, " ")])).unwrap();
        assert_eq!(config.drain, Duration::from_secs(25));
    }
}
