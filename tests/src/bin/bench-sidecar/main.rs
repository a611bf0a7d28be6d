//! `cargo xtask bench sidecar`: what the sidecar that ships takes in a second of one core, and how
//! much memory it needs, with the store quick, slow and gone; and what a workload notices of it.
//!
//! Usage: `bench-sidecar DIST [--quick] [--output DIR]`
#![forbid(unsafe_code)]

mod stopped;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use e2e::cloudwatch::CloudWatch;
use e2e::config;
use e2e::load::{Overflow, Tracer, event};
use e2e::pace::{Deadline, pause};
use wire::Body;

const SESSIONS: u64 = 4;
/// The kernel's ticks in a second, on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

type Failure = Box<dyn std::error::Error>;

/// A sidecar for one measurement; it ends with it.
struct Sidecar {
    child: Child,
    dir: tempfile::TempDir,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // It may have ended by itself, which the measurement has noticed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Sidecar {
    fn start(program: &Path, vars: Vec<(String, String)>) -> Result<Self, Failure> {
        let dir = tempfile::tempdir()?;
        let child = Command::new(program)
            .env_clear()
            .env("WORKLOAD_AGENT_SOCKET", dir.path().join("agent.sock"))
            .env("WORKLOAD_AGENT_ADMIN", dir.path().join("admin.sock"))
            .env("WORKLOAD_AGENT_SPOOL", dir.path().join("spool"))
            .env("WORKLOAD_AGENT_RATE", "100000000")
            .env("SYSDIG_LOGGING", "error")
            .envs(vars)
            .stdout(Stdio::null())
            .spawn()?;
        let sidecar = Self { child, dir };
        let is_up = Deadline::seconds(10)
            .poll(|| std::os::unix::net::UnixStream::connect(sidecar.socket()).ok());
        is_up
            .map(|_| sidecar)
            .ok_or_else(|| "the sidecar does not listen".into())
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("agent.sock")
    }

    fn proc(&self, file: &str) -> std::io::Result<String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))
    }

    /// Seconds of CPU so far.
    fn cpu(&self) -> Result<f64, Failure> {
        let stat = self.proc("stat")?;
        let after_name = stat.rsplit_once(')').ok_or("no stat")?.1;
        let ticks = after_name.split_whitespace().skip(11).take(2);
        let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / TICKS)
    }

    /// Most memory so far, MiB.
    fn peak(&self) -> Result<f64, Failure> {
        let status = self.proc("status")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .ok_or("no peak")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }
}

/// One line of the table.
struct Row {
    what: &'static str,
    events: u64,
    seconds: f64,
    cpu: f64,
    peak: f64,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "shown without fractions")]
    fn text(&self) -> String {
        let per_second = self.events as f64 / self.seconds;
        let per_core = self.events as f64 / self.cpu.max(0.01);
        format!(
            "{:<24} {:>9} {:>8.2} {:>8.2} {:>11.0} {:>13.0} {:>9.1}",
            self.what, self.events, self.seconds, self.cpu, per_second, per_core, self.peak
        )
    }
}

/// Sends from several sessions; `pace` events a second in all, or as fast as possible.
fn load(sidecar: &Sidecar, events: u64, pace: Option<u64>) -> Result<(), Failure> {
    let each = events / SESSIONS;
    let pace = pace.map(|pace| pace / SESSIONS);
    std::thread::scope(|scope| {
        let sessions: Vec<_> = (0..SESSIONS)
            .map(|n| {
                let socket = sidecar.socket();
                scope.spawn(move || session(&socket, n, each, pace))
            })
            .collect();
        for session in sessions {
            session.join().map_err(|_| "a session panicked")??;
        }
        Ok(())
    })
}

fn session(socket: &Path, n: u64, count: u64, pace: Option<u64>) -> Result<(), String> {
    let mut tracer = Tracer::new(socket, &format!("bench-{n}"), 1 + n, Overflow::Wait);
    let began = Instant::now();
    let frame = event(n, 1_700_000_000_000_000_000);
    for k in 0..count {
        tracer
            .send(Body::Event(frame.clone().into()))
            .map_err(|error| error.to_string())?;
        if let Some(pace) = pace.filter(|_| k.is_multiple_of(200)) {
            let due = Duration::from_millis(k * 1000 / pace);
            pause(due.saturating_sub(began.elapsed()));
        }
    }
    tracer
        .finish(Deadline::seconds(120))
        .map(drop)
        .map_err(|error| error.to_string())
}

fn measure(
    what: &'static str,
    sidecar: &Sidecar,
    events: u64,
    pace: Option<u64>,
) -> Result<Row, Failure> {
    let (began, cpu) = (Instant::now(), sidecar.cpu()?);
    load(sidecar, events, pace)?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Row {
        what,
        events,
        seconds,
        cpu: sidecar.cpu()? - cpu,
        peak: sidecar.peak()?,
    })
}

fn run() -> Result<String, Failure> {
    let arguments = config::arguments();
    let dist = arguments
        .first()
        .ok_or("usage: bench-sidecar DIST [--quick] [--output DIR]")?;
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let program = Path::new(dist).join("sidecar");
    let events = if quick { 100_000 } else { 400_000 };
    let outage = if quick { 5 } else { 60 };
    let mut rows = Vec::new();

    let sidecar = Sidecar::start(&program, Vec::new())?;
    rows.push(measure("/dev/null", &sidecar, events, None)?);
    drop(sidecar);

    let group = ("WORKLOAD_AGENT_LOG_GROUP".to_owned(), "bench".to_owned());
    let cloudwatch = CloudWatch::start()?;
    cloudwatch.keep_messages(false);
    let mut vars = cloudwatch.environment();
    vars.push(group);
    let sidecar = Sidecar::start(&program, vars.clone())?;
    rows.push(measure("the fake", &sidecar, events / 2, None)?);
    drop(sidecar);

    cloudwatch.set_silent(true);
    let sidecar = Sidecar::start(&program, vars)?;
    rows.push(measure(
        "black hole, 20000/s",
        &sidecar,
        outage * 20_000,
        Some(20_000),
    )?);
    drop(sidecar);

    let mut table = format!(
        "{:<24} {:>9} {:>8} {:>8} {:>11} {:>13} {:>9}\n",
        "store", "events", "seconds", "cpu s", "events/s", "events/cpu s", "peak MiB"
    );
    for row in &rows {
        table.push_str(&row.text());
        table.push('\n');
    }
    table.push_str(&stopped::table(Path::new(dist), quick)?);
    for rival in ["fluent-bit", "vector"] {
        if config::find_program(rival).is_none() {
            table.push_str(&format_args!("{rival}: not installed, not compared\n").to_string());
        }
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--output") {
        let dir = arguments.get(at + 1).ok_or("--output needs a directory")?;
        std::fs::create_dir_all(dir)?;
        std::fs::write(Path::new(dir).join("sidecar.txt"), &table)?;
    }
    Ok(table)
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is for people"
)]
fn main() -> ExitCode {
    match run() {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-sidecar: {error}");
            ExitCode::FAILURE
        }
    }
}
