//! What is run in a machine: the parity suite's programs that ask the kernel for something special.
//!
//! Storms are left out, because emulation is slow and they ask the kernel for nothing else.

/// Modes that a case is run in besides the native one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modes {
    Both,
    Seccomp,
}

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Lines with all of these words each.
    Events(&'static [&'static [&'static str]]),
    /// It ends with this code, and all these words are on standard error or among the alerts.
    Ends(i32, &'static [&'static str]),
    /// Each line but the last says that something was refused.
    Refusals,
    /// The same as without a tracer.
    Same,
    /// The tracer can be seen here; this is what there is to see without one.
    Visible(&'static str),
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    words: &'static str,
    modes: Modes,
    /// What the machine is told about the run beside its modes (see `init.c`).
    setting: &'static str,
    expected: Expected,
}

const fn case(name: &'static str, words: &'static str) -> Case {
    Case {
        name,
        words,
        modes: Modes::Seccomp,
        setting: "",
        expected: Expected::Same,
    }
}

impl Case {
    const fn both(mut self) -> Self {
        self.modes = Modes::Both;
        self
    }

    const fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    const fn set(mut self, setting: &'static str) -> Self {
        self.setting = setting;
        self
    }

    /// The modes of `instrument` that it is run in.
    pub(crate) fn traced(&self) -> impl Iterator<Item = &'static str> {
        let both: &[&str] = match self.modes {
            Modes::Both => &["seccomp", "full"],
            Modes::Seccomp => &["seccomp"],
        };
        both.iter().copied()
    }

    /// The events that it must lead to, if it is about events.
    pub(crate) const fn events(&self) -> Option<&'static [&'static [&'static str]]> {
        match self.expected {
            Expected::Events(events) => Some(events),
            Expected::Ends(..) | Expected::Refusals | Expected::Same | Expected::Visible(_) => None,
        }
    }

    /// Its exit code under `instrument` and what is said then, if it is about that.
    pub(crate) const fn ending(&self) -> Option<(i32, &'static [&'static str])> {
        match self.expected {
            Expected::Ends(code, words) => Some((code, words)),
            Expected::Events(_) | Expected::Refusals | Expected::Same | Expected::Visible(_) => {
                None
            }
        }
    }

    /// Whether it attacks the tracer, without which there is nothing to attack.
    pub(crate) const fn is_attack(&self) -> bool {
        matches!(self.expected, Expected::Refusals)
    }

    /// What it prints without a tracer, if it is about being seen.
    pub(crate) const fn native_output(&self) -> Option<&'static str> {
        match self.expected {
            Expected::Visible(text) => Some(text),
            Expected::Ends(..) | Expected::Events(_) | Expected::Refusals | Expected::Same => None,
        }
    }

    /// The target program that it runs, if it is one.
    pub(crate) fn target(&self) -> Option<&'static str> {
        let program = self
            .words
            .split(' ')
            .rfind(|word| word.starts_with("/bin/"))?;
        program.strip_prefix("/bin/").filter(|name| *name != "sh")
    }

    /// Its line in the machine's list.
    pub(crate) fn line(&self) -> String {
        let is_compared = matches!(self.expected, Expected::Same | Expected::Visible(_));
        let modes = match (is_compared, self.modes) {
            (false, Modes::Seccomp) => "s",
            (false, Modes::Both) => "sf",
            (true, Modes::Seccomp) => "ns",
            (true, Modes::Both) => "nsf",
        };
        format!("{} {modes}{} {}\n", self.name, self.setting, self.words)
    }
}

