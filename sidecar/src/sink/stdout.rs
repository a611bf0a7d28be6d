//! JSON lines on standard output.

use tokio::io::AsyncWriteExt as _;

use super::lines::lines;
use super::{Outcome, Put, Sink};
use crate::hub::Batch;

/// Standard output. A write that fails half-way is taken up where it stopped, so that no line is
/// torn.
#[derive(Debug)]
pub(crate) struct Stdout {
    out: tokio::io::Stdout,
    /// What is left of the batch that is being written.
    rest: Vec<u8>,
    written: usize,
}

impl Default for Stdout {
    fn default() -> Self {
        Self {
            out: tokio::io::stdout(),
            rest: Vec::new(),
            written: 0,
        }
    }
}

impl Sink for Stdout {
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a> {
        Box::pin(async move {
            if self.rest.is_empty() {
                self.rest = lines(batch);
                self.written = 0;
            }
            match self.write().await {
                Ok(()) => {
                    self.rest = Vec::new();
                    Outcome::stored(batch.records.len())
                }
                Err(error) => Outcome::Retry(format!("cannot write to standard output: {error}")),
            }
        })
    }
}

impl Stdout {
    async fn write(&mut self) -> std::io::Result<()> {
        while let Some(rest) = self
            .rest
            .get(self.written..)
            .filter(|rest| !rest.is_empty())
        {
            self.written += self.out.write(rest).await?;
        }
        self.out.flush().await
    }
}
