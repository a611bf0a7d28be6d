//! A ring of frames between the thread that makes them and the thread that sends them.
//!
//! One writer, one reader, no lock: neither can make the other wait. A frame stays in the ring from
//! the moment it is made until it is acknowledged, so that the ring is the whole memory of the
//! outbox, and sending again after a reconnect means reading again. The words are atomics because
//! that is what two threads may share without unsafe code; on the machines that matter their
//! relaxed loads and stores are plain ones.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};

/// Bytes in a word.
const WORD: usize = 8;

/// Words in front of each frame: length and class, sequence number.
const HEADER: u64 = 2;

/// Words of one piece of memory. Pieces are made when they are first reached, so that an outbox
/// that is never full never takes what it may.
const SEGMENT: u64 = 4096;

/// What a frame carries, as far as the accounting is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A rule matched.
    Alert,
    /// Something happened.
    Event,
    /// The outbox speaks of itself: frames that were lost, the end.
    Note,
}

impl Class {
    const fn code(self) -> u64 {
        match self {
            Self::Alert => 0,
            Self::Event => 1,
            Self::Note => 2,
        }
    }

    const fn of(code: u64) -> Self {
        match code {
            0 => Self::Alert,
            1 => Self::Event,
            _ => Self::Note,
        }
    }
}

/// What is known of a frame without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Its sequence number.
    pub(crate) seq: u64,
    /// What it carries.
    pub(crate) class: Class,
}

/// Each position on a cache line of its own: the two threads write them all the time.
#[repr(align(64))]
#[derive(Debug, Default)]
struct Position(AtomicU64);

struct Ring {
    segments: Box<[OnceLock<Box<[AtomicU64]>>]>,
    /// Words written since the beginning.
    head: Position,
    /// Words given back since the beginning.
    tail: Position,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("words", &self.words())
            .field("head", &self.head)
            .field("tail", &self.tail)
            .finish_non_exhaustive()
    }
}

impl Ring {
    fn words(&self) -> u64 {
        self.segments.len() as u64 * SEGMENT
    }

    /// The segment and the place in it that a position stands for.
    fn place(&self, position: u64) -> (usize, usize) {
        // The number of words is a power of two.
        let word = position & (self.words() - 1);
        let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        (index(word / SEGMENT), index(word % SEGMENT))
    }

    fn segment(&self, index: usize) -> &[AtomicU64] {
        self.segments[index].get_or_init(|| (0..SEGMENT).map(|_| AtomicU64::new(0)).collect())
    }

    fn store(&self, position: u64, value: u64) {
        let (segment, place) = self.place(position);
        self.segment(segment)[place].store(value, Ordering::Relaxed);
    }

    fn load(&self, position: u64) -> u64 {
        let (segment, place) = self.place(position);
        self.segment(segment)[place].load(Ordering::Relaxed)
    }
}

/// Makes a ring that holds `bytes`, rounded up to 64 KiB times a power of two, and its two ends.
pub(crate) fn ring(bytes: usize) -> (Writer, Reader) {
    let segments = (bytes as u64)
        .div_ceil(SEGMENT * WORD as u64)
        .max(2)
        .next_power_of_two();
    let ring = Arc::new(Ring {
        segments: (0..segments).map(|_| OnceLock::new()).collect(),
        head: Position::default(),
        tail: Position::default(),
    });
    let writer = Writer {
        ring: Arc::clone(&ring),
        head: 0,
        tail: 0,
    };
    let reader = Reader {
        ring,
        head: 0,
        sent: 0,
        reached: 0,
        tail: 0,
    };
    (writer, reader)
}

/// Bytes that a frame of this length takes in a ring.
pub(crate) const fn cost(len: usize) -> u64 {
    (HEADER + len.div_ceil(WORD) as u64) * WORD as u64
}

/// The end of the ring that frames go into.
#[derive(Debug)]
pub(crate) struct Writer {
    ring: Arc<Ring>,
    head: u64,
    /// The reader's tail as last seen: asked for again only when there seems to be no room.
    tail: u64,
}

impl Writer {
    /// Bytes of the whole ring.
    pub(crate) fn capacity(&self) -> u64 {
        self.ring.words() * WORD as u64
    }

    /// Bytes written since the beginning.
    pub(crate) const fn written(&self) -> u64 {
        self.head * WORD as u64
    }

    /// Whether `bytes` more fit while `spare` bytes stay free.
    pub(crate) fn has_room(&mut self, bytes: u64, spare: u64) -> bool {
        let capacity = self.capacity();
        let fits = |head: u64, tail: u64| (head - tail) * WORD as u64 + bytes + spare <= capacity;
        if fits(self.head, self.tail) {
            return true;
        }
        self.tail = self.ring.tail.0.load(Ordering::Acquire);
        fits(self.head, self.tail)
    }