/// All of them, the quick ones first.
pub(crate) const ALL: &[Case] = &[
    case("relations", "/bin/relations").both(),
    case("events", "--events /bin/sh /events.sh")
        .both()
        .expect(Expected::Events(EVENTS)),
    case("attack_tracer", "/bin/attack_tracer")
        .both()
        .expect(Expected::Refusals),
    case("attack_unseen", "--events /bin/attack_unseen").expect(Expected::Events(UNSEEN)),
    case("spawn_ways", "/bin/spawn_ways").both(),
    case("clone_parent", "/bin/clone_parent"),
    case("clone_untraced", "/bin/clone_untraced").both(),
    case("daemon", "/bin/daemon"),
    case("zombies", "/bin/zombies"),
    case(
        "zombies_of_pid_1",
        "/bin/unshare --pid --fork --mount-proc /bin/zombies",
    ),
    case("exec_from_thread", "/bin/exec_from_thread 7").both(),
    case("exec_chain", "/bin/exec_chain 20"),
    case("exec_failures", "/bin/exec_failures").both(),
    case("leader_leaves", "/bin/leader_leaves").both(),
    case("signals_handled", "/bin/signals_handled").both(),
    case("dies_by_segv", "/bin/die_by SEGV"),
    case("dies_by_trap", "/bin/die_by TRAP"),
    case("dies_by_kill", "/bin/die_by KILL"),
    case("children_die_by", "/bin/children_die_by"),
    case("stop_continue", "/bin/stop_continue").both(),
    case("stop_self", "/bin/stop_self").both(),
    case("stop_while_forking", "/bin/stop_while_forking"),
    case("stop_threads", "/bin/stop_threads").both(),
    case("orphaned_group", "/bin/orphaned_group"),
    case("queued_signals", "/bin/queued_signals"),
    case("child_signals", "/bin/child_signals"),
    case("interrupted", "/bin/interrupted").both(),
    case("restarted", "/bin/restarted 5000"),
    case("ignored_signals", "/bin/ignored_signals poll read"),
    case("faults", "/bin/faults"),
    case("drop_privileges", "/bin/drop_privileges"),
    case("non_dumpable", "/bin/non_dumpable").both(),
    case("int80", "/bin/int80").both(),
    case("x32", "/bin/x32").both(),
    case("own_filter", "/bin/own_filter").both(),
    case("namespaces", "/bin/namespaces"),
    case(
        "pid_1_ends_everybody",
        "/bin/unshare --pid --fork --mount-proc /bin/kill_everybody",
    )
    .both(),
    case("own_ptrace", "/bin/own_ptrace").expect(Expected::Visible(
        "traceme: ok\nchild exited 1\nseize: ok\nchild killed by KILL\n",
    )),
    yama("yama_1_user", "1u", Expected::Ends(0, TRACED)),
    yama("yama_1_user_secure", "1up", Expected::Ends(0, TRACED)),
    yama("yama_2_user", "2u", Expected::Ends(0, UNTRACED)),
    yama("yama_2_user_secure", "2up", Expected::Ends(125, UNTRACED)),
    yama("yama_2_root", "2", Expected::Ends(0, TRACED)),
    // Nothing leads back from there.
    yama("yama_3_root", "3", Expected::Ends(0, UNTRACED)),
    yama("yama_3_root_secure", "3p", Expected::Ends(125, UNTRACED)),
];

/// A row of the table of what is done where something is denied (`docs/tracer.md`).
const fn yama(name: &'static str, setting: &'static str, expected: Expected) -> Case {
    case(name, "cat /etc/shadow").set(setting).expect(expected)
}

const TRACED: &[&str] = &["\"rule\":\"Sensitive file read\""];
const UNTRACED: &[&str] = &[
    "the kernel refuses ptrace",
    "\"rule\":\"Workload not watched\"",
];

/// What is told of the case `attack_unseen`: calls whose arguments are hidden, and what is refused
/// because it would hide calls.
const UNSEEN: &[&[&str]] = &[
    &["\"kind\":\"openat\"", "\"raw_name\":\"/etc/hostname\""],
    &["\"kind\":\"openat\"", "\"raw_name\":\"/etc/shadow\""],
    &["\"kind\":\"openat\"", "\"raw_name\":\"/etc/passwd\""],
    &["\"kind\":\"openat2\"", "\"name\":\"/etc/shadow\""],
    &["\"kind\":\"connect\"", "127.0.0.71"],
    &["\"kind\":\"connect\"", "127.0.0.72"],
    &["\"kind\":\"connect\"", "127.0.0.73"],
    &["\"rule\":\"Secret memory refused\""],
    &["\"rule\":\"Handling of page faults refused\""],
    &["\"rule\":\"Seccomp listener refused\""],
];

/// What the script of the case `events` leads to: calls, life and alerts of the default rules.
const EVENTS: &[&[&str]] = &[
    &[
        "\"kind\":\"execve\"",
        "\"exe_path\":\"/bin/busybox\"",
        "\"/events.sh\"",
    ],
    &["\"kind\":\"fork\"", "\"/events.sh\""],
    &["\"kind\":\"openat\"", "\"raw_name\":\"/etc/shadow\""],
    &[
        "\"rule\":\"Sensitive file read\"",
        "\"fd.name\":\"/etc/shadow\"",
    ],
    &[
        "\"kind\":\"execve\"",
        "\"exe_path\":\"/tmp/work/fresh\"",
        "\"is_drift\":true",
    ],
    &[
        "\"rule\":\"Program run from",
        "\"proc.exepath\":\"/tmp/work/fresh\"",
    ],
    &["\"kind\":\"socket\"", "\"wget\""],
    &["\"kind\":\"connect\"", "\"returned\":-101", "127.0.0.1"],
    &["\"kind\":\"procexit\"", "\"sleep\""],
];
