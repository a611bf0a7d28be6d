//! The tracer's process.

use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sys::Pid;

use super::prepared::Prepared;
use crate::brain::Pace;
use crate::config::Mode;
use crate::filter::{self, Plan};
use crate::foreign::{Entry, Found, Lookout};
use crate::ids::Tracer;
use crate::launch::{Channel, Watched};
use crate::log;
use crate::notice::Notices;
use crate::outbox::{self, Destination, Outbox, Rounds};
use crate::watch::Watch;

/// How long a workload that cannot be traced may wait for that to be told.
const UNTRACED_WORDS: Duration = Duration::from_millis(500);

/// What `ps` shows of the tracer.
const SHOWN_AS: &str = "instrument: tracer";

/// Hides, seizes the workload, and traces it to its end.
pub(super) fn trace((channel, workload): (Channel, Pid), prepared: Prepared) -> ExitCode {
    let Prepared {
        mode,
        policy,
        judge,
        outbox,
        identity,
    } = prepared;
    hide(&channel, workload, &outbox.destination);
    let found = Arc::new(Found::default());
    let mut lookout = Lookout::new(workload, Arc::clone(&found));
    let (alarm, thread) = (judge.alarm(), sys::Tid::this());
    let rounds = move || {
        let due = alarm.as_ref().map(|alarm| alarm.look(thread, sys::now()));
        lookout.look().min(due.unwrap_or(Duration::MAX))
    };
    let outbox = outbox::Config {
        rounds: Some(Rounds(Box::new(rounds))),
        ..outbox
    };
    // Before anything is seized: what cannot be traced to its end must not be begun.
    let mut outbox = match Outbox::start(outbox, identity) {
        Ok(outbox) => outbox,
        Err(error) => {
            tracing::error!(%error, "The tracer cannot start its sender.");
            return ExitCode::FAILURE;
        }
    };
    let tracer = Tracer {
        pid: Pid::this(),
        sender: outbox.sender(),
    };
    let plan = Plan {
        wanted: policy.stopping(),
        tracer,
    };
    let filter = (mode == Mode::Seccomp).then(|| filter::compile(&plan));
    let filter = match filter.transpose() {
        Ok(filter) => filter,
        Err(error) => {
            tracing::error!(%error, "The tracer cannot make its filter.");
            return ExitCode::FAILURE;
        }
    };
    let watched = match channel.trace(workload, filter.as_ref()) {
        Ok(watched) => watched,
        Err(error) => {
            // The workload's side tells people and goes on or not; this one tells the sidecar.
            outbox.alert(&Notices::of(judge.hostname()).untraced(&error));
            outbox.flush(&wire::Bye::default(), UNTRACED_WORDS);
            return ExitCode::FAILURE;
        }
    };
    let (pace, filter) = match watched {
        Watched::Bare => (Pace::Every, None),
        Watched::Filtered => (Pace::Filtered, filter),
    };
    let watch = Watch::new((tracer, workload), pace, policy, judge, outbox)
        .with_entry(Entry::new(found, filter.as_ref()));
    // The process ends with it: the kernel takes memory back faster than we could, piece by piece.
    ManuallyDrop::new(watch).run();
    ExitCode::SUCCESS
}

/// Takes the tracer out of the workload's sight and way.
fn hide(channel: &Channel, workload: Pid, destination: &Destination) {
    log::borrow_from(workload);
    // Who looks for the workload by its command line (`pkill -f`) does not mean the tracer.
    sys::show_as(SHOWN_AS);
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!("A fault of the tracer: {panic}.");
    }));
    let mut keep = vec![channel.descriptor()];
    if let Destination::File(file) = destination {
        keep.push(file.as_raw_fd());
    }
    // Each step is worth taking even when another one is refused.
    let steps = [
        sys::on_wake(),
        sys::close_all_but(&keep),
        sys::null_standard_descriptors(),
        sys::become_invisible(),
    ];
    for errno in steps.into_iter().filter_map(Result::err) {
        tracing::error!(
            error = errno.desc(),
            "The tracer cannot hide from the workload."
        );
    }
    if std::env::set_current_dir("/").is_err() {
        tracing::debug!("The tracer keeps the workload's directory busy.");
    }
}
