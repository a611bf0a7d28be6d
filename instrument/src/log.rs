//! The one door for messages to people.
//!
//! The workload's standard error is not ours: in normal operation nothing is printed. The tracer
//! keeps no descriptor of the workload open, or a reader would wait for it; when it has something
//! to say it opens the standard error of the workload's first process for one line.

use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use sys::Pid;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::config::LogLevel;

static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);

/// The process whose standard error is borrowed; 0 while it is our own.
static BORROWED: AtomicI32 = AtomicI32::new(0);

/// Starts the log.
pub fn start(level: LogLevel) {
    set_level(level);
    if tracing::subscriber::set_global_default(Log).is_err() {
        // Only a test that starts it twice gets here, and the first one serves.
    }
}

/// Changes how much is said.
pub fn set_level(level: LogLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// From here on the standard error of this process is borrowed.
pub fn borrow_from(pid: Pid) {
    BORROWED.store(pid.0, Ordering::Relaxed);
}

/// Prints one line to people.
pub fn line(text: &str) {
    let line = format!("{text}\n");
    let borrowed = BORROWED.load(Ordering::Relaxed);
    let printed = if borrowed == 0 {
        std::io::stderr().write_all(line.as_bytes())
    } else {
        // A pipe that nobody empties must not hold the tracer up.
        OpenOptions::new()
            .append(true)
            .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY)
            .open(format!("/proc/{borrowed}/fd/2"))
            .and_then(|mut stderr| stderr.write_all(line.as_bytes()))
    };
    if printed.is_err() {
        // There is nobody to tell that there is nobody to tell.
    }
}

struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let wanted = match *metadata.level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => LogLevel::Trace,
        };
        wanted as u8 <= LEVEL.load(Ordering::Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(format!("instrument: {}: ", event.metadata().level()));
        event.record(&mut text);
        line(&text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.0, "{value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
        if written.is_err() {
            // Writing to a string does not fail.
        }
    }
}
