//! Directories that go away with the value that stands for them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is removed in the end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Scratch {
    /// Makes a directory under `/tmp` that nobody else uses: its paths are short enough for
    /// sockets.
    pub fn new() -> io::Result<Self> {
        Self::within(Path::new("/tmp"))
    }

    /// Makes one under `parent`. Programs belong beside those that cargo built, because a program
    /// that runs from `/tmp` is what the rules warn of.
    pub fn within(parent: &Path) -> io::Result<Self> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("workload-agent.{}.{number}", std::process::id());
        let path = parent.join(name);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in /tmp; there is nobody to tell.
        drop(fs::remove_dir_all(&self.0));
    }
}
