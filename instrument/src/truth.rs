//! What the kernel really did, asked after it did it.
//!
//! Arguments in memory can be changed by another thread between the tracer's reading and the
//! kernel's. The descriptor that came out of a call cannot.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use event::{Fd, FdKind};
use sys::{Pid, Tid};

use crate::guard::passes_proc;
use crate::process::read_link;

/// Notes the identity of an opened file, and its true path if that is not the file that the path
/// of the call leads to.
pub(crate) fn of_opened(pid: Pid, tid: Tid, fd: &mut Fd<'static>) {
    let Some(num) = fd.num.filter(|num| *num >= 0) else {
        return;
    };
    let Ok(opened) = std::fs::metadata(format!("/proc/{tid}/fd/{num}")) else {
        return;
    };
    (fd.dev, fd.ino) = (Some(opened.dev()), Some(opened.ino()));
    if opened.is_dir() {
        fd.kind = FdKind::Directory;
    }
    // Links on the way are fine: rules name paths as programs do. Another file is a lie, and so is
    // a way through the links of `/proc`, which every file has.
    let asked = fd
        .name
        .as_deref()
        .filter(|name| !passes_proc(name))
        .and_then(|name| identity(pid, tid, name));
    if asked == Some((opened.dev(), opened.ino())) {
        return;
    }
    if let Some(mut path) = read_link(tid, &format!("fd/{num}"))
        && path.first() == Some(&b'/')
    {
        // A file that was replaced meanwhile is still the file that was opened.
        if let Some(name) = path.strip_suffix(b" (deleted)") {
            path.truncate(name.len());
        }
        fd.name = Some(Cow::Owned(path));
    }
}

fn identity(pid: Pid, tid: Tid, path: &[u8]) -> Option<(u64, u64)> {
    let mut in_root = format!("/proc/{tid}/root").into_bytes();
    in_root.extend_from_slice(&of_thread(pid, tid, path));
    let meta = std::fs::metadata(Path::new(std::ffi::OsStr::from_bytes(&in_root))).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// Paths that mean something else to every process, as the thread means them.
fn of_thread(pid: Pid, tid: Tid, path: &[u8]) -> Vec<u8> {
    for (prefix, id, meant) in [
        (&b"/proc/self/"[..], pid.0, ""),
        (b"/proc/thread-self/", tid.0, ""),
        (b"/dev/fd/", pid.0, "fd/"),
        (b"/dev/stdin", pid.0, "fd/0"),
        (b"/dev/stdout", pid.0, "fd/1"),
        (b"/dev/stderr", pid.0, "fd/2"),
    ] {
        if let Some(rest) = path.strip_prefix(prefix) {
            let mut out = format!("/proc/{id}/{meant}").into_bytes();
            out.extend_from_slice(rest);
            return out;
        }
    }
    path.to_vec()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;
    use crate::descriptor::unknown;

    fn opened(asked: &str, file: &std::fs::File) -> Option<String> {
        let mut fd = unknown(FdKind::File);
        fd.num = Some(i64::from(file.as_raw_fd()));
        fd.name = Some(Cow::Owned(asked.as_bytes().to_vec()));
        of_opened(Pid::this(), Tid::this(), &mut fd);
        fd.name
            .map(|name| String::from_utf8(name.into_owned()).unwrap())
    }

    #[test]
    fn a_lie_is_replaced_by_the_truth() {
        let file = std::fs::File::open("/etc/passwd").unwrap();
        assert_eq!(opened("/etc/passwd", &file).as_deref(), Some("/etc/passwd"));
        assert_eq!(opened("/etc/group", &file).as_deref(), Some("/etc/passwd"));
        assert_eq!(opened("/no/such", &file).as_deref(), Some("/etc/passwd"));
    }

    #[test]
    fn a_way_through_proc_is_named_by_its_end() {
        let file = std::fs::File::open("/etc/passwd").unwrap();
        for asked in ["/proc/self/root/etc/passwd", "/proc/self/etc/passwd"] {
            assert_eq!(opened(asked, &file).as_deref(), Some("/etc/passwd"));
        }
    }

    #[test]
    fn a_link_on_the_way_is_no_lie() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        let link = link.to_str().unwrap();
        let file = std::fs::File::open(link).unwrap();
        assert_eq!(opened(link, &file).as_deref(), Some(link));
        let own = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(
            opened("/proc/self/status", &own).as_deref(),
            Some("/proc/self/status")
        );
    }
}
