//! `cargo xtask test`: everything that must hold, in the order in which it fails cheapest.

mod aarch64;
mod libtest;
mod packages;
mod tally;

use std::io::{BufRead as _, BufReader, IsTerminal as _, stdin};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::cli::TestOptions;
use crate::config::Config;
use crate::console::Console;
use crate::deps;
use libtest::Reader;
use tally::Tally;

/// No step with tests in it takes longer than this; a hung test must not hang the machine.
const TESTS_TIMEOUT: &str = "2700";

/// The name of a step, what it checks, and how.
type Step<'a> = (
    &'static str,
    &'static str,
    fn(&Tester<'a>) -> anyhow::Result<Tally>,
);

fn steps<'a>() -> [Step<'a>; 10] {
    [
        ("packages", "install what the tests need", Tester::packages),
        ("fmt", "formatting", Tester::fmt),
        ("deps", "arrows between crates", Tester::deps),
        ("clippy", "lints, warnings are errors", Tester::clippy),
        ("aarch64", "lints for 64-bit ARM", Tester::aarch64),
        (
            "rustdoc",
            "documentation builds, warnings are errors",
            Tester::rustdoc,
        ),
        ("build", "every program, static", Tester::build),
        ("tests", "unit and integration tests", Tester::tests),
        (
            "doctests",
            "examples in the documentation",
            Tester::doctests,
        ),
        (
            "scenarios",
            "end to end, with Docker where it can be started",
            Tester::scenarios,
        ),
    ]
}

/// What a step has at hand.
struct Tester<'a> {
    console: &'a Console,
    config: &'a Config,
    options: &'a TestOptions,
}

/// Runs the steps and ends with one line of totals.
pub(crate) fn run(
    console: &Console,
    config: &Config,
    options: &TestOptions,
) -> anyhow::Result<ExitCode> {
    if options.list {
        for (name, about, _) in steps() {
            console.line(&format!("{name:<10} {about}"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    for wanted in &options.steps {
        if !steps().iter().any(|(name, ..)| name == wanted) {
            bail!("unknown step `{wanted}`: `cargo xtask test --list` names them");
        }
    }
    let tester = Tester {
        console,
        config,
        options,
    };
    let started = Instant::now();
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for (name, about, step) in steps() {
        if !options.steps.is_empty() && !options.steps.iter().any(|wanted| wanted == name) {
            continue;
        }
        console.section(&format!("{name}: {about}"));
        let began = Instant::now();
        let tally = step(&tester).unwrap_or_else(|error| {
            console.bad(&format!("{name}: {error:#}"));
            Tally::failed()
        });
        lines.push(format!(
            "{name:<10} {:>6.1} s   {tally}",
            began.elapsed().as_secs_f64()
        ));
        total.add(&tally);
    }
    console.section(&format!(
        "summary, {:.0} s",
        started.elapsed().as_secs_f64()
    ));
    for line in &lines {
        console.line(line);
    }
    for skip in &total.skips {
        console.warn(&format!("skipped: {skip}"));
    }
    for failure in &total.failures {
        console.bad(&format!("failed: {failure}"));
    }
    console.line(&total.to_string());
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Tester<'_> {
    fn packages(&self) -> anyhow::Result<Tally> {
        packages::install(self.console, self.options.no_install)
    }

    fn fmt(&self) -> anyhow::Result<Tally> {
        check(&mut cargo::plain(self.config, &["fmt", "--all", "--check"]))
    }

    fn deps(&self) -> anyhow::Result<Tally> {
        let faults = deps::faults(self.config)?;
        for fault in &faults {
            self.console.bad(fault);
        }
        Ok(if faults.is_empty() {
            Tally::passed()
        } else {
            Tally::failed()
        })
    }

    fn clippy(&self) -> anyhow::Result<Tally> {
        let words = ["clippy", "--workspace", "--all-targets", "--locked"];
        check(cargo::fixed(self.config, &words).args(["--", "-Dwarnings"]))
    }

    fn aarch64(&self) -> anyhow::Result<Tally> {
        aarch64::check(self.console, self.config, self.options.no_install)
    }

    fn rustdoc(&self) -> anyhow::Result<Tally> {
        let words = [
            "doc",
            "--workspace",
            "--no-deps",
            "--locked",
            "--document-private-items",
        ];
        check(
            cargo::fixed(self.config, &words)
                .env("RUSTDOCFLAGS", "-Dwarnings -Ctarget-feature=+crt-static"),
        )
    }

    fn build(&self) -> anyhow::Result<Tally> {
        check(&mut cargo::fixed(
            self.config,
            &["build", "--workspace", "--bins", "--locked"],
        ))
    }

    fn tests(&self) -> anyhow::Result<Tally> {
        let words = [
            "test",
            "--workspace",
            "--exclude=e2e",
            "--lib",
            "--bins",
            "--tests",
        ];
        self.libtest(&cargo::fixed(self.config, &words), &[])
    }

    fn doctests(&self) -> anyhow::Result<Tally> {
        self.libtest(
            &cargo::fixed(self.config, &["test", "--workspace", "--doc"]),
            &[],
        )
    }

    /// The scenarios' own crate; a daemon of our own lives as long as the tests run.
    fn scenarios(&self) -> anyhow::Result<Tally> {
        let daemon = self.config.built("debug", "with-dockerd");
        let state = self.config.target.join("dockerd");
        let wrap = [daemon.as_os_str(), state.as_os_str()];
        let words = ["test", "--package=e2e", "--lib", "--bins", "--tests"];
        self.libtest(&cargo::fixed(self.config, &words), &wrap)
    }

    /// Runs `cargo test …`, shows its output as it comes and counts what it says.
    fn libtest(&self, cargo: &Command, wrap: &[&std::ffi::OsStr]) -> anyhow::Result<Tally> {
        let mut command = Command::new("timeout");
        if stdin().is_terminal() {
            // Keeps Ctrl-C working.
            command.arg("--foreground");
        }
        command.args(["--kill-after=30", TESTS_TIMEOUT]).args(wrap);
        command.arg(cargo.get_program()).args(cargo.get_args());
        command.args(["--locked", "--no-fail-fast", "--", "--show-output"]);
        command
            .current_dir(&self.config.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        for (name, value) in cargo.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let mut child = command.spawn().context("cannot run `timeout`")?;
        let output = child.stdout.take().context("the output is a pipe")?;
        let mut reader = Reader::default();
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cannot read the tests' output")?;
            let line = String::from_utf8_lossy(&line);
            self.console.line(&line);
            reader.read(&line);
        }
        let status = child.wait().context("cannot wait for the tests")?;
        Ok(reader.finish(status.success(), &cargo::spelled(cargo)))
    }
}

/// One command that succeeds or fails as a whole.
fn check(command: &mut Command) -> anyhow::Result<Tally> {
    cargo::run(command.stdin(Stdio::null()))?;
    Ok(Tally::passed())
}
