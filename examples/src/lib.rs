//! What the example programs share: an orderly end, and settings from the environment.
//!
//! The programs know nothing of the agent; they stand for anybody's software.
#![forbid(unsafe_code)]

use std::io::{Write as _, stdout};

use nix::sys::signal::{SigSet, Signal};

/// The signals that ask a program to end.
///
/// They are held back from every thread that is started later, so make this first.
#[derive(Debug)]
pub struct Shutdown(SigSet);

impl Shutdown {
    /// Holds the signals back from now on.
    pub fn new() -> nix::Result<Self> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGTERM);
        signals.add(Signal::SIGINT);
        signals.thread_block()?;
        Ok(Self(signals))
    }

    /// Waits for one of them.
    pub fn wait(&self) -> nix::Result<Signal> {
        self.0.wait()
    }
}

/// A setting, or its default when the environment has none.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the examples read the environment"
)]
pub fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Prints a line of log.
pub fn log(line: &str) {
    // A log that nobody reads is no reason to stop serving.
    drop(writeln!(stdout().lock(), "{line}"));
}
