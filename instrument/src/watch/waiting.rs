//! The workload's first process waits for whatever it may have made by `clone` (`__WALL`,
//! `__WCLONE`), and would find the tracer: a child of its own without exit signal. As long as it
//! has made no such child itself, the call is changed to what it would mean without us.

use sys::{Call, Errno, Pid, Stopped};

use super::Watch;
use super::taking::Taking;
use crate::brain::{Child, Kin};
use crate::table::Row;

/// Children with exit signal or without, and those without alone (`linux/wait.h`).
const WALL: u64 = 0x4000_0000;
const WCLONE: u64 = 0x8000_0000;

/// Kinds of ids for `waitid`.
const P_ALL: u64 = 0;
const P_PID: u64 = 1;

/// What a call means to the tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Nobody whom the program knows of.
    Nobody,
    /// The same as this call.
    Other(Call),
    /// What it says.
    Itself,
}

fn meaning(row: &Row, call: &Call, tracer: Pid) -> Meaning {
    let (is_any, is_tracer, at) = if row.call == "waitid" {
        let id = call.args[1] & 0xffff_ffff;
        let is_tracer = id == u64::from(tracer.0.cast_unsigned());
        let kind = call.args[0] & 0xffff_ffff;
        (kind == P_ALL, kind == P_PID && is_tracer, 3)
    } else {
        let pid = ((call.args[0] & 0xffff_ffff) as u32).cast_signed();
        (pid == -1, pid.abs() == tracer.0, 2)
    };
    let options: u64 = call.args[at];
    match () {
        () if is_tracer => Meaning::Nobody,
        () if is_any && options & WALL != 0 => {
            let mut other = *call;
            other.args[at] = options & !(WALL | WCLONE);
            Meaning::Other(other)
        }
        () if is_any && options & WCLONE != 0 => Meaning::Nobody,
        () => Meaning::Itself,
    }
}

impl Watch {
    /// At the entry of a call that waits for clones.
    pub(super) fn hide_from_wait(
        &mut self,
        stopped: &Stopped,
        row: &Row,
        call: &Call,
        pid: Pid,
    ) -> Result<(), Errno> {
        if pid != self.world.processes.root() || self.takings.has_clones {
            return Ok(());
        }
        match meaning(row, call, self.tracer.pid) {
            Meaning::Itself => Ok(()),
            Meaning::Nobody => stopped.refuse(Errno::ECHILD),
            Meaning::Other(other) => {
                stopped.set_arguments(&other)?;
                self.takings
                    .calls
                    .insert(stopped.tid(), Taking::Restoring { own: *call });
                Ok(())
            }
        }
    }

    /// A process was made: from now on the first one may wait for a clone of its own.
    pub(super) fn note_clone(&mut self, maker: Pid, child: Child) {
        self.takings.has_clones |= child.kind == sys::ForkKind::Clone
            && child.kin != Kin::Thread
            && maker == self.world.processes.root();
    }
}

#[cfg(test)]
mod tests {
    use sys::Abi;

    use super::*;
    use crate::table::rows;

    #[test]
    fn waiting_for_clones_means_what_it_would_mean_without_us() {
        let pid = |pid: i32| u64::from(pid.cast_unsigned());
        let any_id = [P_ALL, 0, 0, WALL | 4];
        let table = [
            ("wait4", [pid(-1), 0, WALL | 1, 0], Some([pid(-1), 0, 1, 0])),
            (
                "wait4",
                [pid(-1), 0, WALL | WCLONE, 0],
                Some([pid(-1), 0, 0, 0]),
            ),
            ("wait4", [pid(-1), 0, WCLONE, 0], None),
            ("wait4", [pid(42), 0, WALL, 0], None),
            ("wait4", [pid(-42), 0, WALL, 0], None),
            ("wait4", [pid(43), 0, WALL, 0], Some([pid(43), 0, WALL, 0])),
            ("wait4", [0, 0, WALL, 0], Some([0, 0, WALL, 0])),
            ("waitid", any_id, Some([P_ALL, 0, 0, 4])),
            ("waitid", [P_PID, 42, 0, WALL], None),
            ("waitid", [P_PID, 43, 0, WALL], Some([P_PID, 43, 0, WALL])),
        ];
        for (name, [a, b, c, d], expected) in table {
            let (_, row) = rows().find(|(_, row)| row.call == name).unwrap();
            let call = Call {
                abi: Abi::X86_64,
                number: 61,
                args: [a, b, c, d, 0, 0],
            };
            let found = match meaning(row, &call, Pid(42)) {
                Meaning::Nobody => None,
                Meaning::Other(other) => Some(other),
                Meaning::Itself => Some(call),
            };
            let found = found.map(|call| [call.args[0], call.args[1], call.args[2], call.args[3]]);
            assert_eq!(found, expected, "{name} {a:x} {c:x}");
        }
    }
}
