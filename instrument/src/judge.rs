//! The rules, and where they come from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use event::{Alert, EventType, EventTypeSet, Outcome};
use rules::{Diagnostics, Limiter, RuleSet, Source, Verdict};

use crate::config::Settings;
use crate::live::Live;

/// A rule file beyond this size is not read.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Their text is wrong.
    #[error("{}", .0.summary())]
    Invalid(Diagnostics),
    /// A file cannot be read.
    #[error("cannot read rules from `{path}`: {reason}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What the kernel says.
        reason: std::io::Error,
    },
    /// Not text.
    #[error("cannot read rules from `{0}`: it is larger than 16 MiB")]
    TooLarge(String),
}

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
    limiter: Option<Limiter>,
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
            limiter: settings.repeats_within.map(Limiter::new),
        })
    }

    /// Other rules under the same settings. Alerts that are held back stay so.
    pub fn replace(&mut self, source: Source) -> Result<(), RulesError> {
        let mut other = Self::of(&[source], &self.hostname, &self.settings)?;
        other.limiter = self.limiter.take();
        *self = other;
        Ok(())
    }

    /// Takes an alert that is about to be told; gives it back unless it repeats one of late.
    pub fn admit(&mut self, alert: Alert) -> Option<Alert> {
        match &mut self.limiter {
            Some(limiter) => limiter.admit(alert),
            None => Some(alert),
        }
    }

    /// Whether alerts may be held back.
    pub const fn holds_back(&self) -> bool {
        self.limiter.is_some()
    }

    /// Alerts that were held back until now, each with its count; at the time `u64::MAX` all.
    pub fn due(&mut self, now: u64) -> Vec<Alert> {
        let limiter = self.limiter.as_mut();
        limiter.map_or_else(Vec::new, |limiter| limiter.flush(now))
    }

    /// The events that rules ask for.
    pub fn events(&self) -> EventTypeSet {
        self.rules.events()
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

/// The rules of these files and folders, or the built-in ones when none are named.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, RulesError> {
    if paths.is_empty() {
        return Ok(rules::default_rules());
    }
    let mut sources = Vec::new();
    for path in paths {
        sources.extend(read(path)?);
    }
    Ok(sources)
}

/// Reads a file, or the YAML files of a folder in order of their names.
fn read(path: &Path) -> Result<Vec<Source>, RulesError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        |reason| RulesError::Unreadable { path, reason }
    };
    let meta = std::fs::metadata(path).map_err(unreadable(path))?;
    if meta.is_dir() {
        let mut files: Vec<PathBuf> = std::fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
            .map_err(unreadable(path))?;
        files.retain(|file| {
            let extension = file.extension().and_then(OsStr::to_str);
            matches!(extension, Some("yaml" | "yml")) && file.is_file()
        });
        files.sort();
        let mut sources = Vec::new();
        for file in files {
            sources.extend(read(&file)?);
        }
        return Ok(sources);
    }
    if meta.len() > MAX_FILE_BYTES {
        return Err(RulesError::TooLarge(path.display().to_string()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
    Ok(vec![Source {
        name: path.display().to_string(),
        text,
    }])
}
