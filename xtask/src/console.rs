//! The one door for output: headings, results and errors, coloured only on a terminal.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

/// Where people read what is going on.
#[derive(Debug)]
pub(crate) struct Console {
    colour: bool,
}

impl Console {
    /// Looks once at whether a person is watching.
    pub(crate) fn new() -> Self {
        Self {
            colour: stdout().is_terminal() && !crate::config::no_colour(),
        }
    }

    /// A line of plain output.
    pub(crate) fn line(&self, text: &str) {
        self.write(text);
    }

    /// The heading of a section.
    pub(crate) fn section(&self, text: &str) {
        self.write("");
        self.paint("1", &format!("== {text}"));
    }

    /// Something went well.
    pub(crate) fn good(&self, text: &str) {
        self.paint("32", text);
    }

    /// Something was left out, and why.
    pub(crate) fn warn(&self, text: &str) {
        self.paint("33", text);
    }

    /// Something went wrong, within a section.
    pub(crate) fn bad(&self, text: &str) {
        self.paint("31", text);
    }

    /// The reason why the command ends, on standard error.
    #[expect(
        clippy::unused_self,
        reason = "the door is the value, whichever stream it opens"
    )]
    pub(crate) fn error(&self, text: &str) {
        // Nobody is left to tell when standard error is closed.
        drop(writeln!(stderr().lock(), "error: {text}"));
    }

    fn paint(&self, style: &str, text: &str) {
        if self.colour {
            self.write(&format!("\u{1b}[{style}m{text}\u{1b}[0m"));
        } else {
            self.write(text);
        }
    }

    #[expect(clippy::unused_self, reason = "the door is the value")]
    fn write(&self, text: &str) {
        // A reader that went away (`cargo xtask test | head`) is no reason to stop the checks.
        drop(writeln!(stdout().lock(), "{text}"));
    }
}
