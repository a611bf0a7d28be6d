//! One queue: records in memory, the spool behind them, and how far each sink has come.
//!
//! Positions count records for as long as the spool lives. Everything before the first record in
//! memory is in safe hands: on disk, settled by every sink, or told as lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::record::Record;
use crate::spool::{Condemned, Cursor, Positioned, ReadAt, Spool, SpoolError};

/// How long a record may wait in memory for its sinks before it goes to disk, where it is safe and
/// can be acknowledged: well before a tracer's outbox is full.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bytes that go to disk in one step: a segment stays small, and so does what is held to write it.
const PIECE: usize = 512 * 1024;

/// What a lane may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes in memory.
    pub memory: usize,
    /// Bytes on disk.
    pub disk: u64,
}

/// How far one sink has come.
#[derive(Debug)]
struct Reader {
    sink: &'static str,
    cursor: Cursor,
    at: ReadAt,
}

/// One queue.
#[derive(Debug)]
pub(crate) struct Lane {
    memory: VecDeque<(Record, Instant)>,
    /// Position of the first record in memory.
    start: u64,
    memory_bytes: usize,
    limits: Limits,
    spool: Option<Spool>,
    readers: Vec<Reader>,
}

/// Records for a sink, and the position behind each.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub records: Vec<Record>,
    pub ends: Vec<u64>,
    /// Why it is not on disk that they are about to be tried. They are to be tried all the same:
    /// that is told in the log, and matters after a crash only.
    pub trouble: Option<SpoolError>,
}

impl Lane {
    pub(crate) fn new(limits: Limits, spool: Option<Spool>, sinks: &[&'static str]) -> Self {
        let readers: Vec<_> = sinks
            .iter()
            .map(|sink| Reader {
                sink,
                cursor: spool
                    .as_ref()
                    .map_or_else(Cursor::default, |s| Cursor::load(s.dir(), sink)),
                at: ReadAt::default(),
            })
            .collect();
        // Cursors may be ahead of the disk: they also count records that never went there.
        let start = readers
            .iter()
            .map(|reader| reader.cursor.tried.max(reader.cursor.done))
            .chain(spool.as_ref().map(Spool::end))
            .max()
            .unwrap_or_default();
        Self {
            memory: VecDeque::new(),
            start,
            memory_bytes: 0,
            limits,
            spool,
            readers,
        }
    }

    /// Position of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.start + self.memory.len() as u64
    }

