//! Any bytes as a segment: recovery finds whole records or none, and a second one changes nothing.
//! The first byte says whether the rest stands behind the mark of a segment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidecar::spool::Spool;

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let marked = [b"WASPOOL\x01", rest].concat();
    let data = if choice % 4 == 0 { rest } else { &marked };
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("00000000000000000007.seg"), data).expect("a file");
    let (first, found) = Spool::open(dir.path(), &mut |_| {}).expect("recovered");
    let end = first.end();
    assert!(first.bytes() <= data.len() as u64);
    drop(first);
    let (second, again) = Spool::open(dir.path(), &mut |_| {}).expect("recovered again");
    assert_eq!((second.end(), again.cut_bytes), (end, 0));
    assert_eq!((again.records, again.aside), (found.records, found.aside));
});
