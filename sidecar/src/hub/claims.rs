//! Which frames an earlier process may have stored without hearing so, and which it has put into
//! safe hands without its tracer hearing so.
//!
//! A frame in memory is sent to a sink before it is acknowledged to its tracer. When the sidecar
//! dies in between, the tracer sends the frame again, and nobody knows whether it is stored. Such a
//! frame may be stored twice, but it must not be told as lost. So the highest number that is tried
//! of each source is written down before the try: a few hundred bytes into the page cache.
//!
//! A frame on disk whose acknowledgement did not arrive comes again too. It is not taken twice: the
//! highest number on disk is found when the spool is recovered, and written down before a segment
//! is given up.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::record::{Lane, Record, SourceId};

/// Two slots are written in turn, so that one of them is always whole.
const SLOT: usize = 32 * 1024;
/// Generation, length, checksum.
const HEADER: usize = 16;

/// Highest numbers of one source in one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks {
    /// May have been stored.
    tried: u64,
    /// Is on disk, or was told as lost.
    safe: u64,
}

type Table = BTreeMap<(String, u64, &'static str), Marks>;

fn key(source: &SourceId, lane: Lane) -> (String, u64, &'static str) {
    (source.ctr.clone(), source.epoch, lane.as_str())
}

/// The marks of this life, and what an earlier one left.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    file: Option<File>,
    generation: u64,
    marks: Table,
    /// Whether the file lacks something of `marks`: what is found on disk is on disk, and need not
    /// be written down before that goes.
    is_behind: bool,
    inherited: Table,
}

impl Claims {
    /// Opens the file, making it when absent, and locks it for as long as this process lives: two
    /// sidecars must not share a spool. A file system without locks is taken as it is.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let newest = [0, SLOT as u64]
            .into_iter()
            .filter_map(|at| load(&file, at))
            .max_by_key(|s| s.0);
        let (generation, inherited) = newest.unwrap_or_default();
        Ok(Self {
            file: Some(file),
            generation,
            marks: inherited.clone(),
            is_behind: false,
            inherited,
        })
    }

    fn inherited(&self, source: &SourceId, lane: Lane) -> Marks {
        if self.inherited.is_empty() {
            return Marks::default();
        }
        self.inherited
            .get(&key(source, lane))
            .copied()
            .unwrap_or_default()
    }

    /// Whether a frame may have been stored by an earlier process.
    pub(crate) fn may_be_stored(&self, source: &SourceId, lane: Lane, seq: u64) -> bool {
        seq <= self.inherited(source, lane).tried
    }

    /// Whether an earlier process has put a frame into safe hands.
    pub(crate) fn is_safe(&self, source: &SourceId, lane: Lane, seq: u64) -> bool {
        seq <= self.inherited(source, lane).safe
    }

    /// A record was found on disk when the spool was recovered.
    pub(crate) fn found(&mut self, lane: Lane, record: &Record) {
        for table in [&mut self.marks, &mut self.inherited] {
            let marks = table.entry(key(&record.source, lane)).or_default();
            self.is_behind |= record.seq > marks.safe;
            marks.safe = marks.safe.max(record.seq);
        }
    }

    /// Records are about to be tried.
    pub(crate) fn try_all(&mut self, lane: Lane, records: &[Record]) -> io::Result<()> {
        self.raise(lane, records.iter(), |marks| &mut marks.tried)
    }

    /// Records on disk are about to be told as lost.
    pub(crate) fn give_up<'a>(
        &mut self,
        lane: Lane,
        records: impl Iterator<Item = &'a Record>,
    ) -> io::Result<()> {
        // A segment that an earlier process gave up is told by this one, whose tracers may send
        // again what was in it.
        let mut shown = Vec::new();
        let result = self.raise(
            lane,
            records.inspect(|record| shown.push(*record)),
            |marks| &mut marks.safe,
        );
        for record in shown {
            self.found(lane, record);
        }
        result
    }

    fn raise<'a>(
        &mut self,
        lane: Lane,
        records: impl Iterator<Item = &'a Record>,
        mark: impl Fn(&mut Marks) -> &mut u64,
    ) -> io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        let mut highest = BTreeMap::<&SourceId, u64>::new();
        for record in records {
            let seq = highest.entry(&record.source).or_default();
            *seq = record.seq.max(*seq);
        }
        let mut has_changed = false;
        for (source, seq) in highest {
            let mark = mark(self.marks.entry(key(source, lane)).or_default());
            has_changed |= seq > *mark;
            *mark = seq.max(*mark);
        }
        self.is_behind |= has_changed;
        if self.is_behind { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> io::Result<()> {
        self.generation += 1;
        let slot = encode(self.generation, &self.marks);
        let at = (self.generation % 2) * SLOT as u64;
        self.file
            .as_ref()
            .map_or(Ok(()), |file| file.write_all_at(&slot, at))?;
        self.is_behind = false;
        Ok(())
    }

    /// A source will not be heard of again.
    pub(crate) fn forget(&mut self, source: &SourceId) {
        for table in [&mut self.marks, &mut self.inherited] {
            table.retain(|(ctr, epoch, _), _| *ctr != source.ctr || *epoch != source.epoch);
        }
    }
}

