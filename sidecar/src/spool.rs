//! The disk behind one lane: a log of records in segment files.
//!
//! Records are appended in the order of their positions and removed from the front, a whole
//! segment at a time. A segment begins with `WASPOOL` and a version byte; a record is
//! `len u32 | crc32c u32 | payload`, little-endian; the payload is protobuf and holds its position.
//! Recovery reads every segment and cuts it at the first record that is not whole; a segment of a
//! later version is set apart, uncut. Everything here is synchronous: the calls between two awaits of the sidecar
//! are one step for everybody else.

mod cursor;
mod segment;
#[cfg(test)]
mod trials;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub use cursor::Cursor;
pub(crate) use segment::Positioned;
use segment::Segment;

use crate::record::Record;

/// Bytes after which a new segment is begun.
const SEGMENT_BYTES: u64 = 1 << 20;

/// Why the spool failed.
#[derive(Debug, thiserror::Error)]
#[error("{action} `{}`", path.display())]
pub struct SpoolError {
    /// What was tried, as `cannot write`.
    pub action: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl SpoolError {
    /// Whether there is no room: what is removed makes some.
    pub(crate) fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(
            self.source.kind(),
            FileTooLarge | QuotaExceeded | StorageFull
        )
    }

    /// Whether a segment cannot be read, now or later.
    pub(crate) fn is_damage(&self) -> bool {
        use io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
        matches!(self.source.kind(), InvalidData | NotFound | UnexpectedEof)
            || self.source.raw_os_error() == Some(nix::errno::Errno::EIO as i32)
    }

    pub(crate) fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

/// The log of one lane.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    segments: VecDeque<Segment>,
    /// The last segment, open for appending.
    active: Option<File>,
    /// Position after the last record.
    end: u64,
    /// Whether anything was written since the last [`Self::sync_handle`].
    is_dirty: bool,
}

/// What recovery found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Whole records.
    pub records: u64,
    /// Bytes cut off.
    pub cut_bytes: u64,
    /// Records that were once whole and are gone: damage, not a torn tail.
    pub lost: u64,
    /// Files of a later version, set apart.
    pub aside: u64,
}

impl Spool {
    /// Opens a folder, making it when absent, and recovers what is in it. Every record found is
    /// shown to `found`.
    pub fn open(
        dir: &Path,
        found: &mut dyn FnMut(&Record),
    ) -> Result<(Self, Recovered), SpoolError> {
        fs::create_dir_all(dir).map_err(SpoolError::new("cannot make", dir))?;
        let mut paths = Vec::new();
        let mut recovered = Recovered::default();
        for entry in fs::read_dir(dir).map_err(SpoolError::new("cannot list", dir))? {
            let path = entry.map_err(SpoolError::new("cannot list", dir))?.path();
            let first = segment::first_position(&path);
            let is_ours = first.is_some() || segment::is_condemned(&path);
            if segment::is_aside(&path) || (is_ours && segment::set_aside(&path)?) {
                recovered.aside += 1;
            } else if let Some(first) = first {
                paths.push((first, path));
            }
        }
        paths.sort();
        let mut segments = VecDeque::<Segment>::new();
        for (first, path) in paths {
            let (segment, cut_bytes) = Segment::recover(path, first, found)?;
            recovered.cut_bytes += cut_bytes;
            if let Some(before) = segments.back() {
                recovered.lost += segment.first.saturating_sub(before.end);
            }
            if segment.is_empty() {
                segment.remove()?;
            } else {
                recovered.records += segment.end - segment.first;
                segments.push_back(segment);
            }
        }
        let end = segments.back().map_or(0, |last| last.end);
        let spool = Self {
            dir: dir.to_owned(),
            segments,
            active: None,
            end,
            is_dirty: false,
        };
        Ok((spool, recovered))
    }

    /// Position of the first record held, or of the next one when there is none.
    pub fn start(&self) -> u64 {
        self.segments.front().map_or(self.end, |first| first.first)
    }

