//! The state of one traced thread.

use sys::{Call, Resume};

use super::{Decision, Next, Stop};

/// How often a thread stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At every entry and exit of a call: it has no filter of ours.
    Every,
    /// Where its filter says so.
    Filtered,
}

impl Pace {
    /// The order that keeps the pace.
    pub fn apply(self, order: Resume) -> Resume {
        match (self, order) {
            (Self::Every, Resume::Continue(signal)) => Resume::ToSyscall(signal),
            (_, order) => order,
        }
    }
}

/// Where a thread stands.
#[derive(Debug)]
pub(super) enum Life<P> {
    /// Its maker told of it; its first stop is still to come.
    Announced,
    /// It passed the stop before its end.
    Ending,
    /// It is inside of a call whose result somebody needs.
    InCall(Call, P),
    /// The call was interrupted, and the kernel may do it again.
    Interrupted(Call, P),
    /// Anything else.
    Running,
}

/// Results between these are orders of the kernel to itself to restart the call; no program ever
/// sees them (`include/linux/errno.h`).
pub(crate) const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;

const EINTR: i64 = 4;

impl<P> Life<P> {
    /// Takes a stop. A finished call comes back with its result.
    pub(super) fn on_stop(&mut self, pace: Pace, stop: Stop) -> (Next, Option<(P, i64)>) {
        let state = std::mem::replace(self, Self::Running);
        let go = Next::Resume(pace.apply(Resume::Continue(None)));
        match (state, stop) {
            (Self::Interrupted(call, pending), Stop::Entry(again)) if call == again => {
                *self = Self::InCall(call, pending);
                (Next::Resume(Resume::ToSyscall(None)), None)
            }
            // The handler's program sees EINTR, and went on to something else.
            (Self::Interrupted(_, pending), Stop::Entry(_)) => {
                (Next::Examine, Some((pending, -EINTR)))
            }
            (_, Stop::Entry(_)) => (Next::Examine, None),
            (Self::InCall(call, pending), Stop::Exit(result)) if RESTARTS.contains(&result) => {
                *self = Self::Interrupted(call, pending);
                (go, None)
            }
            (Self::InCall(_, pending), Stop::Exit(result)) => (go, Some((pending, result))),
            (state, Stop::Exit(_)) => {
                *self = state;
                (go, None)
            }
            (state, Stop::Ending) => {
                *self = Self::Ending;
                let cut = match state {
                    Self::InCall(_, pending) | Self::Interrupted(_, pending) => {
                        Some((pending, -EINTR))
                    }
                    Self::Announced | Self::Ending | Self::Running => None,
                };
                (Next::Resume(Resume::Continue(None)), cut)
            }
            (state, Stop::Group) => {
                self.keep(state);
                (Next::Resume(Resume::Listen), None)
            }
            (state, Stop::Signal(signal)) => {
                self.keep(state);
                let order = self.pace(pace).apply(Resume::Continue(Some(signal)));
                (Next::Resume(order), None)
            }
            // An exec is handled by who knows all threads.
            (state, Stop::Exec { .. } | Stop::Forked(_) | Stop::Trap) => {
                self.keep(state);
                let order = self.pace(pace).apply(Resume::Continue(None));
                (Next::Resume(order), None)
            }
        }
    }

    /// Goes on as before; a first stop makes an announced thread a running one.
    fn keep(&mut self, state: Self) {
        *self = match state {
            Self::Announced => Self::Running,
            state => state,
        };
    }

    /// Inside of a call whose exit is awaited every order must lead to that exit.
    const fn pace(&self, pace: Pace) -> Pace {
        match self {
            Self::InCall(..) => Pace::Every,
            Self::Announced | Self::Ending | Self::Interrupted(..) | Self::Running => pace,
        }
    }

    pub(super) fn decided(&mut self, pace: Pace, call: Call, decision: Decision<P>) -> Resume {
        match decision {
            Decision::Exit => Resume::ToSyscall(None),
            Decision::Go => pace.apply(Resume::Continue(None)),
            Decision::Return(pending) => {
                *self = Self::InCall(call, pending);
                Resume::ToSyscall(None)
            }
        }
    }

    pub(super) const fn is_ending(&self) -> bool {
        matches!(self, Self::Ending)
    }

    pub(super) fn into_pending(self) -> Option<P> {
        match self {
            Self::InCall(_, pending) | Self::Interrupted(_, pending) => Some(pending),
            Self::Announced | Self::Ending | Self::Running => None,
        }
    }
}
