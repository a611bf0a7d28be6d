//! Diagnostics: lines on standard error, at a level that can change while the sidecar runs.

use std::error::Error;
use std::fmt::Write as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Changes the level.
#[derive(Clone)]
pub(crate) struct LogLevel {
    handle: reload::Handle<Targets, tracing_subscriber::Registry>,
}

impl std::fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogLevel").finish_non_exhaustive()
    }
}

impl LogLevel {
    /// Starts logging. A word that means nothing is `info`; the first line says so.
    pub(crate) fn start(word: &str) -> Self {
        let (filter, handle) =
            reload::Layer::new(targets(parse(word).unwrap_or(LevelFilter::INFO)));
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .with_target(false);
        // A second start in one process keeps the first; tests do that.
        let started = tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .try_init();
        if started.is_ok() && parse(word).is_none() {
            tracing::warn!(level = word, "Unknown log level; using info.");
        }
        Self { handle }
    }

    /// Sets the level; whether the word means something.
    pub(crate) fn set(&self, word: &str) -> bool {
        parse(word).is_some_and(|level| self.handle.reload(targets(level)).is_ok())
    }

    /// Switches between debug and info.
    pub(crate) fn toggle(&self) {
        let is_debug = self.handle.clone_current() == Some(targets(LevelFilter::DEBUG));
        let word = if is_debug { "info" } else { "debug" };
        self.set(word);
        tracing::info!(level = word, "The log level has changed.");
    }
}

/// The words of `SYSDIG_LOGGING`.
fn parse(word: &str) -> Option<LevelFilter> {
    Some(match word.to_ascii_lowercase().as_str() {
        "silent" => LevelFilter::OFF,
        "fatal" | "critical" | "error" => LevelFilter::ERROR,
        "warning" | "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => return None,
    })
}

/// Our own lines at the level asked for; of libraries only what is wrong, and their debugging
/// only at `trace`: the AWS SDK alone writes twenty lines for a put.
fn targets(level: LevelFilter) -> Targets {
    let others = if level == LevelFilter::TRACE {
        LevelFilter::DEBUG
    } else {
        LevelFilter::WARN
    };
    // These two tell every try again, which our own line tells once a minute.
    let tries = if level >= LevelFilter::DEBUG {
        others
    } else {
        LevelFilter::OFF
    };
    Targets::new()
        .with_target("sidecar", level)
        .with_target("async_nats", tries)
        .with_target("aws_config::meta", tries)
        .with_default(others.min(level))
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        cause = error.source();
        // Some errors say their cause themselves.
        if text.ends_with(&words) {
            continue;
        }
        // INVARIANT: writing to a string cannot fail.
        write!(text, ": {words}").expect("a string takes any text");
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_setting_is_a_level() {
        for word in [
            "silent", "fatal", "critical", "error", "warning", "info", "debug", "TRACE",
        ] {
            assert!(parse(word).is_some(), "{word}");
        }
        assert!(parse("loud").is_none());
    }
}
