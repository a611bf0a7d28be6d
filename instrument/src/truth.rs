//! What the kernel really did, asked after it did it.
//!
//! Arguments in memory can be changed by another thread between the tracer's reading and the
//! kernel's. The descriptor that came out of a call cannot.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use event::{Fd, FdKind};
use sys::Tid;

use crate::process::read_link;

/// Notes the identity of an opened file, and its true path if that is not the file that the path
/// of the call leads to.
pub(crate) fn of_opened(tid: Tid, fd: &mut Fd<'static>) {
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
    // Links on the way are fine: rules name paths as programs do. Another file is a lie.
    let asked = fd.name.as_deref().and_then(|name| identity(tid, name));
    if asked == Some((opened.dev(), opened.ino())) {
        return;
    }
    if let Some(path) = read_link(tid, &format!("fd/{num}"))
        && path.first() == Some(&b'/')
    {
        fd.name = Some(Cow::Owned(path));
    }
}

fn identity(tid: Tid, path: &[u8]) -> Option<(u64, u64)> {
    let mut in_root = format!("/proc/{tid}/root").into_bytes();
    in_root.extend_from_slice(path);
    let meta = std::fs::metadata(Path::new(std::ffi::OsStr::from_bytes(&in_root))).ok()?;
    Some((meta.dev(), meta.ino()))
}
