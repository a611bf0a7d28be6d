//! Framing: a little-endian `u32` length, then that many bytes of protobuf.
//!
//! The length is checked before anything is kept, so that a hostile peer cannot make the receiver
//! hold more than one message.

use std::io::{self, Read};
use std::marker::PhantomData;

use prost::Message;

/// Bytes of the length prefix.
pub const LENGTH_BYTES: usize = 4;

/// The longest message, without its length prefix.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Why a message cannot be written or read. After any of these but [`WireError::TooLong`] on the
/// sending side, the stream has no known position any more and must be closed.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream ended inside a message.
    #[error("stream ended inside a message")]
    Cut,
    /// The transport failed.
    #[error("cannot read from the stream")]
    Io(#[from] io::Error),
    /// The bytes of a message are not what its shape asks for.
    #[error("malformed message")]
    Malformed(#[from] prost::DecodeError),
    /// A message is longer than [`MAX_MESSAGE_BYTES`], or than the decoder's own limit.
    #[error("message of {0} bytes is too long")]
    TooLong(usize),
}

/// Appends a message to `out`, with its length in front. On an error `out` is as it was.
pub fn encode<M: Message>(message: &M, out: &mut Vec<u8>) -> Result<(), WireError> {
    let len = message.encoded_len();
    if len > MAX_MESSAGE_BYTES {
        return Err(WireError::TooLong(len));
    }
    let prefix = u32::try_from(len).map_err(|_| WireError::TooLong(len))?;
    out.reserve(LENGTH_BYTES + len);
    out.extend_from_slice(&prefix.to_le_bytes());
    message.encode_raw(out);
    Ok(())
}

/// Reads one message, blocking. `None` when the stream ends between two messages.
///
/// ```
/// use wire::{Ack, Control, Order, encode, read};
/// let mut bytes = Vec::new();
/// encode(&Control::from(Order::Ack(Ack { upto: 9 })), &mut bytes)?;
/// let mut stream = bytes.as_slice();
/// let ack: Option<Control> = read(&mut stream)?;
/// assert!(matches!(ack.and_then(|c| c.body), Some(Order::Ack(Ack { upto: 9 }))));
/// assert!(read::<Control>(&mut stream)?.is_none());
/// # Ok::<(), wire::WireError>(())
/// ```
pub fn read<M: Message + Default>(stream: &mut impl Read) -> Result<Option<M>, WireError> {
    let mut prefix = [0; LENGTH_BYTES];
    let mut have = 0;
    while have < LENGTH_BYTES {
        match stream.read(&mut prefix[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(WireError::Cut),
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let len = checked_len(prefix, MAX_MESSAGE_BYTES)?;
    let mut bytes = vec![0; len];
    stream
        .read_exact(&mut bytes)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => WireError::Cut,
            _ => WireError::Io(error),
        })?;
    Ok(Some(M::decode(bytes.as_slice())?))
}

fn checked_len(prefix: [u8; LENGTH_BYTES], limit: usize) -> Result<usize, WireError> {
    let len = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(usize::MAX);
    if len > limit {
        Err(WireError::TooLong(len))
    } else {
        Ok(len)
    }
}

/// Cuts a stream of bytes that arrive in any pieces into messages.
///
/// Holds at most what was pushed and not yet taken. Push a bounded piece, then take messages until
/// `next` says `None`; then no more than one incomplete message is held.
#[derive(Debug)]
pub struct Decoder<M> {
    buffer: Vec<u8>,
    /// Where the first byte that was not taken stands.
    start: usize,
    limit: usize,
    shape: PhantomData<M>,
}

impl<M> Default for Decoder<M> {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit: MAX_MESSAGE_BYTES,
            shape: PhantomData,
        }
    }
}

