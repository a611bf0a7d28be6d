//! The command line. Everything that a person reads on standard output comes from here.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use lexopt::Arg;

use crate::admin;
use crate::app;
use crate::config::{self, Config};
use crate::intake;
use crate::log::LogLevel;
use crate::table;

const HELP: &str = "\
Takes events and alerts of every container of a task and stores them.

Usage: sidecar [COMMAND]

Commands:
  (none)           Run until SIGTERM, then drain
  status [--json]  Show containers, sinks, lag and drops of the running sidecar
  health           Exit 0 when the sidecar runs; for the container health check
  metrics          Print the metrics in Prometheus' text format
  log-level LEVEL  Change the log level of the sidecar and of all tracers

Options:
  -h, --help       Show this help
  -V, --version    Show the version

Settings come from the environment:
  WORKLOAD_AGENT_OUTPUT         sinks, as stdout?events=off,cloudwatch:GROUP?priority=warning
                                (stdout, cloudwatch, file, otlp, orchestrator, nats)
  WORKLOAD_AGENT_LOG_GROUP      log group; selects cloudwatch when no output is named
  WORKLOAD_AGENT_LOG_STREAM     log stream; the task's id when not set
  WORKLOAD_AGENT_SOCKET         where tracers connect
  WORKLOAD_AGENT_ADMIN          where status and health are asked for
  WORKLOAD_AGENT_HTTP           address:port for /metrics and /healthz
  WORKLOAD_AGENT_SPOOL          folder of the spool, or off
  WORKLOAD_AGENT_SPOOL_BYTES    the most bytes it may take (67108864)
  WORKLOAD_AGENT_SPOOL_SYNC     batch, interval or never (interval)
  WORKLOAD_AGENT_DRAIN          seconds from SIGTERM to the end (25)
  WORKLOAD_AGENT_HEARTBEAT      seconds between heartbeat records (60)
  WORKLOAD_AGENT_MESSAGE_BYTES  the longest message (262118)
  WORKLOAD_AGENT_FOLD           alerts alike before the rest is folded (5; 0 never)
  WORKLOAD_AGENT_RATE           frames a second of one session (200000)
  SYSDIG_LOGGING                silent, error, warning, info, debug or trace (info)

Examples:
  sidecar
  WORKLOAD_AGENT_LOG_GROUP=/ecs/alerts sidecar
  WORKLOAD_AGENT_SOCKET=/tmp/a.sock WORKLOAD_AGENT_OUTPUT=file:/tmp/a.jsonl sidecar
  sidecar status
";

enum Command {
    Health,
    Help,
    LogLevel(String),
    Metrics,
    Run,
    Status { json: bool },
    Version,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let command = match parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            complain(&format!("{error} (see sidecar --help)"));
            return code(contract::exit::USAGE);
        }
    };
    match perform(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            code(contract::exit::FAILURE)
        }
    }
}

fn code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut words = Vec::new();
    let mut json = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Long("json") => json = true,
            Arg::Value(word) => words.push(word.to_string_lossy().into_owned()),
            _ => return Err(arg.unexpected()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (words.as_slice(), json) {
        ([], false) => Ok(Command::Run),
        (["health"], false) => Ok(Command::Health),
        (["log-level", level], false) => Ok(Command::LogLevel((*level).to_owned())),
        (["metrics"], false) => Ok(Command::Metrics),
        (["status"], json) => Ok(Command::Status { json }),
        _ => Err(format!("unknown command `{}`", words.join(" ")).into()),
    }
}

fn perform(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Help => say(HELP),
        Command::Version => say(&format!("sidecar {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Run => run(),
        Command::Health => health(),
        Command::Metrics => say(&ask("GET", "/metrics")?),
        Command::LogLevel(level) => ask("POST", &format!("/log-level/{level}")).map(drop),
        Command::Status { json } => {
            let text = ask("GET", "/status")?;
            if json {
                return say(&format!("{text}\n"));
            }
            let status =
                serde_json::from_str(&text).context("the sidecar's answer makes no sense")?;
            say(&table::render(&status, std::io::stdout().is_terminal()))
        }
    }
}

fn run() -> anyhow::Result<()> {
    let config = Config::parse(&config::environment()?)?;
    let log = LogLevel::start(&config.log);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(app::run(config, log));
    // What still blocks (a read from a name server, say) must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Asks whether the sidecar runs. Where it could not open its own socket, as in an image without
/// the folder for it, the one for tracers must answer.
fn health() -> anyhow::Result<()> {
    let config = Config::parse(&config::environment()?)?;
    if config.admin.exists() {
        return ask("GET", "/healthz").map(drop);
    }
    intake::knock(&config.socket).with_context(|| {
        format!(
            "no socket `{}`, and no answer on `{}`; is the sidecar running?",
            config.admin.display(),
            config.socket.display()
        )
    })
}

/// Asks the running sidecar.
fn ask(method: &'static str, path: &str) -> anyhow::Result<String> {
    let config = Config::parse(&config::environment()?)?;
    admin::ask(&config.admin, method, path).with_context(|| {
        format!(
            "no answer on `{}`; is the sidecar running?",
            config.admin.display()
        )
    })
}

#[expect(clippy::print_stdout, reason = "the one door to standard output")]
fn say(text: &str) -> anyhow::Result<()> {
    print!("{text}");
    std::io::stdout()
        .flush()
        .context("cannot write to standard output")
}

#[expect(
    clippy::print_stderr,
    reason = "the one door to standard error before logging"
)]
fn complain(text: &str) {
    eprintln!("sidecar: {text}");
}
