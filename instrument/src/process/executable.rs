//! The file that a process executes, as it was when it was executed.

use std::os::unix::fs::MetadataExt as _;

use event::ExeFile;
use sys::Pid;

/// What `stat` said of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Executable {
    ino: u64,
    ctime: u64,
    mtime: u64,
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Executable {
    /// Looks at the file once, at the exec: rules about the program and the search for lost
    /// privileges share the answer.
    pub(super) fn of(pid: Pid) -> Option<Self> {
        let meta = std::fs::metadata(format!("/proc/{pid}/exe")).ok()?;
        let nanos = |seconds: i64, nanos: i64| {
            u64::try_from(i128::from(seconds) * 1_000_000_000 + i128::from(nanos)).unwrap_or(0)
        };
        Some(Self {
            ino: meta.ino(),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            mode: meta.mode(),
            uid: meta.uid(),
            gid: meta.gid(),
        })
    }

    /// As rules ask for it. `container_started` is in nanoseconds since 1970.
    pub(super) fn facts(
        &self,
        path: Option<&[u8]>,
        (euid, egid): (u32, u32),
        container_started: u64,
    ) -> ExeFile {
        let is_memfd = path.is_some_and(|path| path.starts_with(b"/memfd:"));
        let writers = match (self.uid == euid, self.gid == egid) {
            (true, _) => 0o200,
            (false, true) => 0o020,
            (false, false) => 0o002,
        };
        ExeFile {
            ino: self.ino,
            ctime: self.ctime,
            mtime: self.mtime,
            is_writable: euid == 0 || self.mode & writers != 0,
            is_memfd,
            is_drift: is_memfd || self.ctime > container_started || self.mtime > container_started,
        }
    }

    /// Whether it asks for another user or group than the process has.
    pub fn wants_other_ids(&self, euid: u32, egid: u32) -> bool {
        const SET_UID: u32 = 0o4000;
        const SET_GID: u32 = 0o2000;
        const GROUP_EXECUTE: u32 = 0o010;
        let is_set_gid = self.mode & (SET_GID | GROUP_EXECUTE) == SET_GID | GROUP_EXECUTE;
        (self.mode & SET_UID != 0 && self.uid != euid) || (is_set_gid && self.gid != egid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Executable = Executable {
        ino: 7,
        ctime: 100,
        mtime: 50,
        mode: 0o755,
        uid: 1,
        gid: 2,
    };

    #[test]
    fn who_may_write_follows_the_first_class_that_fits() {
        let writable = |mode, ids| {
            Executable { mode, ..FILE }
                .facts(None, ids, 200)
                .is_writable
        };
        assert!(writable(0o755, (0, 0)));
        assert!(writable(0o755, (1, 9)));
        assert!(!writable(0o577, (1, 2)));
        assert!(writable(0o575, (9, 2)));
        assert!(!writable(0o557, (9, 2)));
        assert!(writable(0o557, (9, 9)));
    }

    #[test]
    fn what_came_after_the_start_or_out_of_memory_is_drift() {
        let drift = |path: Option<&[u8]>, started| FILE.facts(path, (1, 2), started).is_drift;
        assert!(!drift(None, 100));
        assert!(drift(None, 99));
        assert!(drift(Some(b"/memfd:x"), 100));
    }

    #[test]
    fn privileges_are_wanted_where_a_bit_names_somebody_else() {
        let wants =
            |mode, ids: (u32, u32)| Executable { mode, ..FILE }.wants_other_ids(ids.0, ids.1);
        assert!(!wants(0o755, (9, 9)));
        assert!(wants(0o4755, (9, 9)));
        assert!(!wants(0o4755, (1, 9)));
        assert!(wants(0o2755, (9, 9)));
        assert!(!wants(0o2745, (9, 9)), "that is mandatory locking");
    }
}
