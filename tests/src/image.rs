//! Images without a registry: a directory of files, and what runs in it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An image that a back end can start containers from.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Its files.
    pub root: PathBuf,
    /// `ENTRYPOINT`.
    pub entry_point: Vec<String>,
    /// `CMD`.
    pub command: Vec<String>,
    /// `VOLUME`.
    pub volumes: Vec<String>,
}

/// Images by the names that task definitions use.
pub type Images = BTreeMap<String, Image>;

/// Fills an image's directory.
#[derive(Debug)]
pub struct Rootfs(PathBuf);

impl Rootfs {
    /// Starts an empty root at `path`.
    pub fn new(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self(path.to_path_buf()))
    }

    /// Where the files are.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Puts a file of this machine at `to`, an absolute path in the image.
    pub fn file(&self, from: &Path, to: &str) -> io::Result<&Self> {
        let to = self.place(to)?;
        fs::copy(from, &to).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", from.display()))
        })?;
        Ok(self)
    }

    /// Links a file of this machine in: as [`Self::file`], when nothing will change it.
    pub fn link(&self, from: &Path, to: &str) -> io::Result<&Self> {
        let place = self.place(to)?;
        match fs::hard_link(from, place) {
            Ok(()) => Ok(self),
            // Another file system, or not our file.
            Err(_) => self.file(from, to),
        }
    }

    /// Writes a text.
    pub fn text(&self, to: &str, text: &str) -> io::Result<&Self> {
        fs::write(self.place(to)?, text)?;
        Ok(self)
    }

    /// Makes a directory with the given mode.
    pub fn directory(&self, path: &str, mode: u32) -> io::Result<&Self> {
        let path = self.0.join(path.trim_start_matches('/'));
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(self)
    }

    /// Puts a program of this machine into the image, with the libraries that it asks for.
    pub fn program(&self, program: &Path, to: &str) -> io::Result<&Self> {
        self.file(program, to)?;
        let output = Command::new("ldd").arg(program).output()?;
        for library in libraries(&String::from_utf8_lossy(&output.stdout)) {
            if !self.0.join(library.trim_start_matches('/')).exists() {
                self.file(Path::new(library), library)?;
            }
        }
        Ok(self)
    }

    /// The accounts that every image has.
    pub fn accounts(&self) -> io::Result<&Self> {
        self.text(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n",
        )?;
        self.text("/etc/group", "root:x:0:\napp:x:1000:\n")?;
        self.text("/etc/shadow", "root:*:19000:0:99999:7:::\n")?;
        self.directory("/tmp", 0o1777)
    }

    fn place(&self, to: &str) -> io::Result<PathBuf> {
        let path = self.0.join(to.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(path)
    }
}

/// Reads paths from the output of `ldd`: `name => path (address)` or `path (address)`.
fn libraries(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter_map(|line| {
        let line = line.split_once("=> ").map_or(line, |(_, path)| path);
        let path = line.split_whitespace().next()?;
        path.starts_with('/').then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_ldd_is_read() {
        let output = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/libc.so.6 (0x7f)\n\
                      \t/lib64/ld-linux-x86-64.so.2 (0x7f)\n\tnot a dynamic executable\n";
        let found: Vec<_> = libraries(output).collect();
        assert_eq!(found, ["/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