impl<M: Message + Default> Decoder<M> {
    /// Sets the longest message that is taken: small before a peer has introduced itself.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MAX_MESSAGE_BYTES);
    }

    /// Adds bytes as they arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start >= self.buffer.len() / 2 && self.start >= 64 * 1024 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, `None` when more bytes are needed.
    #[expect(
        clippy::should_implement_trait,
        reason = "fallible, and never finished for good"
    )]
    pub fn next(&mut self) -> Result<Option<M>, WireError> {
        self.next_sized()
            .map(|found| found.map(|(message, _)| message))
    }

    /// As [`Self::next`], with the bytes that the message took on the stream.
    pub fn next_sized(&mut self) -> Result<Option<(M, usize)>, WireError> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((prefix, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let len = checked_len(*prefix, self.limit)?;
        let Some(body) = rest.get(..len) else {
            return Ok(None);
        };
        let message = M::decode(body)?;
        let taken = LENGTH_BYTES + len;
        self.start += taken;
        if self.start == self.buffer.len() && self.buffer.capacity() > 256 * 1024 {
            // One long message must not pin a megabyte for the rest of the session.
            self.buffer = Vec::new();
            self.start = 0;
        }
        Ok(Some((message, taken)))
    }

    /// Whether [`Self::next`] would give a message or an error rather than ask for more bytes.
    pub fn has_message(&self) -> bool {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        rest.split_first_chunk::<LENGTH_BYTES>()
            .is_some_and(|(prefix, body)| {
                checked_len(*prefix, self.limit).map_or(true, |len| body.len() >= len)
            })
    }

    /// Bytes that were pushed and not taken yet.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ack, Body, Control, Counters, Frame, Lost, Order};

    fn three() -> Vec<u8> {
        let mut out = Vec::new();
        for seq in 1..=3 {
            let lost = Lost {
                from: seq,
                to: seq + 1,
                ..Lost::default()
            };
            encode(&Frame::new(seq, Body::Lost(lost)), &mut out).unwrap();
        }
        out
    }

    #[test]
    fn every_split_of_the_stream_gives_the_same_frames() {
        let bytes = three();
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::<Frame>::default();
            let mut seqs = Vec::new();
            for piece in [&bytes[..cut], &bytes[cut..]] {
                decoder.push(piece);
                while let Some(frame) = decoder.next().unwrap() {
                    seqs.push(frame.seq);
                }
            }
            assert_eq!(seqs, [1, 2, 3], "cut at {cut}");
            assert_eq!(decoder.pending(), 0);
        }
    }

    #[test]
    fn a_length_beyond_the_maximum_is_refused_before_its_bytes_arrive() {
        let mut decoder = Decoder::<Frame>::default();
        decoder.push(&u32::MAX.to_le_bytes());
        assert!(matches!(decoder.next(), Err(WireError::TooLong(_))));
    }

    #[test]
    fn encode_refuses_what_the_other_side_would_refuse() {
        let body = Body::Counters(Counters {
            more: vec![crate::Tally {
                name: "x".repeat(MAX_MESSAGE_BYTES),
                count: 1,
            }],
            ..Counters::default()
        });
        let mut out = vec![7];
        assert!(matches!(
            encode(&Frame::new(1, body), &mut out),
            Err(WireError::TooLong(_))
        ));
        assert_eq!(out, [7]);
    }

    #[test]
    fn an_unknown_kind_has_a_number_and_no_body() {
        // Field 1 (seq) = 5, field 99 (length-delimited) = 2 bytes.
        let bytes = [7, 0, 0, 0, 0x08, 5, 0x9a, 0x06, 2, 1, 2];
        let mut decoder = Decoder::<Frame>::default();
        decoder.push(&bytes);
        let frame = decoder.next().unwrap().unwrap();
        assert_eq!((frame.seq, frame.body), (5, None));
    }

    #[test]
    fn blocking_read_tells_an_end_from_a_cut() {
        let mut bytes = Vec::new();
        encode(&Control::from(Order::Ack(Ack { upto: 3 })), &mut bytes).unwrap();
        for cut in 1..bytes.len() {
            let mut stream = &bytes[..cut];
            assert!(
                matches!(read::<Control>(&mut stream), Err(WireError::Cut)),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn malformed_bytes_are_an_error() {
        let mut decoder = Decoder::<Frame>::default();
        decoder.push(&[2, 0, 0, 0, 0x12, 0xff]);
        assert!(matches!(decoder.next(), Err(WireError::Malformed(_))));
    }
}
