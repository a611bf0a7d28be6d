//! What the demo prints: steps, alerts as they arrive, and the summary.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::alerts::{self, Account, Alert, Line};

/// The container whose output is alerts.
const SIDECAR: &str = contract::sidecar::CONTAINER_NAME;

/// Characters of an alert that are shown.
const GIST: usize = 160;

/// Prints and keeps count.
#[derive(Debug)]
pub struct Report {
    is_coloured: bool,
    started: Instant,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    alerts: BTreeMap<String, (String, usize)>,
    skipped: Vec<(String, String)>,
    missed: Vec<(String, String)>,
    account: Account,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            is_coloured: super::is_coloured(),
            started: Instant::now(),
            counts: Mutex::default(),
        }
    }

    /// Begins a part.
    pub(super) fn step(&self, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.print(&format!(
            "\n{} {}",
            self.paint("1", &format!("== {text}")),
            self.paint("2", &format!("({seconds:.1} s)"))
        ));
    }

    /// Says something in passing.
    pub(super) fn note(&self, text: &str) {
        self.print(&self.paint("2", &format!("   {text}")));
    }

    /// Announces an act.
    pub(super) fn act(&self, title: &str) {
        self.print(&format!("-> the intruder {title}"));
    }

    /// Leaves an act out.
    pub(super) fn skip(&self, title: &str, reason: &str) {
        self.print(&self.paint("33", &format!("-- skipped: {title}: {reason}")));
        self.counts()
            .skipped
            .push((title.to_owned(), reason.to_owned()));
    }

    /// An act that nobody saw.
    pub(super) fn miss(&self, title: &str, reason: &str) {
        self.print(&self.paint("31", &format!("!! missed: {title}: {reason}")));
        self.counts()
            .missed
            .push((title.to_owned(), reason.to_owned()));
    }

    /// Takes a line of a container's output.
    pub(super) fn hear(&self, container: &str, line: &str) {
        if container != SIDECAR {
            self.note(&format!("{container}: {line}"));
            return;
        }
        match alerts::read(line) {
            Line::Account(account) => self.counts().account = account,
            Line::Alert(alert) => self.alert(&alert),
            Line::Other => {}
        }
    }

    /// Number of alerts of a rule so far.
    pub(super) fn count(&self, rule: &str) -> usize {
        self.counts()
            .alerts
            .get(rule)
            .map_or(0, |(_, count)| *count)
    }

    /// Prints the summary. Whether all was well.
    pub(super) fn finish(&self, code: i32) -> bool {
        self.step("Summary");
        let counts = self.counts();
        for (rule, (priority, count)) in &counts.alerts {
            self.print(&format!(
                "   {count:>3}  {}  {rule}",
                self.priority(priority)
            ));
        }
        let dropped =
            counts.account.total("sidecar_dropped_total") + counts.account.of_containers("dropped");
        self.print(&format!(
            "   events seen        {}",
            counts.account.of_containers("calls_judged")
        ));
        self.print(&format!("   dropped            {dropped}"));
        self.print(&format!("   web's exit code    {code}"));
        for (title, reason) in &counts.skipped {
            self.print(&self.paint("33", &format!("   skipped            {title}: {reason}")));
        }
        for (title, reason) in &counts.missed {
            self.print(&self.paint("31", &format!("   missed             {title}: {reason}")));
        }
        let is_good = counts.missed.is_empty() && dropped == 0 && code == 0;
        let verdict = if is_good {
            self.paint(
                "32",
                "   every act that was done was seen, nothing was lost, the workload ended as it would have",
            )
        } else {
            self.paint("31", "   NOT as it should be")
        };
        self.print(&verdict);
        is_good
    }

    fn alert(&self, alert: &Alert) {
        let text = format!(
            "   {} {}",
            self.priority(&alert.priority),
            self.paint("1", &alert.rule)
        );
        self.print(&text);
        self.print(&self.paint("2", &format!("             {}", gist(&alert.output))));
        let mut counts = self.counts();
        let entry = counts.alerts.entry(alert.rule.clone());
        entry.or_insert_with(|| (alert.priority.clone(), 0)).1 += 1;
    }

    fn priority(&self, priority: &str) -> String {
        let colour = match priority {
            "Emergency" | "Alert" | "Critical" | "Error" => "31",
            "Warning" => "33",
            _ => "36",
        };
        self.paint(colour, &format!("{priority:<9}"))
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.is_coloured {
            format!("\u{1b}[{style}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    #[expect(clippy::unused_self, reason = "the report is the one door for output")]
    fn print(&self, text: &str) {
        // A reader that went away does not stop the show: the containers must still be ended.
        drop(writeln!(stdout().lock(), "{text}"));
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an alert says, without the time and the priority before it and the title of the rule, in
/// one line of a terminal.
fn gist(output: &str) -> String {
    let said = output
        .split_once(" | ")
        .map_or(output, |(_, fields)| fields);
    let mut line: String = said.chars().take(GIST).collect();
    if line.len() < said.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::gist;

    #[test]
    fn the_gist_is_the_fields() {
        assert_eq!(
            gist("01:02: Warning a shell | shell=sh user=root"),
            "shell=sh user=root"
        );
        assert!(gist(&"x".repeat(1000)).ends_with('…'));
    }
}
