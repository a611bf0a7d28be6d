//! Any bytes as a segment: recovery finds whole records or none, and a second one changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidecar::spool::Spool;

fuzz_target!(|data: &[u8]| {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("00000000000000000007.seg"), data).expect("a file");
    let (first, found) = Spool::open(dir.path(), &mut |_| {}).expect("recovered");
    let end = first.end();
    assert!(first.bytes() <= data.len() as u64);
    drop(first);
    let (second, again) = Spool::open(dir.path(), &mut |_| {}).expect("recovered again");
    assert_eq!((second.end(), again.cut_bytes), (end, 0));
    assert_eq!(again.records, found.records);
});
