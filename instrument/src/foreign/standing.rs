//! What a process is to us, from its `/proc/PID/status`.

use std::fs;

/// The capability that allows a filter without `no_new_privs`.
const CAP_SYS_ADMIN: u32 = 21;

/// The part of `/proc/PID/status` that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Who traces it; 0 is nobody.
    pub(super) tracer: i32,
    /// Its parent, 0 when that is outside of the namespace.
    pub(super) parent: i32,
    /// Whether it has ended and waits for its parent to ask.
    pub(super) is_dead: bool,
    /// Whether it has memory of its own: a thread of the kernel has not.
    pub(super) has_memory: bool,
    /// Whether it can get no privileges by executing a file.
    pub(super) no_new_privs: bool,
    /// Effective capabilities.
    pub(super) capabilities: u64,
    /// How many filters it has (Linux 5.9); `None` when the kernel does not say.
    pub(super) filters: Option<u32>,
}

/// What to do about a process that `/proc` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is none of our business for as long as it lives.
    Ignore,
    /// It may be by the next look.
    Later,
    /// It entered from outside.
    Foreign,
}

/// Whether a filter may be put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filtering {
    /// It may.
    Allowed,
    /// The kernel would refuse: neither `no_new_privs` nor `CAP_SYS_ADMIN`. To set the former for
    /// it would take away what it may rely on.
    NoRight,
    /// It has filters of its own, or the kernel does not say: one of them may kill it for the
    /// attempt.
    OwnFilters,
}

impl Standing {
    /// Reads it.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let text = fs::read(format!("/proc/{pid}/status")).ok()?;
        Some(Self::parse(&String::from_utf8_lossy(&text)))
    }

    fn parse(text: &str) -> Self {
        let mut standing = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            let number = || value.parse().unwrap_or(0);
            match name {
                "CapEff" => standing.capabilities = u64::from_str_radix(value, 16).unwrap_or(0),
                "NoNewPrivs" => standing.no_new_privs = value == "1",
                "PPid" => standing.parent = number(),
                "Seccomp_filters" => standing.filters = value.parse().ok(),
                "State" => standing.is_dead = value.starts_with(['Z', 'X']),
                "TracerPid" => standing.tracer = number(),
                "VmSize" => standing.has_memory = true,
                _ => {}
            }
        }
        standing
    }

    /// What it is to the tracer with this pid.
    pub(super) const fn verdict(&self, tracer: i32) -> Verdict {
        if self.tracer == tracer {
            Verdict::Ignore
        } else if self.is_dead || self.tracer != 0 || !self.has_memory {
            // Somebody else's debugger may let it go; a process on its way through exec or exit
            // has no memory for a moment.
            Verdict::Later
        } else {
            Verdict::Foreign
        }
    }

    /// Whether a filter may be put into it, when everybody in the container has `usual` filters of
    /// the runtime's.
    pub(super) fn filtering(&self, usual: Option<u32>) -> Filtering {
        if self.filters.is_none() || self.filters != usual {
            Filtering::OwnFilters
        } else if self.no_new_privs || self.capabilities >> CAP_SYS_ADMIN & 1 == 1 {
            Filtering::Allowed
        } else {
            Filtering::NoRight
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "Name:\tsh\nState:\tS (sleeping)\nPPid:\t0\nTracerPid:\t0\nVmSize:\t  2580 kB\n\
        CapEff:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n";

    #[test]
    fn status_is_read() {
        let shell = Standing::parse(SHELL);
        let expected = Standing {
            has_memory: true,
            capabilities: 0xa804_25fb,
            filters: Some(1),
            ..Standing::default()
        };
        assert_eq!(shell, expected);
        assert!(Standing::of(1).is_some());
    }

    #[test]
    fn verdicts() {
        let shell = Standing::parse(SHELL);
        let table = [
            ("a shell that entered", shell, Verdict::Foreign),
            (
                "traced by us",
                Standing { tracer: 9, ..shell },
                Verdict::Ignore,
            ),
            (
                "traced by others",
                Standing { tracer: 8, ..shell },
                Verdict::Later,
            ),
            (
                "ended",
                Standing {
                    is_dead: true,
                    ..shell
                },
                Verdict::Later,
            ),
            (
                "of the kernel",
                Standing {
                    has_memory: false,
                    ..shell
                },
                Verdict::Later,
            ),
        ];
        for (name, standing, expected) in table {
            assert_eq!(standing.verdict(9), expected, "{name}");
        }
    }

    #[test]
    fn filters_go_only_where_they_are_allowed_and_harmless() {
        let shell = Standing::parse(SHELL);
        let with_right = Standing {
            no_new_privs: true,
            ..shell
        };
        let admin = Standing {
            capabilities: 1 << 21,
            ..shell
        };
        let table = [
            ("as usual", shell, Some(1), Filtering::NoRight),
            ("no new privileges", with_right, Some(1), Filtering::Allowed),
            ("administrator", admin, Some(1), Filtering::Allowed),
            (
                "one filter more than usual",
                with_right,
                Some(0),
                Filtering::OwnFilters,
            ),
            (
                "one filter less than usual",
                with_right,
                Some(2),
                Filtering::OwnFilters,
            ),
            (
                "an old kernel",
                Standing {
                    filters: None,
                    ..admin
                },
                None,
                Filtering::OwnFilters,
            ),
        ];
        for (name, standing, usual, expected) in table {
            assert_eq!(standing.filtering(usual), expected, "{name}");
        }
    }
}
