//! A case: one command, the circumstances it is started in, and what is known about it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Uid;
use tempfile::TempDir;

use super::run::environment;
use super::{End, Input, Outcome, Run};
use crate::config;
use crate::target::{self, Linkage, TargetError};

/// Long enough for a loaded machine, short enough for a person.
const LIMIT: Duration = Duration::from_mins(3);

/// How a target ends that cannot do its work here, tracer or not (`target.h`).
const MACHINE_DENIES: End = End::Exit(98);

/// Which program a case runs.
#[derive(Clone, Debug)]
enum Subject {
    /// A program of the machine, found on the path.
    Program(String),
    /// One of `tests/targets`.
    Target(String, Linkage),
}

/// The tracer's mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every system call stops, nothing is installed in the workload.
    Full,
    /// The default: a filter chooses what stops.
    Seccomp,
}

/// Standard outputs where the tracer is known to be visible.
#[derive(Clone, Copy, Debug)]
pub struct Visible {
    /// Without a tracer.
    pub native: &'static str,
    /// In mode `seccomp`.
    pub seccomp: &'static str,
    /// In mode `full`.
    pub full: &'static str,
}

/// What must come out.
#[derive(Clone, Debug)]
enum Expected {
    /// The tracer is visible here, in this documented way.
    Known(Visible),
    /// The same as without a tracer.
    Same,
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Case {
    subject: Subject,
    arguments: Vec<OsString>,
    under: Vec<String>,
    in_terminal: bool,
    needs: Vec<&'static str>,
    needs_root: bool,
    environment: Vec<(OsString, OsString)>,
    input: Input,
    signal: Option<Signal>,
    user: Option<u32>,
    limit: Duration,
    expected: Expected,
    keeps: fn(&str) -> bool,
}

/// A case that runs a target program.
pub fn case(target: &str) -> Case {
    Case::new(Subject::Target(target.to_owned(), Linkage::Dynamic))
}

/// A case that runs a program of the machine; it is skipped where there is none.
pub fn program(name: &str) -> Case {
    Case::new(Subject::Program(name.to_owned()))
}

impl Case {
    fn new(subject: Subject) -> Self {
        Self {
            subject,
            arguments: Vec::new(),
            under: Vec::new(),
            in_terminal: false,
            needs: Vec::new(),
            needs_root: false,
            environment: environment(),
            input: Input::Nothing,
            signal: None,
            user: None,
            limit: LIMIT,
            expected: Expected::Same,
            keeps: |_| true,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, words: I) -> Self {
        self.arguments.extend(words.into_iter().map(Into::into));
        self
    }

    /// Starts both runs through these words, which end by executing the rest of their arguments.
    #[must_use]
    pub fn under(mut self, words: &[&str]) -> Self {
        self.under.extend(words.iter().map(|&word| word.to_owned()));
        self
    }

    /// Starts both runs through a shell that ends in `exec "$@"`.
    #[must_use]
    pub fn under_shell(self, script: &str) -> Self {
        self.under(&["sh", "-c", script, "sh"])
    }

    /// Makes the command pid 1 of a pid namespace of its own.
    #[must_use]
    pub fn as_pid_1(self) -> Self {
        let words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
        self.needs(&["unshare"]).root().under(&words)
    }

    /// Runs the command on a terminal of its own, made by `script`.
    #[must_use]
    pub fn in_terminal(mut self) -> Self {
        self.in_terminal = true;
        self.needs(&["script"])
    }

    /// Programs without which the case is skipped.
    #[must_use]
    pub fn needs(mut self, programs: &[&'static str]) -> Self {
        self.needs.extend(programs);
        self
    }

    /// Skips the case for everyone but root.
    #[must_use]
    pub fn root(mut self) -> Self {
        self.needs_root = true;
        self
    }

    /// Replaces the environment.
    #[must_use]
    pub fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = |&(name, value): &(&str, &str)| (name.into(), value.into());
        self.environment = variables.iter().map(owned).collect();
        self
    }

    /// Adds to the environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Feeds standard input from a pipe.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = Input::Text(text.to_owned());
        self
    }

    /// Sends a signal once the program says `ready`.
    #[must_use]
    pub fn signal(mut self, signal: Signal) -> Self {
        self.signal = Some(signal);
        self
    }

    /// Runs as this user and group, when we are root.
    #[must_use]
    pub fn user(mut self, user: u32) -> Self {
        self.user = Some(user);
        self.root()
    }

    /// Gives it more time.
    #[must_use]
    pub fn minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_mins(minutes);
        self
    }

    /// Compares only these lines of the outputs.
    #[must_use]
    pub fn lines(mut self, keeps: fn(&str) -> bool) -> Self {
        self.keeps = keeps;
        self
    }

    /// The tracer is visible: these are the standard outputs.
    #[must_use]
    pub fn visible(mut self, texts: Visible) -> Self {
        self.expected = Expected::Known(texts);
        self
    }

