//! Records as lines of text.

use crate::hub::Batch;

/// Every record of a batch, each with a line end.
pub(crate) fn lines(batch: &Batch) -> Vec<u8> {
    let len = batch
        .records
        .iter()
        .map(|record| record.json.len() + 1)
        .sum();
    let mut bytes = Vec::with_capacity(len);
    for record in &batch.records {
        bytes.extend_from_slice(&record.json);
        bytes.push(b'\n');
    }
    bytes
}
