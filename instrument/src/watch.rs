//! The tracer's loop: wait, understand, resume.
//!
//! The part that resumes is small and stands apart from the part that understands. A fault in the
//! latter is caught, the thread goes on, and the fault is counted and told; after too many of them
//! the tracer understands nothing more and only lets threads go, because with a dead tracer every
//! call that the filter stops would fail.

mod dice;
mod examine;
mod learn;
mod spread;
mod taking;
mod understand;
mod waiting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use event::{Alert, EventType, EventTypeSet};
use sys::{Errno, ExitStatus, How, Pid, Resume, Signal, Stopped, Tid, Wait};

use crate::brain::{Brain, Next, Pace};
use crate::config::IoUring;
use crate::decode::MAX_PATH;
use crate::filter::{Directories, Wanted};
use crate::foreign::Entry;
use crate::ids::{Map, Tracer};
use crate::judge::Judge;
use crate::live::Moment;
use crate::log;
use crate::memo::Memo;
use crate::notice::Notices;
use crate::outbox::{Message, Outbox};
use crate::process::Processes;
use crate::table::ByNumber;
use crate::world::World;
use dice::Dice;
use spread::Spread;
use taking::Takings;

/// Faults after which nothing is understood any more.
const MAX_FAULTS: u32 = 16;

/// Stops that are taken before the first of them is looked at, so that a busy thread cannot keep
/// the others waiting.
const MAX_BATCH: usize = 64;

/// Stops that are taken one by one after the last that came without company. The kernel may report
/// the same busy thread each time, so others must not be left out for long.
const MAX_ALONE: u32 = 8;

/// How long the end of the container may wait for its last events to get away.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What to watch for.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The events that somebody asked for.
    pub watched: EventTypeSet,
    /// Whether anybody asked for directories that are opened to be listed.
    pub directories: Directories,
    /// Whether every event goes out.
    pub events: bool,
    /// What to do with `io_uring`.
    pub io_uring: IoUring,
    /// How often the path of an open that no rule matched is compared with what was opened.
    pub doubt: Doubt,
}

impl Policy {
    /// What the filter is to stop. The kernel reports an exec that succeeds whatever the filter
    /// says, and rules are asked about no other: only who wants every event hears of failed ones.
    pub fn stopping(&self) -> Wanted {
        let events = if self.events {
            self.watched
        } else {
            let reported = EventTypeSet::only(EventType::Execve);
            self.watched.intersection(reported.complement())
        };
        Wanted {
            events,
            directories: self.directories,
        }
    }
}

/// How much the tracer trusts the path that it read of a program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Every open is followed to its exit, and what was really opened is judged too.
    Always,
    /// Now and then, unpredictably, where another thread can change the path under the call.
    Sampled,
}

/// One open out of so many is doubted.
const SAMPLE: u64 = 16;

/// A pending call, as the brain keeps it.
pub(crate) type Pending = Box<Moment>;

/// The tracer.
#[derive(Debug)]
pub struct Watch {
    pub(crate) brain: Brain<Pending>,
    pub(crate) world: World,
    pub(crate) policy: Policy,
    by_number: ByNumber,
    judge: Judge,
    memo: Memo,
    /// The path of the call at hand; kept to save an allocation for each.
    path: Vec<u8>,
    /// The stack of the program at hand; kept likewise.
    stack: Vec<u8>,
    pub(crate) outbox: Outbox,
    pub(crate) notices: Notices,
    /// What entered the container from outside.
    pub(crate) entry: Entry,
    /// Calls that mean everybody, underway.
    spreads: Map<Tid, Spread>,
    /// Threads that stand still until the brain says so.
    held: Map<Tid, Stopped>,
    /// This process: the one that must not be harmed.
    tracer: Tracer,
    takings: Takings,
    is_launching: bool,
    /// Opens that were not doubted, hashed with a secret to choose those that are.
    dice: Dice,
    /// How the thread that ended last ended, in `wait`'s encoding.
    last_status: i32,
    root_status: Option<ExitStatus>,
    is_over: bool,
    faults: u32,
}

