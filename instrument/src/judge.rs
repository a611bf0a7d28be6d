//! The rules, and where they come from.

use std::path::{Path, PathBuf};

use event::{Alert, EventType, EventTypeSet, Outcome};
use rules::{RuleSet, Source, Verdict};

use crate::config::Settings;
use crate::live::Live;

mod files;
mod repeats;

use files::read;
pub use files::{RulesError, sources};
pub use repeats::Alarm;
use repeats::Repeats;

/// What the rules say about an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Rules match.
    Match(Vec<Alert>),
    /// No rule matches, whatever the call returns.
    No,
    /// It depends on the result.
    Undecided,
}

/// The rules in force.
#[derive(Debug)]
pub struct Judge {
    rules: RuleSet,
    hostname: String,
    settings: Settings,
    repeats: Option<Repeats>,
}

impl Judge {
    /// The built-in rules, and those in the rules' folder when there is one.
    pub fn usual(hostname: &str, settings: &Settings) -> Result<Self, RulesError> {
        let mut sources = rules::default_rules();
        let folder = Path::new(contract::path::RULES_DIR);
        if folder.is_dir() {
            sources.extend(read(folder)?);
        }
        Self::of(&sources, hostname, settings)
    }

    /// The built-in rules only.
    pub fn built_in(hostname: &str, settings: &Settings) -> Result<Self, RulesError> {
        Self::of(&rules::default_rules(), hostname, settings)
    }

    /// The rules of these files and folders only.
    pub fn from_files(
        paths: &[PathBuf],
        hostname: &str,
        settings: &Settings,
    ) -> Result<Self, RulesError> {
        let mut sources = Vec::new();
        for path in paths {
            sources.extend(read(path)?);
        }
        Self::of(&sources, hostname, settings)
    }

    /// The rules of texts.
    pub fn of(sources: &[Source], hostname: &str, settings: &Settings) -> Result<Self, RulesError> {
        let rules =
            RuleSet::load_with(sources, settings.options.clone()).map_err(RulesError::Invalid)?;
        for doubt in rules.warnings() {
            tracing::debug!(
                file = %doubt.file,
                line = doubt.line,
                "A rule is doubtful: {}",
                doubt.message
            );
        }
        Ok(Self {
            rules,
            hostname: hostname.to_owned(),
            settings: settings.clone(),
            repeats: settings.repeats_within.map(Repeats::new),
        })
    }

    /// Other rules under the same settings. Alerts that are held back stay so.
    pub fn replace(&mut self, source: Source) -> Result<(), RulesError> {
        let mut other = Self::of(&[source], &self.hostname, &self.settings)?;
        other.repeats = self.repeats.take();
        *self = other;
        Ok(())
    }

    /// Takes an alert that is about to be told; gives it back unless it repeats one of late.
    pub fn admit(&mut self, alert: Alert) -> Option<Alert> {
        match &mut self.repeats {
            Some(repeats) => repeats.admit(alert),
            None => Some(alert),
        }
    }

    /// Whether alerts may be held back.
    pub const fn holds_back(&self) -> bool {
        self.repeats.is_some()
    }

    /// Alerts that were held back until now, each with its count; at the time `u64::MAX` all.
    pub fn due(&mut self, now: u64) -> Vec<Alert> {
        let repeats = self.repeats.as_mut();
        repeats.map_or_else(Vec::new, |repeats| repeats.flush(now))
    }

    /// What says when alerts that are held back are due, where any may be.
    pub fn alarm(&self) -> Option<Alarm> {
        self.repeats.as_ref().map(Repeats::alarm)
    }

    /// The events that rules ask for.
    pub fn events(&self) -> EventTypeSet {
        self.rules.events()
    }

    /// Whether rules ask for directories that are opened to be listed.
    pub fn asks_for_directories(&self) -> bool {
        self.rules.asks_for_directories()
    }

    /// How many rules there are.
    pub fn enabled(&self) -> usize {
        self.rules.enabled()
    }

    /// The host name that alerts carry.
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// Asks the rules.
    pub fn judge(&mut self, live: &Live<'_>) -> Judgement {
        let ids: Vec<_> = match self.rules.evaluate(live) {
            Verdict::No => return Judgement::No,
            Verdict::Undecided => return Judgement::Undecided,
            Verdict::Match(ids) => ids.collect(),
        };
        // A failed exec has started nothing, and the facts of the process are those of its caller:
        // rules for new programs would speak of the wrong one.
        if is_failed_exec(live) {
            return Judgement::No;
        }
        // Whoever reads the alert wants what is known by now, not what may be known later.
        let live = &Live {
            is_told: true,
            ..*live
        };
        let alerts = ids
            .into_iter()
            .map(|id| self.rules.alert(id, live, &self.hostname))
            .collect();
        Judgement::Match(alerts)
    }
}

fn is_failed_exec(live: &Live<'_>) -> bool {
    use event::Facts as _;
    matches!(live.kind(), EventType::Execve | EventType::Execveat)
        && matches!(live.outcome(), Outcome::Returned(result) if result < 0)
}
