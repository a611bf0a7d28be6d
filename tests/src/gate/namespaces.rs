//! Makes the namespaces of a task, with or without root.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Enters a network and a mount namespace of our own; without root a user namespace comes first,
/// in which we stay who we are.
pub(super) fn enter(private: &[PathBuf]) -> io::Result<()> {
    let own = fs::metadata("/proc/self")?;
    let mut flags = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    if own.uid() != 0 {
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    unshare(flags).map_err(|error| io::Error::other(format!("cannot unshare: {error}")))?;
    if own.uid() != 0 {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{0} {0} 1", own.uid()))?;
        fs::write("/proc/self/gid_map", format!("{0} {0} 1", own.gid()))?;
    }
    let none: Option<&Path> = None;
    // From here on, mounts of ours are nobody else's.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    for directory in private {
        mount(
            Some("tmpfs"),
            directory,
            Some("tmpfs"),
            MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
            Some("mode=1777,size=64m"),
        )
        .map_err(|error| {
            io::Error::other(format!(
                "cannot mount on `{}`: {error}",
                directory.display()
            ))
        })?;
    }
    Ok(())
}