impl Watch {
    /// A `tracer` that has just seized the process `root`.
    pub fn new(
        (tracer, root): (Tracer, Pid),
        pace: Pace,
        policy: Policy,
        judge: Judge,
        outbox: Outbox,
    ) -> Self {
        let mut brain = Brain::default();
        brain.seized(root.leader(), root.leader(), pace);
        Self {
            brain,
            world: World::new(Processes::new(root, sys::now())),
            policy,
            by_number: ByNumber::default(),
            notices: Notices::of(judge.hostname()),
            judge,
            memo: Memo::default(),
            path: Vec::with_capacity(MAX_PATH),
            stack: Vec::new(),
            outbox,
            entry: Entry::default(),
            spreads: Map::default(),
            takings: Takings::default(),
            held: Map::default(),
            tracer,
            is_launching: true,
            dice: Dice::default(),
            last_status: 0,
            root_status: None,
            is_over: false,
            faults: 0,
        }
    }

    /// Takes in what enters the container from outside.
    #[must_use]
    pub fn with_entry(mut self, entry: Entry) -> Self {
        self.entry = entry;
        self
    }

    /// Traces until nobody is left.
    pub fn run(&mut self) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let mut alone = 0_u32;
        loop {
            match sys::wait(true) {
                Ok(Some(wait)) => batch.push(wait),
                Ok(None) | Err(Errno::EINTR) => {}
                // Nobody is left; any other error would repeat for ever.
                Err(_) => break,
            }
            // Asking in vain costs a call per stop: with one thread there is nobody else, and
            // where nobody else stood still there is rarely somebody at the next stop.
            alone = alone.saturating_sub(1);
            while self.brain.len() > 1 && alone == 0 && batch.len() < MAX_BATCH {
                match sys::wait(false) {
                    Ok(Some(wait)) => batch.push(wait),
                    Ok(None) | Err(_) => break,
                }
            }
            if alone == 0 && batch.len() <= 1 {
                alone = MAX_ALONE;
            }
            for wait in batch.drain(..) {
                self.take(wait);
            }
            self.listen();
            self.welcome();
            self.alert_repeats(sys::now);
        }
        self.say_goodbye();
    }

    /// One report of the kernel. This is all that must never fail.
    fn take(&mut self, wait: Wait) {
        let is_blind = self.faults >= MAX_FAULTS;
        match wait {
            Wait::Gone(tid, status) => {
                if !is_blind {
                    let understood = catch_unwind(AssertUnwindSafe(|| self.gone(tid, status)));
                    self.count_fault(understood.err().map(|_| tid));
                }
            }
            Wait::Stopped(stopped) if is_blind => {
                let order = without_understanding(&stopped);
                resume(stopped, order);
            }
            Wait::Stopped(stopped) => {
                let tid = stopped.tid();
                let understood = catch_unwind(AssertUnwindSafe(|| self.understand(&stopped)));
                match understood {
                    Ok(Ok(Next::Resume(order))) => resume(stopped, order),
                    Ok(Ok(Next::Hold | Next::Examine)) => {
                        self.held.insert(tid, stopped);
                    }
                    // The thread was killed while it stood still; its end is reported next.
                    Ok(Err(_)) => {
                        let order = without_understanding(&stopped);
                        resume(stopped, order);
                    }
                    Err(_) => {
                        let order = without_understanding(&stopped);
                        resume(stopped, order);
                        self.count_fault(Some(tid));
                    }
                }
            }
        }
    }

    /// Lets threads go that were held.
    fn release(&mut self, threads: Vec<(Tid, Resume)>) {
        for (tid, order) in threads {
            if let Some(stopped) = self.held.remove(&tid) {
                self.spare_its_end(&stopped);
                resume(stopped, order);
            }
        }
    }

    fn count_fault(&mut self, fault: Option<Tid>) {
        let Some(tid) = fault else { return };
        self.faults += 1;
        let told = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(
                thread = tid.0,
                faults = self.faults,
                "A stop was not understood."
            );
            let alert = self.notices.fault(self.faults, self.faults >= MAX_FAULTS);
            self.outbox.alert(&alert);
        }));
        if told.is_err() {
            // Telling failed as well; the count stands.
            self.faults += 1;
        }
    }

    /// What the other side has to say.
    fn listen(&mut self) {
        while let Some(message) = self.outbox.next_message() {
            match message {
                Message::Identity(task) => {
                    self.world.task = *task;
                    self.memo.forget();
                }
                Message::LogLevel(level) => {
                    if let Some(level) = crate::config::LogLevel::parse(&level.level) {
                        log::set_level(level);
                    }
                }
                Message::Trouble(trouble) => tracing::warn!("{trouble}"),
                Message::LoadRules(rules) => self.load_rules(rules),
                Message::AddTrace(_) | Message::DropTrace(_) => {
                    tracing::debug!("This tracer takes no traces from the sidecar.");
                }
            }
        }
    }

    /// Takes other rules. The filter is what it was: calls that it does not stop stay unseen.
    fn load_rules(&mut self, rules: wire::LoadRules) {
        let source = rules::Source {
            name: rules.name,
            text: rules.text,
        };
        match self.judge.replace(source) {
            Ok(()) => {
                let unwatched = self.policy.watched.complement();
                for kind in self.judge.events().intersection(unwatched).iter() {
                    tracing::warn!(
                        event = kind.as_str(),
                        "Loaded rules ask for an event that is not watched until the next start."
                    );
                }
                let passes = self.policy.directories == Directories::Pass;
                if passes && self.judge.asks_for_directories() {
                    tracing::warn!(
                        "Loaded rules ask for directories, which pass unseen until the next start."
                    );
                }
                self.memo.forget();
            }
            Err(error) => tracing::error!(%error, "Loaded rules are wrong; the old ones stay."),
        }
    }

    /// Tells alerts, repeats of late excepted.
    fn alert(&mut self, alerts: Vec<Alert>) {
        for alert in alerts {
            if let Some(alert) = self.judge.admit(alert) {
                self.outbox.alert(&alert);
            }
        }
    }

    /// Tells the alerts that were held back until `now`.
    fn alert_repeats(&mut self, now: impl FnOnce() -> u64) {
        if self.judge.holds_back() {
            for alert in self.judge.due(now()) {
                self.outbox.alert(&alert);
            }
        }
    }

    /// Gets the last events away, within bounds.
    fn say_goodbye(&mut self) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let (exit_code, signal) = match self.root_status {
            Some(ExitStatus::Code(code)) => (Some(code), None),
            Some(ExitStatus::Signal(signal)) => (None, Some(signal.0)),
            None => (None, None),
        };
        self.alert_repeats(|| u64::MAX);
        self.outbox.tally("calls_judged", self.world.events());
        self.outbox.tally("faults", u64::from(self.faults));
        let left = self
            .outbox
            .flush(&wire::Bye { exit_code, signal }, LAST_WORDS);
        tracing::debug!(
            events = self.world.events(),
            undelivered = ?left,
            "The workload ended."
        );
    }

    fn leader(&self, tid: Tid) -> Pid {
        self.brain.leader(tid).unwrap_or(tid).as_leader()
    }
}

fn resume(stopped: Stopped, order: Resume) {
    let tid = stopped.tid();
    if let Err(errno) = stopped.resume(order) {
        tracing::error!(
            thread = tid.0,
            error = errno.desc(),
            "Cannot resume a thread."
        );
    }
}

/// The order that harms nobody, when all that is known is why the thread stands still.
pub(crate) fn without_understanding(stopped: &Stopped) -> Resume {
    match stopped.how() {
        How::Group(_) => Resume::Listen,
        How::Signal(signal) => Resume::Continue(Some(signal)),
        How::Exec | How::Exit | How::Fork(_) | How::Seccomp | How::Syscall | How::Trap => {
            Resume::Continue(None)
        }
    }
}

/// `wait`'s encoding of an end.
fn status_of(word: i32) -> ExitStatus {
    match word & 0x7f {
        0 => ExitStatus::Code((word >> 8) & 0xff),
        signal => ExitStatus::Signal(Signal(signal)),
    }
}
