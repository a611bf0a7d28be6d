//! The intruder's acts, one after the other, each awaited by its alert.

use std::sync::Arc;

use super::report::Report;
use crate::fargate::task::Task;
use crate::intruder::acts::{self, Act, Ground};
use crate::intruder::exploit;
use crate::pace::Deadline;

/// Does everything that the ground allows.
pub(super) fn act(task: &Task, ground: &Ground, report: &Arc<Report>) {
    for act in acts::all(ground) {
        match &act.script {
            Err(reason) => report.skip(act.title, reason),
            Ok(script) => carry_out(task, &act, script, report),
        }
    }
}

fn carry_out(task: &Task, act: &Act, script: &str, report: &Arc<Report>) {
    report.act(act.title);
    let before = report.count(act.rule);
    if let Err(error) = exploit(task, script) {
        report.miss(
            act.title,
            &format!("the web server did not answer: {error}"),
        );
        return;
    }
    let seen = Deadline::after(super::PATIENCE / 4)
        .poll(|| (report.count(act.rule) > before).then_some(()));
    if seen.is_none() {
        report.miss(act.title, &format!("no alert of the rule `{}`", act.rule));
    }
}
