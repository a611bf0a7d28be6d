//! The one door for what people and machines read.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Standard output and standard error, with colour only on terminals.
#[derive(Debug)]
pub struct Output {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    /// A reader that went away is no reason to go on writing.
    closed: bool,
}

/// What a text means, and so its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something goes away.
    Bad,
    /// Something is said about a text, not in it.
    Faint,
    /// Something is added.
    Good,
    /// Nothing in particular.
    Plain,
    /// Something should be looked at.
    Warn,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Faint => AnsiColor::Cyan.on_default(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Plain => Style::new(),
            Self::Warn => AnsiColor::Yellow.on_default(),
        }
    }
}

impl Output {
    /// Opens both streams of this process.
    pub fn new() -> Self {
        Self {
            out: AutoStream::new(io::stdout(), ColorChoice::Auto),
            err: AutoStream::new(io::stderr(), ColorChoice::Auto),
            closed: false,
        }
    }

    /// Writes text as it is.
    pub fn text(&mut self, tone: Tone, text: &str) {
        let style = tone.style();
        let result = match tone {
            Tone::Plain => self.out.write_all(text.as_bytes()),
            _ => write!(self.out, "{style}{text}{style:#}"),
        };
        self.closed |= result.is_err();
    }

    /// Writes a line.
    pub fn line(&mut self, tone: Tone, text: &str) {
        self.text(tone, text);
        self.text(Tone::Plain, "\n");
    }

    /// Writes bytes to standard output; a failure is the caller's to report.
    pub fn document(&mut self, text: &str) -> io::Result<()> {
        self.out.flush()?;
        // Past the colour filter: a template keeps every byte.
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes a value as one JSON document and a line end.
    pub fn line_document(&mut self, value: &impl Serialize) -> Result<(), String> {
        let json = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
        self.document(&format!("{json}\n"))
            .map_err(|error| format!("cannot write standard output: {error}"))
    }

    /// Says what became of something.
    pub fn status(&mut self, tone: Tone, status: &str, text: &str) {
        let style = tone.style();
        self.closed |= writeln!(self.err, "{style}{status:>10}{style:#} {text}").is_err();
    }

    /// Says why something failed.
    pub fn error(&mut self, text: &str) {
        let style = AnsiColor::Red.on_default().bold();
        self.closed |= writeln!(self.err, "{style}error:{style:#} {text}").is_err();
    }

    /// Says what the user should know.
    pub fn warn(&mut self, text: &str) {
        let style = AnsiColor::Yellow.on_default().bold();
        self.closed |= writeln!(self.err, "{style}warning:{style:#} {text}").is_err();
    }

    /// Says what was done, on standard error so that standard output stays clean.
    pub fn note(&mut self, text: &str) {
        self.closed |= writeln!(self.err, "{text}").is_err();
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}