    /// Whether the reader has given everything back.
    pub(crate) fn is_drained(&self) -> bool {
        self.ring.tail.0.load(Ordering::Acquire) == self.head
    }

    /// Adds a frame. The caller has asked for room.
    pub(crate) fn push(&mut self, stamp: Stamp, frame: &[u8]) {
        let len = frame.len() as u64;
        self.ring.store(self.head, len | stamp.class.code() << 32);
        self.ring.store(self.head + 1, stamp.seq);
        let mut at = self.head + HEADER;
        let mut rest = frame;
        while !rest.is_empty() {
            let (segment, place) = self.ring.place(at);
            let room = &self.ring.segment(segment)[place..];
            let (here, later) = rest.split_at(rest.len().min(room.len() * WORD));
            let mut words = here.chunks_exact(WORD);
            let mut slots = room.iter();
            for (slot, word) in slots.by_ref().zip(words.by_ref()) {
                let mut bytes = [0; WORD];
                bytes.copy_from_slice(word);
                slot.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
            }
            let tail = words.remainder();
            if let (false, Some(slot)) = (tail.is_empty(), room.get(here.len() / WORD)) {
                let mut bytes = [0; WORD];
                bytes[..tail.len()].copy_from_slice(tail);
                slot.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
            }
            at += here.len().div_ceil(WORD) as u64;
            rest = later;
        }
        self.head = at.max(self.head + HEADER);
        self.ring.head.0.store(self.head, Ordering::Release);
        // Pairs with the fence in `Reader::is_empty_for_sure`: either the reader sees this frame,
        // or the writer sees that the reader sleeps.
        fence(Ordering::SeqCst);
    }
}

/// The end of the ring that frames come out of.
#[derive(Debug)]
pub(crate) struct Reader {
    ring: Arc<Ring>,
    /// The writer's head as last seen: asked for again only when all before it was sent.
    head: u64,
    /// Where the next frame to send begins.
    sent: u64,
    /// The furthest that `sent` has been: nothing beyond it can have been acknowledged.
    reached: u64,
    /// Where the first frame that was not acknowledged begins.
    tail: u64,
}

impl Reader {
    /// Appends the next frame that was not sent yet to `out`.
    pub(crate) fn take(&mut self, out: &mut Vec<u8>) -> Option<Stamp> {
        if self.sent == self.head {
            self.head = self.ring.head.0.load(Ordering::Acquire);
            if self.sent == self.head {
                return None;
            }
        }
        let (stamp, len) = self.stamp(self.sent);
        let mut at = self.sent + HEADER;
        let end = out.len() + len;
        out.reserve(len + WORD);
        while out.len() < end {
            let (segment, place) = self.ring.place(at);
            let words = &self.ring.segment(segment)[place..];
            let count = (end - out.len()).div_ceil(WORD).min(words.len());
            for word in &words[..count] {
                out.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
            }
            at += count as u64;
        }
        out.truncate(end);
        self.sent = at;
        self.reached = self.reached.max(at);
        Some(stamp)
    }

    /// Whether every frame was sent, at this moment.
    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.ring.head.0.load(Ordering::Acquire)
    }

    /// As [`Self::is_empty`], ordered after what this thread stored before (see [`Writer::push`]).
    pub(crate) fn is_empty_for_sure(&self) -> bool {
        fence(Ordering::SeqCst);
        self.is_empty()
    }

    /// Whether frames were sent and not acknowledged.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.tail != self.sent
    }

    /// Whether nothing is held.
    pub(crate) fn is_drained(&self) -> bool {
        self.tail == self.ring.head.0.load(Ordering::Acquire)
    }

    /// Sends again from the first frame that was not acknowledged.
    pub(crate) const fn rewind(&mut self) {
        self.sent = self.tail;
    }

    /// Gives back the frames up to this number, each told to `each`. A number beyond what was ever
    /// sent counts as the last one sent.
    pub(crate) fn release(&mut self, upto: u64, mut each: impl FnMut(Class)) {
        while self.tail < self.reached {
            let (stamp, len) = self.stamp(self.tail);
            if stamp.seq > upto {
                break;
            }
            self.tail += HEADER + len.div_ceil(WORD) as u64;
            each(stamp.class);
        }
        self.sent = self.sent.max(self.tail);
        self.ring.tail.0.store(self.tail, Ordering::Release);
    }

    fn stamp(&self, position: u64) -> (Stamp, usize) {
        let word = self.ring.load(position);
        let stamp = Stamp {
            seq: self.ring.load(position + 1),
            class: Class::of(word >> 32),
        };
        (stamp, usize::try_from(word & 0xffff_ffff).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
