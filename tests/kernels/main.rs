//! The parity suite in small, on kernels other than this machine's: those of Fargate, and aarch64.
//!
//! Each test boots one kernel in an emulated machine. Its memory holds nothing but the target
//! programs, a static shell, `instrument`, and the first process (`init.c`), which runs every case
//! as it is and traced. What the outside sees must be equal. `cargo xtask kernels` gets the kernels
//! and runs this; results are in `docs/design/kernels.md`.
#![forbid(unsafe_code)]

mod archive;
mod cases;
#[expect(clippy::panic, reason = "a machine that cannot be made ends its test")]
mod machine;
mod told;

use e2e::parity::{End, skip};

use cases::Case;
use machine::{Kind, Machine};
use told::{Key, Told};

#[test]
fn linux_5_10() {
    check("linux_5_10", Kind::Amd64, "5.10.");
}

#[test]
fn linux_6_1() {
    check("linux_6_1", Kind::Amd64, "6.1.");
}

#[test]
fn linux_6_1_on_arm64() {
    check("linux_6_1_on_arm64", Kind::Arm64, "6.1.");
}

fn check(test: &str, kind: Kind, version: &str) {
    let machine = match Machine::find(kind, version) {
        Ok(machine) => machine,
        Err(reason) => return skip(test, &reason),
    };
    let told = machine.run(cases::ALL);
    assert!(
        told.is_complete(),
        "the machine was not done in time; last was {:?}",
        told.last()
    );
    let mut faults = Vec::new();
    for case in cases::ALL {
        for mode in case.traced() {
            match compare(&told, case, mode) {
                Ok(line) => machine::say(&line),
                Err(fault) => faults.push(fault),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// One line about two runs that are as they must be, or what is wrong with them.
fn compare(told: &Told, case: &Case, mode: &'static str) -> Result<String, String> {
    let name = case.name;
    let get = |mode| {
        let key = Key::new(name, mode);
        told.get(&key)
            .ok_or_else(|| format!("{name}: no {mode} run"))
    };
    let traced = get(mode)?;
    if let Some(events) = case.events() {
        let text = format!("{}\n{}", traced.alerts, traced.outcome);
        return match events.iter().find(|event| !has(&traced.alerts, event)) {
            Some(event) => Err(format!("{name}: no line with all of {event:?} in\n{text}")),
            None => Ok(format!("{name:<20} {mode:<8} {} events", events.len())),
        };
    }
    if let Some((code, words)) = case.ending() {
        let said = format!("{}{}", traced.outcome.stderr, traced.alerts);
        let is_said = words.iter().all(|word| said.contains(word));
        return if is_said && traced.outcome.end == End::Exit(code) {
            Ok(format!(
                "{name:<20} {mode:<8} exit code {code}, and said so"
            ))
        } else {
            Err(format!(
                "{name}: in mode {mode}\n{}\n{said}",
                traced.outcome
            ))
        };
    }
    if case.is_attack() {
        let lines = traced.outcome.stdout.lines();
        let refused = lines.clone().filter(|line| line.ends_with(": refused"));
        let (all, refused) = (lines.clone().count(), refused.count());
        let is_traced = lines
            .last()
            .is_some_and(|line| line.starts_with("still traced: 1"));
        return if is_traced && refused > 0 && refused + 1 == all {
            Ok(format!("{name:<20} {mode:<8} {refused} refused"))
        } else {
            Err(format!("{name}: in mode {mode}\n{}", traced.outcome))
        };
    }
    let native = get("native")?;
    if let Some(text) = case.native_output() {
        if native.outcome.stdout != text {
            return Err(format!("{name}: native is {}", native.outcome));
        }
        if native.outcome.stdout == traced.outcome.stdout {
            return Err(format!("{name}: the tracer was not to be seen in {mode}"));
        }
    } else if let Some(text) = native.outcome.difference(&traced.outcome) {
        return Err(format!("{name}: not the same in mode {mode}\n{text}"));
    }
    Ok(format!(
        "{name:<20} {mode:<8} {:>6} ms, native {:>6} ms",
        traced.milliseconds, native.milliseconds
    ))
}

fn has(lines: &str, words: &[&str]) -> bool {
    lines
        .lines()
        .any(|line| words.iter().all(|word| line.contains(word)))
}
