//! One segment file.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use event::{EventType, Priority};
use prost::Message as _;

use super::{Condemned, ReadAt, SpoolError};
use crate::record::{Kind, Record, SourceId};

/// Extension of a segment.
const SEGMENT: &str = "seg";
/// Extension of a segment that is given up.
const CONDEMNED: &str = "condemned";

/// What every segment begins with: whose it is, and in which version of the format.
const MARK: [u8; 8] = *b"WASPOOL\x01";

/// Where the first record of a segment stands.
const BEGINNING: u64 = MARK.len() as u64;

/// Bytes before the payload: length and checksum.
const HEADER: usize = 8;

/// The longest payload. A longer length is damage.
const MAX_PAYLOAD: usize = 2 << 20;

/// A record and where it stands.
pub(crate) type Positioned = (u64, Record);

/// A record as it lies on disk.
#[derive(Clone, PartialEq, prost::Message)]
struct OnDisk {
    #[prost(uint64, tag = "1")]
    position: u64,
    #[prost(string, tag = "2")]
    ctr: String,
    #[prost(fixed64, tag = "3")]
    epoch: u64,
    #[prost(uint64, tag = "4")]
    seq: u64,
    #[prost(string, tag = "5")]
    kind: String,
    #[prost(string, tag = "6")]
    event: String,
    #[prost(string, tag = "7")]
    priority: String,
    #[prost(sint64, tag = "8")]
    time_ms: i64,
    #[prost(string, tag = "9")]
    sink: String,
    #[prost(bytes = "bytes", tag = "10")]
    json: bytes::Bytes,
    #[prost(bool, tag = "11")]
    may_be_stored: bool,
}

const SINKS: [&str; 6] = [
    "cloudwatch",
    "file",
    "nats",
    "orchestrator",
    "otlp",
    "stdout",
];

/// Appends a record in its form on disk.
pub(super) fn encode(position: u64, record: &Record, out: &mut Vec<u8>) {
    let (kind, event) = match record.kind {
        Kind::Alert => ("alert", ""),
        Kind::Container => ("container", ""),
        Kind::Event(event) => ("event", event.map_or("", EventType::as_str)),
        Kind::Heartbeat => ("heartbeat", ""),
        Kind::Lost => ("lost", ""),
    };
    let stored = OnDisk {
        position,
        ctr: record.source.ctr.clone(),
        epoch: record.source.epoch,
        seq: record.seq,
        kind: kind.to_owned(),
        event: event.to_owned(),
        priority: record.priority.as_str().to_owned(),
        time_ms: record.time_ms,
        sink: record.sink.to_owned(),
        json: record.json.clone(),
        may_be_stored: record.may_be_stored,
    };
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    stored.encode_raw(out);
    let payload = out.get(start + HEADER..).unwrap_or_default();
    let len = u32::try_from(payload.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    let crc = crc32c::crc32c(payload).to_le_bytes();
    if let Some(header) = out.get_mut(start..start + HEADER) {
        header[..4].copy_from_slice(&len);
        header[4..].copy_from_slice(&crc);
    }
}

/// Takes the record at the front of `bytes`; `None` when it is not whole.
fn decode(bytes: &[u8]) -> Option<(Positioned, usize)> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len))
        .ok()
        .filter(|len| *len <= MAX_PAYLOAD)?;
    let payload = rest.get(..len)?;
    if crc32c::crc32c(payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    let stored = OnDisk::decode(payload).ok()?;
    let kind = match stored.kind.as_str() {
        "alert" => Kind::Alert,
        "container" => Kind::Container,
        "event" => Kind::Event(EventType::parse(&stored.event)),
        "heartbeat" => Kind::Heartbeat,
        "lost" => Kind::Lost,
        _ => return None,
    };
    let record = Record {
        source: Arc::new(SourceId {
            ctr: stored.ctr,
            epoch: stored.epoch,
        }),
        seq: stored.seq,
        kind,
        priority: Priority::parse(&stored.priority)?,
        time_ms: stored.time_ms,
        sink: SINKS
            .into_iter()
            .find(|sink| *sink == stored.sink)
            .unwrap_or_default(),
        may_be_stored: stored.may_be_stored,
        json: stored.json,
    };
    Some(((stored.position, record), HEADER + len))
}

/// Every whole record of a file, and how many bytes they take.
pub(super) fn scan(path: &Path) -> Result<(Vec<Positioned>, u64), SpoolError> {
    let bytes = fs::read(path).map_err(SpoolError::new("cannot read", path))?;
    let mut records = Vec::<Positioned>::new();
    if !bytes.starts_with(&MARK) {
        return Ok((records, 0));
    }
    let mut offset = MARK.len();
    while let Some((record, len)) = decode(bytes.get(offset..).unwrap_or_default()) {
        // Positions only grow; anything else is damage that a checksum cannot see.
        if records
            .last()
            .is_some_and(|(position, _)| *position >= record.0)
        {
            break;
        }
        records.push(record);
        offset += len;
    }
    Ok((records, offset as u64))
}

