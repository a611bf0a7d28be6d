//! How far a sink has come, kept beside the segments.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::SpoolError;

/// How far a sink has come in a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Everything before this position is settled.
    pub done: u64,
    /// Everything before this position may have been stored already: it was sent, and the answer
    /// is not known. What may have been stored is never counted as lost.
    pub tried: u64,
}

impl Cursor {
    /// Reads a sink's cursor. A missing or damaged one begins at the front: a duplicate is better
    /// than a gap.
    pub fn load(dir: &Path, sink: &str) -> Self {
        fs::read_to_string(dir.join(name(sink)))
            .ok()
            .and_then(|text| Self::parse(&text))
            .unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, crc) = text.trim_end().rsplit_once(' ')?;
        if crc32c::crc32c(body.as_bytes()) != u32::from_str_radix(crc, 16).ok()? {
            return None;
        }
        let (done, tried) = body.split_once(' ')?;
        Some(Self {
            done: done.parse().ok()?,
            tried: tried.parse().ok()?,
        })
    }

    /// Writes it over the one before, which is as long: that needs no room on a full disk, and one
    /// write of a few bytes is whole or not there when the process dies.
    pub fn save(self, dir: &Path, sink: &str) -> Result<(), SpoolError> {
        let body = format!("{:020} {:020}", self.done, self.tried);
        let text = format!("{body} {:08x}\n", crc32c::crc32c(body.as_bytes()));
        let path = dir.join(name(sink));
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        options
            .open(&path)
            .and_then(|file| file.write_all_at(text.as_bytes(), 0))
            .map_err(SpoolError::new("cannot write", &path))
    }
}

fn name(sink: &str) -> String {
    format!("cursor-{sink}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_and_a_damaged_one_begins_at_the_front() {
        let dir = tempfile::tempdir().unwrap();
        let cursor = Cursor {
            done: 41,
            tried: 99,
        };
        cursor.save(dir.path(), "stdout").unwrap();
        assert_eq!(Cursor::load(dir.path(), "stdout"), cursor);
        let path = dir.path().join("cursor-stdout");
        let text = fs::read_to_string(&path).unwrap();
        for n in 0..text.trim_end().len() {
            fs::write(&path, cut(&text, n)).unwrap();
            assert_eq!(
                Cursor::load(dir.path(), "stdout"),
                Cursor::default(),
                "cut at {n}"
            );
        }
    }

    fn cut(text: &str, n: usize) -> &str {
        text.get(..n).unwrap()
    }
}
