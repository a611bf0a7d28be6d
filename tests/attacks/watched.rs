//! Runs a program under `instrument` and reads what was told.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::parity::{Input, Outcome, Run, instrument};
use e2e::target::{self, Linkage, TargetError};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for a loaded machine.
const LIMIT: Duration = Duration::from_mins(3);

/// A way to run something under `instrument`.
#[derive(Debug)]
pub(crate) struct Watched {
    under: Vec<OsString>,
    events: bool,
    environment: Vec<(OsString, OsString)>,
    scratch: TempDir,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// What the outside saw.
    pub(crate) outcome: Outcome,
    lines: Vec<Value>,
}

impl Watched {
    /// With the default rules.
    pub(crate) fn new() -> Self {
        Self {
            under: Vec::new(),
            events: false,
            environment: vec![("PATH".into(), e2e::config::search_path())],
            scratch: TempDir::new().expect("a temporary directory"),
        }
    }

    /// With every event as well.
    pub(crate) fn events(mut self) -> Self {
        self.events = true;
        self
    }

    /// Started through these words.
    pub(crate) fn under<I: IntoIterator<Item: Into<OsString>>>(mut self, words: I) -> Self {
        self.under.extend(words.into_iter().map(Into::into));
        self
    }

    /// With a setting.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The file with what is told.
    pub(crate) fn output(&self) -> PathBuf {
        self.scratch.path().join("told.json")
    }

    /// The whole command that runs these words.
    pub(crate) fn command(&self, words: &[&str]) -> Vec<OsString> {
        let mut all = self.under.clone();
        all.extend([instrument().into(), "--output".into(), self.output().into()]);
        if self.events {
            all.push("--events".into());
        }
        all.push("--".into());
        all.extend(words.iter().map(OsString::from));
        all
    }

    /// Runs these words to their end.
    pub(crate) fn run(&self, words: &[&str]) -> Told {
        let outcome = Run {
            words: self.command(words),
            environment: self.environment.clone(),
            input: Input::Nothing,
            signal: None,
            user: None,
            directory: self.scratch.path().to_owned(),
            limit: LIMIT,
        }
        .outcome("attack");
        Told {
            outcome,
            lines: lines(&self.output()),
        }
    }
}

/// Every complete line; the last one may still be in the making.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

impl Told {
    /// The alerts whose rule's name contains this, whatever its case.
    pub(crate) fn alerts(&self, rule: &str) -> Vec<&Value> {
        let is_wanted = |line: &&Value| {
            let name = line["rule"].as_str().unwrap_or_default();
            name.to_lowercase().contains(rule)
        };
        self.lines.iter().filter(is_wanted).collect()
    }

    /// The events of this type.
    pub(crate) fn events(&self, kind: &str) -> Vec<&Value> {
        let is_wanted = |line: &&Value| line["kind"] == kind;
        self.lines.iter().filter(is_wanted).collect()
    }

    /// The names of the alerts that the tracer gave in its own name, such as for its own faults.
    pub(crate) fn own_alerts(&self) -> Vec<&str> {
        let own = self
            .lines
            .iter()
            .filter(|line| line["source"] == "instrument");
        own.filter_map(|line| line["rule"].as_str()).collect()
    }

    /// Fails unless there is such an alert.
    pub(crate) fn expect_alert(&self, rule: &str) {
        assert!(
            !self.alerts(rule).is_empty(),
            "no alert `{rule}`: {}\n{:#?}",
            self.outcome,
            self.rules()
        );
    }

    /// The names of all rules that alerted.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let names = self.lines.iter().filter_map(|line| line["rule"].as_str());
        names.collect()
    }
}

/// A target's path, or nothing after a line that says why the test is skipped.
pub(crate) fn target(test: &str, name: &str) -> Option<String> {
    match target::build(name, Linkage::Dynamic) {
        Ok(path) => Some(path.display().to_string()),
        Err(error @ TargetError::NoCompiler(_)) => {
            e2e::parity::skip(test, &error.to_string());
            None
        }
        Err(error) => {
            assert!(error.to_string().is_empty(), "{error}");
            None
        }
    }
}

/// Whether we are root; otherwise a line says that the test is skipped.
pub(crate) fn root(test: &str) -> bool {
    let is_root = nix::unistd::Uid::effective().is_root();
    if !is_root {
        e2e::parity::skip(test, "not root");
    }
    is_root
}

impl Told {
    /// The events of processes whose program is a memfd.
    pub(crate) fn lines_with_memfd(&self) -> impl Iterator<Item = &Value> {
        let is_exec = |line: &&Value| line["kind"] == "execve" || line["kind"] == "execveat";
        let is_memfd = |line: &&Value| line["processes"][0]["exe_file"]["is_memfd"] == true;
        self.lines.iter().filter(is_exec).filter(is_memfd)
    }
}
