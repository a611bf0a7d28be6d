//! The spool against a model, cut at every byte, and with every byte damaged.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{ReadAt, Spool};
use crate::record::{Kind, Record, SourceId};

fn record(seq: u64, len: usize) -> Record {
    Record {
        source: Arc::new(SourceId {
            ctr: "c".to_owned(),
            epoch: 9,
        }),
        seq,
        kind: if seq.is_multiple_of(2) {
            Kind::Alert
        } else {
            Kind::Event(Some(event::EventType::Execve))
        },
        priority: event::Priority::Notice,
        time_ms: -1,
        sink: "stdout",
        may_be_stored: seq.is_multiple_of(3),
        json: vec![b'{'; len].into(),
    }
}

fn open(dir: &Path) -> Spool {
    Spool::open(dir, &mut |_| {}).unwrap().0
}

fn read_all(spool: &Spool, from: u64) -> Vec<(u64, Record)> {
    let (mut at, mut next, mut all) = (ReadAt::default(), from, Vec::new());
    loop {
        let read = spool.read(next, 10_000, &mut at).unwrap();
        let Some((last, _)) = read.last() else {
            return all;
        };
        next = last + 1;
        all.extend(read);
    }
}

/// Appends, reads, trims, condemns and reopens at random; what is held is always what a queue in
/// memory would hold.
#[test]
fn it_behaves_like_a_queue() {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        let mut model = VecDeque::<(u64, Record)>::new();
        let mut next = 0;
        for _ in 0..60 {
            match random.u8(0..10) {
                0..5 => {
                    let records: Vec<_> = (0..random.u64(1..40))
                        .map(|n| record(next + n, random.usize(1..30_000)))
                        .collect();
                    spool.append(next, records.iter()).unwrap();
                    for record in records {
                        model.push_back((next, record));
                        next += 1;
                    }
                }
                5..7 => {
                    let upto = random.u64(0..=next);
                    spool.trim(upto).unwrap();
                    let start = spool.start();
                    assert!(
                        model
                            .iter()
                            .take_while(|(p, _)| *p < start)
                            .all(|(p, _)| *p < upto)
                    );
                    model.retain(|(position, _)| *position >= start);
                }
                7 => {
                    let spans: Vec<_> = spool.spans().collect();
                    if let Some((first, end)) = spans.get(random.usize(0..=spans.len())).copied() {
                        let condemned = spool.condemn(first).unwrap().unwrap();
                        assert_eq!(condemned.records().len() as u64, end - first);
                        condemned.remove().unwrap();
                        model.retain(|(position, _)| !(first..end).contains(position));
                    }
                }
                _ => {
                    drop(spool);
                    spool = open(dir.path());
                    next = next.max(spool.end());
                }
            }
            assert_eq!(read_all(&spool, 0), Vec::from(model.clone()));
            let from = random.u64(0..=next);
            let expected: Vec<_> = model.iter().filter(|(p, _)| *p >= from).cloned().collect();
            assert_eq!(read_all(&spool, from), expected);
        }
    }
}

fn five(dir: &Path) -> Vec<u8> {
    let mut spool = open(dir);
    let records: Vec<_> = (0..5).map(|n| record(n, 30)).collect();
    spool.append(0, records.iter()).unwrap();
    let path = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    fs::read(path).unwrap()
}

/// Whatever is left of a file, recovery finds a beginning of what was written, and goes on behind.
fn check(bytes: &[u8], what: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("00000000000000000000.seg"), bytes).unwrap();
    let mut spool = open(dir.path());
    let found = read_all(&spool, 0);
    for (n, (position, found)) in found.iter().enumerate() {
        assert_eq!(
            (*position, found),
            (n as u64, &record(n as u64, 30)),
            "{what}"
        );
    }
    let next = spool.end();
    spool.append(next, [record(next, 5)].iter()).unwrap();
    drop(spool);
    let (spool, recovered) = Spool::open(dir.path(), &mut |_| {}).unwrap();
    assert_eq!(
        recovered.cut_bytes, 0,
        "{what}: the first recovery cut everything"
    );
    assert_eq!(read_all(&spool, 0).len(), found.len() + 1, "{what}");
    found.len()
}

#[test]
fn a_file_cut_at_any_byte_keeps_its_whole_records() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = five(dir.path());
    let mark = 8;
    let each = (bytes.len() - mark) / 5;
    for len in 0..=bytes.len() {
        let found = check(&bytes[..len], &format!("cut at {len}"));
        // Records differ by a few bytes (numbers are packed), so the bound is a little loose.
        assert!(
            found <= len / (each - 8) && found + 1 >= len.saturating_sub(mark) / (each + 8),
            "{found} at {len}"
        );
    }
    assert_eq!(check(&bytes, "whole"), 5);
}

/// What a later version wrote is kept as it is, however often this one starts.
#[test]
fn a_segment_of_a_later_version_is_set_apart_uncut() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = five(dir.path());
    bytes[7] += 1;
    bytes.extend_from_slice(b"a form of record that is not known here");
    let names = ["00000000000000000000.seg", "00000000000000000007.condemned"];
    for round in 1..=2 {
        for name in names {
            fs::write(dir.path().join(name), &bytes).unwrap();
        }
        let (mut spool, recovered) = Spool::open(dir.path(), &mut |_| {}).unwrap();
        assert_eq!((recovered.aside, recovered.cut_bytes), (2 * round, 0));
        assert!(spool.is_empty() && spool.condemned().unwrap().is_empty());
        spool.append(0, [record(0, 9)].iter()).unwrap();
        assert_eq!(read_all(&spool, 0).len(), 1);
        spool.trim(1).unwrap();
    }
    let kept: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(kept.len(), 4);
    assert!(kept.iter().all(|file| *file == bytes));
}

#[test]
fn a_damaged_byte_never_makes_a_false_record() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = five(dir.path());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        assert!(check(&damaged, &format!("damaged at {at}")) < 5);
    }
}
