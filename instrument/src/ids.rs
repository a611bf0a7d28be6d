//! Ids of the kernel: those that name the tracer, and maps from all of them, hashed for speed: the kernel hands the ids out, so nobody can choose them
//! to collide at will.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use sys::{Pid, Tid};

/// What names the tracer. Most calls that take a process take any of its threads as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracer {
    /// Its process, its process group, and the thread that traces.
    pub pid: Pid,
    /// The thread that sends.
    pub sender: Tid,
}

impl Tracer {
    /// All the numbers.
    pub const fn ids(self) -> [i32; 2] {
        [self.pid.0, self.sender.0]
    }

    /// Whether the number names it.
    pub const fn is(self, id: i32) -> bool {
        id == self.pid.0 || id == self.sender.0
    }
}

/// A map keyed by pid or tid.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Spreads small integers over the bits that the table looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_i32(&mut self, id: i32) {
        self.write_u64(u64::from(id.cast_unsigned()));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
