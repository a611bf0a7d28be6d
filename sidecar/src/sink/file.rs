//! JSON lines in a file that is rotated by size.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::lines::lines;
use super::{Outcome, Put, Sink};
use crate::hub::Batch;

/// A file, and the older ones behind it: `a.jsonl`, `a.jsonl.1`, `a.jsonl.2`, …
#[derive(Debug)]
pub(crate) struct Rotating {
    path: PathBuf,
    rotate: u64,
    keep: u32,
    open: Option<(File, u64)>,
}

impl Rotating {
    pub(crate) const fn new(path: PathBuf, rotate: u64, keep: u32) -> Self {
        Self {
            path,
            rotate,
            keep,
            open: None,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, len)| *len > 0 && len + bytes.len() as u64 > self.rotate)
        {
            self.open = None;
            self.shift()?;
        }
        let (mut file, len) = match self.open.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        if let Err(error) = file.write_all(bytes) {
            // Half a batch would be written twice otherwise, and half a line stay for ever.
            file.set_len(len)?;
            return Err(error);
        }
        self.open = Some((file, len + bytes.len() as u64));
        Ok(())
    }

    fn shift(&self) -> std::io::Result<()> {
        for n in (0..self.keep).rev() {
            let from = numbered(&self.path, n);
            if from.exists() {
                fs::rename(&from, numbered(&self.path, n + 1))?;
            }
        }
        if self.keep == 0 {
            fs::remove_file(&self.path)
        } else {
            Ok(())
        }
    }
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    if n == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    name.into()
}

/// Opens for appending. A torn line that an earlier process left is ended.
fn open(path: &Path) -> std::io::Result<(File, u64)> {
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(path)?;
    let mut len = file.metadata()?.len();
    if len > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            len += 1;
        }
    }
    Ok((file, len))
}

impl Sink for Rotating {
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a> {
        Box::pin(async move {
            match self.write(&lines(batch)) {
                Ok(()) => Outcome::stored(batch.records.len()),
                Err(error) => {
                    Outcome::Retry(format!("cannot write `{}`: {error}", self.path.display()))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_move_up_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let mut file = Rotating::new(path.clone(), 10, 2);
        for line in ["one-line\n", "two-line\n", "three\n", "4\n", "five-five\n"] {
            file.write(line.as_bytes()).unwrap();
        }
        let read = |n| fs::read_to_string(numbered(&path, n)).ok();
        assert_eq!(read(0).as_deref(), Some("five-five\n"));
        assert_eq!(read(1).as_deref(), Some("three\n4\n"));
        assert_eq!(read(2).as_deref(), Some("two-line\n"));
        assert_eq!(read(3), None);
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        fs::write(&path, "{\"to").unwrap();
        Rotating::new(path.clone(), 100, 1).write(b"{}\n").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{\"to\n{}\n");
    }
}
