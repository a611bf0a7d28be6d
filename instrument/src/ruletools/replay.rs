//! `--replay`: evaluates what `--events` wrote down.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use event::{Alert, Event, EventError, EventType, Priority};
use rules::{Limiter, RuleSet, Style, Verdict};

use super::check::count;
use crate::config::Settings;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplayError {
    /// A line is not an event.
    #[error("`{path}`, line {line}: {error}")]
    Line {
        path: String,
        line: usize,
        error: EventError,
    },
    /// The file cannot be read.
    #[error("cannot read events from `{path}`: {error}")]
    Unreadable { path: String, error: std::io::Error },
}

/// What was seen of one type of events.
#[derive(Default)]
struct Seen {
    events: usize,
    undecided: usize,
}

pub(super) fn replay(
    rules: &mut RuleSet,
    path: &Path,
    settings: &Settings,
    style: Style,
) -> Result<String, ReplayError> {
    let shown = path.display().to_string();
    let unreadable = |error| ReplayError::Unreadable {
        path: shown.clone(),
        error,
    };
    let shown_alert =
        |alert: Alert| style.paint(colour(alert.priority), alert.to_text_as(&settings.form));
    let mut limiter = settings.repeats_within.map(Limiter::new);
    let file = File::open(path).map_err(unreadable)?;
    let mut out = Vec::new();
    let mut seen: BTreeMap<EventType, Seen> = BTreeMap::new();
    let mut alerts: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = Lines::new(file);
    while let Some(line) = lines.next_line().map_err(unreadable)? {
        // Recordings hold the alerts of their time between the events.
        if line.is_empty() || line.starts_with("{\"hostname\":") {
            continue;
        }
        let event = Event::from_json(line).map_err(|error| ReplayError::Line {
            path: shown.clone(),
            line: lines.number,
            error,
        })?;
        let counts = seen.entry(event.kind).or_default();
        counts.events += 1;
        if matches!(rules.evaluate(&event.at_entry()), Verdict::Undecided) {
            counts.undecided += 1;
        }
        for alert in rules.alerts(&event, "replay") {
            *alerts.entry(alert.rule.clone()).or_default() += 1;
            let told = match &mut limiter {
                Some(limiter) => limiter.admit(alert),
                None => Some(alert),
            };
            out.extend(told.map(shown_alert));
        }
    }
    if let Some(mut limiter) = limiter {
        out.extend(limiter.flush(u64::MAX).into_iter().map(shown_alert));
    }
    if !out.is_empty() {
        out.push(String::new());
    }
    for (rule, times) in &alerts {
        out.push(format!("{times:>8}  {}", style.paint("1", rule)));
    }
    let events: usize = seen.values().map(|counts| counts.events).sum();
    let undecided: usize = seen.values().map(|counts| counts.undecided).sum();
    out.push(format!(
        "{}, {}, {} at an exit",
        count(events, "event"),
        count(alerts.values().sum(), "alert"),
        count(undecided, "second stop"),
    ));
    for (kind, counts) in seen.iter().filter(|(_, counts)| counts.undecided > 0) {
        let (undecided, events) = (counts.undecided, counts.events);
        out.push(format!("{undecided:>8}  of {events} {}", kind.as_str()));
    }
    out.extend(blind(rules).map(|rule| {
        format!("note: recordings hold no environment, which `{rule}` asks for (proc.env)")
    }));
    out.push(String::new());
    Ok(out.join("\n"))
}

/// Rules in force that ask for what no recording holds.
fn blind(rules: &RuleSet) -> impl Iterator<Item = &str> {
    let infos = rules.rules().map(|id| rules.info(id));
    infos.filter_map(|info| {
        let mut fields = info.fields.iter();
        let is_blind = info.is_enabled && fields.any(|field| field.starts_with("proc.env"));
        is_blind.then_some(info.name)
    })
}

/// Longest line of a recording; one that is longer is none.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The lines of a file.
struct Lines {
    file: BufReader<File>,
    /// The number of the last one, from 1.
    number: usize,
    bytes: Vec<u8>,
}

impl Lines {
    fn new(file: File) -> Self {
        Self {
            file: BufReader::new(file),
            number: 0,
            bytes: Vec::new(),
        }
    }

    fn next_line(&mut self) -> std::io::Result<Option<&str>> {
        self.bytes.clear();
        self.number += 1;
        let mut rest = (&mut self.file).take(LONGEST);
        if rest.read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(None);
        }
        let wrong = |what: &str| {
            let message = format!("line {} is {what}", self.number);
            std::io::Error::new(std::io::ErrorKind::InvalidData, message)
        };
        let line = self.bytes.strip_suffix(b"\n");
        if line.is_none() && self.bytes.len() as u64 == LONGEST {
            return Err(wrong("longer than 16 MiB"));
        }
        let line = std::str::from_utf8(line.unwrap_or(&self.bytes));
        line.map(Some).map_err(|_| wrong("not UTF-8"))
    }
}

const fn colour(priority: Priority) -> &'static str {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical | Priority::Error => "31",
        Priority::Warning => "33",
        Priority::Debug | Priority::Informational | Priority::Notice => "36",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_that_is_none_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let refusal = |path: &Path| {
            let mut rules = RuleSet::load(&[]).unwrap();
            let answer = replay(&mut rules, path, &Settings::default(), Style::Plain);
            answer.unwrap_err().to_string()
        };
        std::fs::write(&path, b"\n\xff\n").unwrap();
        assert!(refusal(&path).contains("line 2 is not UTF-8"));
        std::fs::write(&path, "\n\n{}\n").unwrap();
        assert!(refusal(&path).contains("line 3"));
        assert!(refusal(Path::new("/dev/zero")).contains("line 1 is longer than 16 MiB"));
    }
}
