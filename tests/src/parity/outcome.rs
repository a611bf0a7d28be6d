//! What the outside sees of a run.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// How much of an output a failure shows.
const SHOWN: usize = 6000;

/// How a process ended, as its parent hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Exit(i32),
    /// It was still there when the time was up.
    Hang,
    /// A signal killed it.
    Signal {
        /// Number of the signal.
        number: i32,
        /// Whether the kernel dumped (or would have dumped) core.
        core: bool,
    },
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, number) => Self::Signal {
                number: number.unwrap_or_default(),
                core: status.core_dumped(),
            },
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exited {code}"),
            Self::Hang => write!(f, "hung and was killed"),
            Self::Signal { number, core } => {
                let core = if *core { ", core dumped" } else { "" };
                write!(f, "killed by signal {number}{core}")
            }
        }
    }
}

/// All that the outside sees of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

impl Outcome {
    /// Both sides and the first line in which they differ; `None` when they are equal.
    pub fn difference(&self, traced: &Self) -> Option<String> {
        if self == traced {
            return None;
        }
        let mut text = format!("-- native: {self}\n-- traced: {traced}");
        for (name, one, other) in [
            ("stdout", &self.stdout, &traced.stdout),
            ("stderr", &self.stderr, &traced.stderr),
        ] {
            if let Some((number, left, right)) = first_difference(one, other) {
                text.push_str(&format_line(name, number, left, right));
            }
        }
        Some(text)
    }
}

fn format_line(name: &str, number: usize, left: &str, right: &str) -> String {
    format!("\n{name} differs first in line {number}:\n  native: {left}\n  traced: {right}")
}

fn first_difference<'a>(one: &'a str, other: &'a str) -> Option<(usize, &'a str, &'a str)> {
    let (mut left, mut right) = (one.lines(), other.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => return Some((number, a.unwrap_or("(end)"), b.unwrap_or("(end)"))),
        }
    }
    None
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.end)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let mut cut = text.len().min(SHOWN);
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            let (shown, rest) = text.split_at(cut);
            if !shown.is_empty() {
                writeln!(f, "[{name}]\n{}", shown.trim_end())?;
            }
            if !rest.is_empty() {
                writeln!(f, "… and {} bytes more", rest.len())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(end: End, stdout: &str) -> Outcome {
        Outcome {
            end,
            stdout: stdout.to_owned(),
            stderr: String::new(),
        }
    }

    #[test]
    fn equal_runs_have_no_difference() {
        let one = outcome(End::Exit(3), "a\nb\n");
        assert_eq!(one.difference(&one.clone()), None);
    }

    #[test]
    fn a_core_flag_is_a_difference() {
        let signal = |core| outcome(End::Signal { number: 11, core }, "");
        let text = signal(true).difference(&signal(false)).unwrap();
        assert!(text.contains("killed by signal 11, core dumped"), "{text}");
    }

    #[test]
    fn the_first_differing_line_is_named() {
        let text = outcome(End::Exit(0), "a\nb\nc")
            .difference(&outcome(End::Exit(0), "a\nx\nc"))
            .unwrap();
        assert!(
            text.contains("in line 2:\n  native: b\n  traced: x"),
            "{text}"
        );
    }
}