    pub(crate) const fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        self.spool.as_ref().map_or(0, Spool::bytes)
    }

    pub(crate) const fn has_spool(&self) -> bool {
        self.spool.is_some()
    }

    /// Whether a record of this size fits in memory.
    pub(crate) const fn has_room(&self, cost: usize) -> bool {
        self.memory_bytes + cost <= self.limits.memory
    }

    /// Bytes that memory may hold.
    pub(crate) const fn memory_limit(&self) -> usize {
        self.limits.memory
    }

    /// Adds a record and returns its position. Whoever adds looks at [`Self::has_room`] first.
    pub(crate) fn push(&mut self, record: Record, now: Instant) -> u64 {
        let position = self.next();
        self.memory_bytes += record.cost();
        self.memory.push_back((record, now));
        position
    }

    /// Everything before this position is in safe hands.
    pub(crate) fn safe(&self) -> u64 {
        self.start.max(self.slowest())
    }

    fn slowest(&self) -> u64 {
        self.readers
            .iter()
            .map(|reader| reader.cursor.done)
            .min()
            .unwrap_or_default()
    }

    /// Records that a sink has not settled.
    pub(crate) fn lag(&self, sink: usize) -> u64 {
        self.next()
            .saturating_sub(self.readers[sink].cursor.done.max(self.first_held()))
    }

    fn first_held(&self) -> u64 {
        self.spool
            .as_ref()
            .filter(|spool| !spool.is_empty())
            .map_or(self.start, Spool::start)
    }

    /// Whether records wait in memory for longer than they should.
    pub(crate) fn is_pressed(&self, now: Instant) -> bool {
        self.memory
            .front()
            .is_some_and(|(_, since)| now.duration_since(*since) > PATIENCE)
    }

    /// Bytes that must be freed on disk before everything in memory fits there.
    pub(crate) fn excess(&self) -> u64 {
        (self.disk_bytes() + self.memory_bytes as u64).saturating_sub(self.limits.disk)
    }

    /// Moves everything in memory to disk, a segment's worth at a time. Returns how many records
    /// it moved before it ended, well or not.
    pub(crate) fn spill(&mut self) -> (u64, Result<(), SpoolError>) {
        let mut moved = 0;
        if self.memory.is_empty() {
            return (0, Ok(()));
        }
        // What is tried from memory must be known as tried before it can be found on disk.
        if let Err(error) = (0..self.readers.len()).try_for_each(|sink| self.save(sink)) {
            return (0, Err(error));
        }
        while !self.memory.is_empty() && self.spool.is_some() {
            match self.spill_piece() {
                Ok(count) => moved += count,
                Err(error) => return (moved, Err(error)),
            }
        }
        self.memory.shrink_to(1024);
        (moved, Ok(()))
    }

    fn spill_piece(&mut self) -> Result<u64, SpoolError> {
        let Some(spool) = &mut self.spool else {
            return Ok(0);
        };
        let (mut bytes, mut count) = (0, 0);
        while let Some((record, _)) = self.memory.get(count) {
            if bytes > 0 && bytes + record.cost() > PIECE {
                break;
            }
            bytes += record.cost();
            count += 1;
        }
        spool.append(
            self.start,
            self.memory.iter().take(count).map(|(record, _)| record),
        )?;
        self.memory.drain(..count);
        self.memory_bytes -= bytes;
        self.start += count as u64;
        Ok(count as u64)
    }

    /// Reads what comes next for a sink, and notes that it is about to be tried.
    pub(crate) fn read(&mut self, sink: usize, max_bytes: usize) -> Result<Found, SpoolError> {
        let reader = &mut self.readers[sink];
        let from = reader.cursor.done;
        let mut found = Found::default();
        let spooled = match &self.spool {
            Some(spool) if from < spool.end() => spool.read(from, max_bytes, &mut reader.at)?,
            _ => Vec::new(),
        };
        let is_spooled = !spooled.is_empty();
        if is_spooled {
            for (position, record) in spooled {
                found.records.push(record);
                found.ends.push(position + 1);
            }
        } else {
            let skip = usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX);
            let mut bytes = 0;
            for (n, (record, _)) in self.memory.iter().enumerate().skip(skip) {
                bytes += record.cost();
                if bytes > max_bytes && !found.records.is_empty() {
                    break;
                }
                found.records.push(record.clone());
                found.ends.push(self.start + n as u64 + 1);
            }
        }
        if let Some(end) = found.ends.last() {
            reader.cursor.tried = reader.cursor.tried.max(*end);
        }
        if is_spooled {
            found.trouble = self.save(sink).err();
        }
        Ok(found)
    }

    fn save(&self, sink: usize) -> Result<(), SpoolError> {
        let reader = &self.readers[sink];
        self.spool
            .as_ref()
            .map_or(Ok(()), |spool| reader.cursor.save(spool.dir(), reader.sink))
    }

    /// A sink has settled everything before `end`; what nobody needs any more goes.
    pub(crate) fn settle(&mut self, sink: usize, end: u64) -> Result<(), SpoolError> {
        let cursor = &mut self.readers[sink].cursor;
        cursor.done = cursor.done.max(end);
        cursor.tried = cursor.tried.max(end);
        let slowest = self.slowest();
        while self.start < slowest {
            let Some((record, _)) = self.memory.pop_front() else {
                break;
            };
            self.memory_bytes -= record.cost();
            self.start += 1;
        }
        let is_freed = self
            .spool
            .as_ref()
            .is_some_and(|spool| spool.spans().next().is_some_and(|(_, end)| end <= slowest));
        if is_freed {
            // What all have passed goes even where a cursor cannot be written: on a full disk that
            // is what makes room for it.
            let saved = (0..self.readers.len()).try_for_each(|sink| self.save(sink));
            if let Some(spool) = &mut self.spool {
                spool.trim(slowest)?;
            }
            saved?;
        }
        Ok(())
    }

    /// A segment could not be read: a sink goes on behind it. Returns how many records it gives up.
    pub(crate) fn skip_damaged(&mut self, sink: usize) -> u64 {
        let from = self.readers[sink].cursor.done;
        let span = self
            .spool
            .as_ref()
            .and_then(|spool| spool.spans().find(|(_, end)| *end > from));
        let Some((first, end)) = span else {
            return 0;
        };
        self.readers[sink].cursor = Cursor {
            done: end,
            tried: end,
        };
        end - from.max(first)
    }

    /// Gives up the oldest segment of which nothing may have been stored by a sink that has not
    /// settled it. `None` when there is no such segment.
    pub(crate) fn condemn(&mut self) -> Result<Option<Condemned>, SpoolError> {
        let Some(spool) = &self.spool else {
            return Ok(None);
        };
        let is_free = |(first, end): &(u64, u64)| {
            self.readers.iter().all(|r| {
                r.cursor.tried <= *first || r.cursor.done >= *end || r.cursor.tried <= r.cursor.done
            })
        };
        let Some((first, _)) = spool.unprotected_spans().find(is_free) else {
            return Ok(None);
        };
        for sink in 0..self.readers.len() {
            self.save(sink)?;
        }
        self.spool
            .as_mut()
            .map_or(Ok(None), |spool| spool.condemn(first))
    }

    /// Segments that an earlier process gave up and did not finish with.
    pub(crate) fn condemned(&self) -> Result<Vec<Condemned>, SpoolError> {
        self.spool.as_ref().map_or(Ok(Vec::new()), Spool::condemned)
    }

    /// The sinks that have not settled a position, by number.
    pub(crate) fn missing(&self, record: &Positioned) -> Vec<usize> {
        (0..self.readers.len())
            .filter(|n| self.readers[*n].cursor.done <= record.0)
            .collect()
    }

    pub(crate) const fn sinks(&self) -> usize {
        self.readers.len()
    }

    /// The file to force to the device, when there is something new in it.
    pub(crate) fn sync_handle(&mut self) -> Option<std::fs::File> {
        self.spool.as_mut().and_then(Spool::sync_handle)
    }
}