    /// Runs both and panics with both sides when they differ.
    ///
    /// # Panics
    ///
    /// When the runs differ, or a run cannot be made.
    pub fn check(&self, name: &str, mode: Mode) {
        let program = match self.obstacle().map_or_else(|| self.resolve(), Err) {
            Ok(program) => program,
            Err(reason) => return skip(name, &reason),
        };
        let scratch = TempDir::new().expect("a temporary directory");
        open_to_all(scratch.path());
        let mut native = vec![program.into_os_string()];
        native.extend(self.arguments.iter().cloned());
        let mut traced: Vec<OsString> = vec![
            instrument().into(),
            "--output".into(),
            scratch.path().join("alerts.json").into(),
            "--".into(),
        ];
        traced.extend(native.iter().cloned());
        let native = self.run(name, mode, native, scratch.path());
        if native.end == MACHINE_DENIES {
            return skip(name, native.stderr.trim());
        }
        assert_ne!(native.end, End::Hang, "{name} hangs by itself: {native}");
        let traced = self.run(name, mode, traced, scratch.path());
        match &self.expected {
            Expected::Same => {
                if let Some(text) = native.difference(&traced) {
                    panic!("{name}: not the same in mode {mode:?}\n{text}");
                }
            }
            Expected::Known(texts) => {
                let right = match mode {
                    Mode::Full => texts.full,
                    Mode::Seccomp => texts.seccomp,
                };
                assert_eq!(native.stdout, texts.native, "{name}: without a tracer");
                assert_eq!(traced.stdout, right, "{name}: traced in mode {mode:?}");
                assert_eq!(native.end, traced.end, "{name}: {native}\n{traced}");
            }
        }
    }

    fn run(&self, name: &str, mode: Mode, words: Vec<OsString>, scratch: &Path) -> Outcome {
        let directory = scratch.join("work");
        fs::create_dir(&directory).expect("a fresh directory");
        open_to_all(&directory);
        let mut environment = self.environment.clone();
        if mode == Mode::Full {
            // Both runs get it, so that a program that prints its environment prints the same.
            environment.push((contract::env::WORKLOAD_AGENT_MODE.into(), "full".into()));
        }
        let mut all: Vec<OsString> = self.under.iter().map(OsString::from).collect();
        all.extend(words);
        if self.in_terminal {
            all = vec![
                "script".into(),
                "-qec".into(),
                quoted(&all),
                "/dev/null".into(),
            ];
        }
        let outcome = Run {
            words: all,
            environment,
            input: self.input.clone(),
            signal: self.signal,
            user: self.user,
            directory: directory.clone(),
            limit: self.limit,
        }
        .outcome(name);
        fs::remove_dir_all(&directory).expect("our own directory");
        Outcome {
            stdout: self.kept(&outcome.stdout),
            stderr: self.kept(&outcome.stderr),
            ..outcome
        }
    }

    fn kept(&self, text: &str) -> String {
        let lines = text.split_inclusive('\n');
        lines.filter(|line| (self.keeps)(line)).collect()
    }

    /// Why the case cannot be run here.
    fn obstacle(&self) -> Option<String> {
        if self.needs_root && !Uid::effective().is_root() {
            return Some("not root".to_owned());
        }
        let missing = |name: &&&str| config::find_program(name).is_none();
        let name = self.needs.iter().find(missing)?;
        Some(format!("`{name}` is not installed"))
    }

    fn resolve(&self) -> Result<PathBuf, String> {
        match &self.subject {
            Subject::Program(name) if name.contains('/') => Ok(PathBuf::from(name)),
            Subject::Program(name) => {
                config::find_program(name).ok_or_else(|| format!("`{name}` is not installed"))
            }
            Subject::Target(name, linkage) => match target::build(name, *linkage) {
                Ok(path) => Ok(path),
                Err(error @ TargetError::NoCompiler(_)) => Err(error.to_string()),
                Err(error) => panic!("{error}"),
            },
        }
    }
}

/// The program under test, where cargo put it.
///
/// # Panics
///
/// When it was not built.
pub fn instrument() -> PathBuf {
    let path = config::program_directory()
        .expect("the tests' own directory")
        .join("instrument");
    assert!(
        path.is_file(),
        "`{}` is not built: `cargo build --package instrument` makes it",
        path.display()
    );
    path
}

/// Says that a test was left out, and why.
#[expect(
    clippy::print_stdout,
    reason = "the line that `cargo xtask test` counts"
)]
pub fn skip(name: &str, reason: &str) {
    println!("skipped: {name}: {reason}");
}

fn open_to_all(directory: &Path) {
    let all = fs::Permissions::from_mode(0o777);
    fs::set_permissions(directory, all).expect("our own directory");
}

fn quoted(words: &[OsString]) -> OsString {
    let mut line = OsString::from("exec");
    for word in words {
        line.push(" '");
        line.push(word.to_string_lossy().replace('\'', r"'\''"));
        line.push("'");
    }
    line
}
