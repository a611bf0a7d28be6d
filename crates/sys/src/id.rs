//! Newtypes at the border: no bare `i32` above this crate.

use std::fmt;

/// A process (thread group), in the tracer's pid namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub i32);

/// A thread, in the tracer's pid namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid(pub i32);

/// A signal's number; real-time signals included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(pub i32);

impl Pid {
    /// The calling process.
    pub fn this() -> Self {
        Self(nix::unistd::getpid().as_raw())
    }

    /// The thread that leads the process.
    pub const fn leader(self) -> Tid {
        Tid(self.0)
    }
}

impl Tid {
    /// The calling thread.
    pub fn this() -> Self {
        Self(nix::unistd::gettid().as_raw())
    }

    /// The process that this thread leads, if it leads one.
    pub const fn as_leader(self) -> Pid {
        Pid(self.0)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