    /// Position after the last record.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Appends records, the first of which stands at `position`. On an error nothing of them is
    /// kept.
    pub fn append<'a>(
        &mut self,
        position: u64,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), SpoolError> {
        let mut bytes = Vec::new();
        let mut next = position;
        let mut is_protected = false;
        for record in records {
            is_protected |= record.may_be_stored;
            segment::encode(next, record, &mut bytes);
            next += 1;
        }
        if next == position {
            return Ok(());
        }
        let is_gap = self
            .segments
            .back()
            .is_some_and(|last| last.end != position);
        let is_full = self
            .segments
            .back()
            .is_none_or(|last| last.bytes >= SEGMENT_BYTES);
        if is_gap || is_full || self.active.is_none() {
            self.begin_segment(position)?;
        }
        // INVARIANT: `begin_segment` leaves both in place, and so does every earlier append.
        let file = self.active.as_mut().expect("a segment is open");
        let last = self.segments.back_mut().expect("a segment is open");
        if let Err(error) = last.append(file, &bytes, next) {
            self.active = None;
            if self.segments.back().is_some_and(Segment::is_empty)
                && let Some(empty) = self.segments.pop_back()
            {
                empty.remove()?;
            }
            return Err(error);
        }
        last.is_protected |= is_protected;
        self.end = next;
        self.is_dirty = true;
        Ok(())
    }

    fn begin_segment(&mut self, position: u64) -> Result<(), SpoolError> {
        let (segment, file) = Segment::create(&self.dir, position)?;
        self.segments.push_back(segment);
        self.active = Some(file);
        Ok(())
    }

    /// Reads records from `position` on, or from the first one after it that is held. `at` is where
    /// the last read stopped; it makes a read in order cheap.
    pub fn read(
        &self,
        position: u64,
        max_bytes: usize,
        at: &mut ReadAt,
    ) -> Result<Vec<Positioned>, SpoolError> {
        let Some(segment) = self.segments.iter().find(|segment| segment.end > position) else {
            return Ok(Vec::new());
        };
        let position = position.max(segment.first);
        if at.segment != segment.first || at.position > position {
            *at = ReadAt {
                segment: segment.first,
                position: segment.first,
                offset: 0,
            };
        }
        segment.read(position, max_bytes, at)
    }

    /// Removes segments whose records all stand before `position`.
    pub fn trim(&mut self, position: u64) -> Result<(), SpoolError> {
        while self
            .segments
            .front()
            .is_some_and(|first| first.end <= position)
        {
            if let Some(segment) = self.segments.pop_front() {
                if self.segments.is_empty() {
                    self.active = None;
                }
                segment.remove()?;
            }
        }
        Ok(())
    }

    /// Positions of every segment, oldest first: first record, and after the last.
    pub fn spans(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.segments
            .iter()
            .map(|segment| (segment.first, segment.end))
    }

    /// As [`Self::spans`], without segments in which something may be stored already.
    pub fn unprotected_spans(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let unprotected = self.segments.iter().filter(|segment| !segment.is_protected);
        unprotected.map(|segment| (segment.first, segment.end))
    }

    /// Sets one segment apart, so that it is never read again, and returns its records. It stays on
    /// disk until [`Condemned::remove`], so that a process that dies in between can finish what it
    /// began ([`Self::condemned`]).
    pub fn condemn(&mut self, first: u64) -> Result<Option<Condemned>, SpoolError> {
        let Some(index) = self
            .segments
            .iter()
            .position(|segment| segment.first == first)
        else {
            return Ok(None);
        };
        if index + 1 == self.segments.len() {
            self.active = None;
        }
        let Some(segment) = self.segments.remove(index) else {
            return Ok(None);
        };
        segment.condemn().map(Some)
    }

    /// Segments that an earlier process condemned and did not remove.
    pub fn condemned(&self) -> Result<Vec<Condemned>, SpoolError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(SpoolError::new("cannot list", &self.dir))? {
            let path = entry
                .map_err(SpoolError::new("cannot list", &self.dir))?
                .path();
            if segment::is_condemned(&path) {
                found.push(Condemned::load(path)?);
            }
        }
        Ok(found)
    }

    /// The open file, when it holds data that was not forced to the device since the last call.
    pub fn sync_handle(&mut self) -> Option<File> {
        if !std::mem::take(&mut self.is_dirty) {
            return None;
        }
        self.active.as_ref()?.try_clone().ok()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Where a reader stopped.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadAt {
    segment: u64,
    position: u64,
    /// Bytes behind the segment's mark.
    offset: u64,
}

/// A segment that is given up.
#[derive(Debug)]
pub struct Condemned {
    path: PathBuf,
    records: Vec<Positioned>,
}

impl Condemned {
    fn load(path: PathBuf) -> Result<Self, SpoolError> {
        let records = segment::scan(&path)?.0;
        Ok(Self { path, records })
    }

    /// What was in it.
    pub(crate) fn records(&self) -> &[Positioned] {
        &self.records
    }

    /// Removes it for good.
    pub fn remove(self) -> Result<(), SpoolError> {
        fs::remove_file(&self.path).map_err(SpoolError::new("cannot remove", &self.path))
    }
}
