//! An orchestrator that speaks the wire protocol: hello, numbered lines, acknowledgements.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wire::{Body, Control, Decoder, Frame, Hello, Order, Record, encode};

use super::{Outcome, Put, Sink};
use crate::clock::now_ns;
use crate::hub::Batch;
use crate::log::chain;
use crate::net::{self, Stream};

/// The sink.
pub(crate) struct Orchestrator {
    host: String,
    port: u16,
    tls: bool,
    epoch: u64,
    nonce: Vec<u8>,
    connection: Option<Connection>,
}

struct Connection {
    stream: Stream,
    decoder: Decoder<Control>,
    /// Lines sent on this connection.
    sent: u64,
}

impl Orchestrator {
    pub(crate) fn new(host: String, port: u16, tls: bool) -> Self {
        let nonce = fastrand::u128(..).to_le_bytes().to_vec();
        Self {
            host,
            port,
            tls,
            epoch: now_ns(),
            nonce,
            connection: None,
        }
    }

    async fn put_batch(&mut self, batch: &Batch) -> Outcome {
        match self.exchange(batch).await {
            Ok(count) => Outcome::stored(count),
            Err(cause) => {
                self.connection = None;
                let place = format!("`{}:{}`", self.host, self.port);
                // Connecting names it already.
                Outcome::Retry(if cause.contains(&place) {
                    cause
                } else {
                    format!("{place}: {cause}")
                })
            }
        }
    }

    /// Sends a batch and waits until all of it is acknowledged.
    async fn exchange(&mut self, batch: &Batch) -> Result<usize, String> {
        // The connection is taken out: a wait that is given up half-way leaves none behind, and no
        // half-sent frame in front of the next batch.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut bytes = Vec::new();
        let mut seq = connection.sent;
        for record in &batch.records {
            seq = seq.checked_add(1).ok_or("it has run out of numbers")?;
            let line = Record {
                time_ms: record.time_ms,
                json: record.json.to_vec(),
            };
            encode(&Frame::new(seq, Body::Record(line)), &mut bytes).map_err(|e| chain(&e))?;
        }
        connection
            .stream
            .write_all(&bytes)
            .await
            .map_err(|e| chain(&e))?;
        connection.stream.flush().await.map_err(|e| chain(&e))?;
        connection.sent = seq;
        loop {
            match connection.next().await? {
                Some(Order::Ack(ack)) if ack.upto >= seq => break,
                Some(Order::Refused(refused)) => return Err(refused.text),
                _ => {}
            }
        }
        self.connection = Some(connection);
        Ok(batch.records.len())
    }

    async fn connect(&self) -> Result<Connection, String> {
        let stream = net::connect(&self.host, self.port, self.tls)
            .await
            .map_err(|e| chain(&e))?;
        let mut connection = Connection {
            stream,
            decoder: Decoder::default(),
            sent: 0,
        };
        let hello = Hello {
            version: contract::PROTOCOL_VERSION,
            nonce: self.nonce.clone(),
            epoch: self.epoch,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Hello::default()
        };
        let mut bytes = Vec::new();
        encode(&Frame::hello(hello), &mut bytes).map_err(|e| chain(&e))?;
        connection
            .stream
            .write_all(&bytes)
            .await
            .map_err(|e| chain(&e))?;
        connection.stream.flush().await.map_err(|e| chain(&e))?;
        loop {
            match connection.next().await? {
                Some(Order::Welcome(welcome)) => {
                    connection.sent = welcome.resume_after;
                    return Ok(connection);
                }
                Some(Order::Refused(refused)) => return Err(refused.text),
                _ => {}
            }
        }
    }
}

impl Connection {
    async fn next(&mut self) -> Result<Option<Order>, String> {
        let mut piece = vec![0; 4096];
        loop {
            if let Some(control) = self.decoder.next().map_err(|e| chain(&e))? {
                return Ok(control.body);
            }
            let n = self.stream.read(&mut piece).await.map_err(|e| chain(&e))?;
            if n == 0 {
                return Err("it closed the connection".to_owned());
            }
            self.decoder.push(piece.get(..n).unwrap_or_default());
        }
    }
}

impl Sink for Orchestrator {
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a> {
        Box::pin(self.put_batch(batch))
    }
}