/// A slot: the latest lives first, as many as it holds.
fn encode(generation: u64, marks: &Table) -> Vec<u8> {
    let mut lines: Vec<_> = marks.iter().collect();
    lines.sort_by_key(|((_, epoch, _), _)| std::cmp::Reverse(*epoch));
    let mut text = String::new();
    for ((ctr, epoch, lane), marks) in lines {
        let line = format!("{epoch} {lane} {} {} {ctr}\n", marks.tried, marks.safe);
        if text.len() + line.len() <= SLOT - HEADER {
            text.push_str(&line);
        }
    }
    let mut slot = generation.to_le_bytes().to_vec();
    slot.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
    slot.extend_from_slice(&crc32c::crc32c(text.as_bytes()).to_le_bytes());
    slot.extend_from_slice(text.as_bytes());
    slot
}

fn load(file: &File, at: u64) -> Option<(u64, Table)> {
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, at).ok()?;
    let (generation, rest) = header.split_first_chunk::<8>()?;
    let (len, crc) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len))
        .ok()
        .filter(|len| *len <= SLOT)?;
    let mut text = vec![0; len];
    file.read_exact_at(&mut text, at + HEADER as u64).ok()?;
    if crc32c::crc32c(&text).to_le_bytes() != *crc {
        return None;
    }
    let text = String::from_utf8(text).ok()?;
    let marks = text.lines().filter_map(parse).collect();
    Some((u64::from_le_bytes(*generation), marks))
}

fn parse(line: &str) -> Option<((String, u64, &'static str), Marks)> {
    let mut words = line.splitn(5, ' ');
    let epoch = words.next()?.parse().ok()?;
    let lane = words.next()?;
    let lane = Lane::ALL.into_iter().find(|l| l.as_str() == lane)?.as_str();
    let marks = Marks {
        tried: words.next()?.parse().ok()?,
        safe: words.next()?.parse().ok()?,
    };
    Some(((words.next()?.to_owned(), epoch, lane), marks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use std::sync::Arc;

    fn record(ctr: &str, seq: u64) -> Record {
        Record {
            source: Arc::new(SourceId {
                ctr: ctr.to_owned(),
                epoch: 7,
            }),
            seq,
            kind: Kind::Event(None),
            priority: event::Priority::Informational,
            time_ms: 0,
            sink: "",
            may_be_stored: false,
            json: bytes::Bytes::new(),
        }
    }

    #[test]
    fn a_later_process_knows_what_was_tried() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claims");
        let mut claims = Claims::open(&path).unwrap();
        claims
            .try_all(
                Lane::Events,
                &[record("a", 3), record("b b", 9), record("a", 5)],
            )
            .unwrap();
        claims.try_all(Lane::Events, &[record("a", 6)]).unwrap();
        // In this life, a number that was tried does not come again.
        assert!(!claims.may_be_stored(&record("a", 5).source, Lane::Events, 5));
        assert!(Claims::open(&path).is_err(), "another process has it");
        drop(claims);
        let mut later = Claims::open(&path).unwrap();
        let may = |ctr, lane, seq| later.may_be_stored(&record(ctr, 0).source, lane, seq);
        assert!(may("a", Lane::Events, 6) && !may("a", Lane::Events, 7));
        assert!(may("b b", Lane::Events, 9) && !may("b b", Lane::Alerts, 9));
        later
            .give_up(Lane::Alerts, [record("a", 4)].iter())
            .unwrap();
        drop(later);
        let later = Claims::open(&path).unwrap();
        let source = &record("a", 0).source;
        assert!(later.is_safe(source, Lane::Alerts, 4) && !later.is_safe(source, Lane::Alerts, 5));
        assert!(!later.is_safe(source, Lane::Events, 1));
    }

    /// What was found on disk is known without the file, until it is given up.
    #[test]
    fn what_was_found_and_given_up_is_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claims");
        let mut claims = Claims::open(&path).unwrap();
        claims.found(Lane::Events, &record("a", 7));
        claims
            .give_up(Lane::Events, [record("a", 7)].iter())
            .unwrap();
        drop(claims);
        let later = Claims::open(&path).unwrap();
        assert!(later.is_safe(&record("a", 0).source, Lane::Events, 7));
    }

    #[test]
    fn a_torn_slot_leaves_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claims");
        let mut claims = Claims::open(&path).unwrap();
        claims.try_all(Lane::Events, &[record("a", 1)]).unwrap();
        claims.try_all(Lane::Events, &[record("a", 2)]).unwrap();
        claims
            .file
            .as_ref()
            .unwrap()
            .write_all_at(b"torn", 14)
            .unwrap();
        drop(claims);
        let later = Claims::open(&path).unwrap();
        assert!(later.may_be_stored(&record("a", 1).source, Lane::Events, 1));
        assert!(!later.may_be_stored(&record("a", 1).source, Lane::Events, 2));
    }
}