/// Sets a file apart that a later version wrote: what it holds is whole, and not ours to cut. Its
/// new name has the version behind it. Returns whether it was such a file.
pub(super) fn set_aside(path: &Path) -> Result<bool, SpoolError> {
    let mut mark = [0; MARK.len()];
    let read = File::open(path).and_then(|file| file.read_at(&mut mark, 0));
    read.map_err(SpoolError::new("cannot read", path))?;
    let ([name @ .., version], [ours @ .., this]) = (mark, MARK);
    if name != ours || version <= this {
        return Ok(false);
    }
    let aside = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}.v{version}"));
        PathBuf::from(name)
    };
    // One that was set apart before is not overwritten.
    let free = (0..u32::MAX).map(aside).find(|path| !path.exists());
    fs::rename(path, free.unwrap_or_else(|| aside(u32::MAX)))
        .map_err(SpoolError::new("cannot rename", path))?;
    Ok(true)
}

/// Whether a file was set apart, by this process or an earlier one.
pub(super) fn is_aside(path: &Path) -> bool {
    let version = path
        .extension()
        .and_then(|end| end.to_str()?.strip_prefix('v'));
    version.is_some_and(|version| version.parse::<u8>().is_ok())
}

/// The position in a segment's name.
pub(super) fn first_position(path: &Path) -> Option<u64> {
    if path.extension()? != SEGMENT {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// Whether a file is a segment that was given up.
pub(super) fn is_condemned(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == CONDEMNED)
}

/// One segment file.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    /// Position of its first record.
    pub(super) first: u64,
    /// Position after its last record.
    pub(super) end: u64,
    /// Its length.
    pub(super) bytes: u64,
    /// Whether something in it may be stored already.
    pub(super) is_protected: bool,
}

impl Segment {
    pub(super) fn create(dir: &Path, first: u64) -> Result<(Self, File), SpoolError> {
        let path = dir.join(format!("{first:020}.{SEGMENT}"));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(SpoolError::new("cannot make", &path))?;
        if let Err(error) = (&file).write_all(&MARK) {
            fs::remove_file(&path).map_err(SpoolError::new("cannot remove", &path))?;
            return Err(SpoolError::new("cannot write", &path)(error));
        }
        Ok((
            Self {
                path,
                first,
                end: first,
                bytes: BEGINNING,
                is_protected: false,
            },
            file,
        ))
    }

    /// Reads a file that an earlier process left, and cuts it after its last whole record. Returns
    /// the bytes cut off too.
    pub(super) fn recover(
        path: PathBuf,
        first: u64,
        found: &mut dyn FnMut(&Record),
    ) -> Result<(Self, u64), SpoolError> {
        let len = fs::metadata(&path)
            .map_err(SpoolError::new("cannot read", &path))?
            .len();
        let (records, whole) = scan(&path)?;
        for (_, record) in &records {
            found(record);
        }
        if whole < len {
            OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_len(whole))
                .map_err(SpoolError::new("cannot cut", &path))?;
        }
        let end = records.last().map_or(first, |(position, _)| position + 1);
        let is_protected = records.iter().any(|(_, record)| record.may_be_stored);
        Ok((
            Self {
                path,
                first,
                end,
                bytes: whole,
                is_protected,
            },
            len - whole,
        ))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.end == self.first
    }

    /// Writes records whose last stands before `end`. After an error the file is as long as before.
    pub(super) fn append(
        &mut self,
        file: &mut File,
        bytes: &[u8],
        end: u64,
    ) -> Result<(), SpoolError> {
        if let Err(source) = file.write_all(bytes) {
            // A tail that cannot be cut off is harmless: recovery cuts it, and nothing is appended
            // behind it because the caller closes the file.
            return match file.set_len(self.bytes) {
                Ok(()) => Err(SpoolError::new("cannot write", &self.path)(source)),
                Err(source) => Err(SpoolError::new("cannot cut", &self.path)(source)),
            };
        }
        self.bytes += bytes.len() as u64;
        self.end = end;
        Ok(())
    }

    /// Reads records from `position` on.
    pub(super) fn read(
        &self,
        position: u64,
        max_bytes: usize,
        at: &mut ReadAt,
    ) -> Result<Vec<Positioned>, SpoolError> {
        let file = File::open(&self.path).map_err(SpoolError::new("cannot read", &self.path))?;
        let from = BEGINNING + at.offset;
        let left = self.bytes.saturating_sub(from);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        // Segments are little longer than their nominal size, so one piece holds all that is left.
        let mut bytes = vec![0; left];
        file.read_exact_at(&mut bytes, from)
            .map_err(SpoolError::new("cannot read", &self.path))?;
        let mut records = Vec::<Positioned>::new();
        let (mut taken, mut total) = (0, 0);
        while let Some((record, len)) = decode(bytes.get(taken..).unwrap_or_default()) {
            let is_wanted = record.0 >= position;
            if is_wanted && !records.is_empty() && total + len > max_bytes {
                break;
            }
            taken += len;
            if is_wanted {
                total += len;
                records.push(record);
            }
        }
        let Some((last, _)) = records.last() else {
            let damage = std::io::ErrorKind::InvalidData.into();
            return Err(SpoolError::new("damaged", &self.path)(damage));
        };
        at.offset += taken as u64;
        at.position = last + 1;
        Ok(records)
    }

    pub(super) fn remove(self) -> Result<(), SpoolError> {
        fs::remove_file(&self.path).map_err(SpoolError::new("cannot remove", &self.path))
    }

    pub(super) fn condemn(self) -> Result<Condemned, SpoolError> {
        let path = self.path.with_extension(CONDEMNED);
        fs::rename(&self.path, &path).map_err(SpoolError::new("cannot rename", &self.path))?;
        Condemned::load(path)
    }
}
