//! Strings that may stand anywhere in a value, in one pass over it.
//!
//! Two bytes decide whether a string may begin at a place; only there is it compared. The pairs of
//! a value do not depend on each other, so that the processor looks at several at a time, which a
//! table of states does not allow.

use super::trie::Trie;

/// Strings to be found in values.
#[derive(Clone, Debug)]
pub(super) struct Substrings {
    /// The bits of the empty strings, which stand everywhere.
    always: u64,
    /// Whether a string of one byte may stand at the very end, where there is no pair.
    has_single: bool,
    /// Whether a string begins with a pair, by the pair's place.
    pairs: Box<[bool; PAIRS]>,
    strings: Trie,
}

/// Places of pairs; some have to share one.
const PAIRS: usize = 4096;

/// The place of a pair. Letters differ in their low bits.
const fn pair(first: u8, second: u8) -> usize {
    (((first as usize) << 4) ^ (second as usize)) % PAIRS
}

impl Substrings {
    pub(super) fn new(strings: &[(&[u8], u64)]) -> Self {
        let mut substrings = Self {
            always: 0,
            has_single: false,
            pairs: Box::new([false; PAIRS]),
            strings: Trie::new(strings.iter().map(|(s, bit)| (s.iter(), *bit))),
        };
        for (string, bit) in strings {
            match **string {
                [] => substrings.always |= bit,
                [only] => {
                    substrings.has_single = true;
                    (0..=u8::MAX).for_each(|second| substrings.mark(only, second));
                }
                [first, second, ..] => substrings.mark(first, second),
            }
        }
        substrings
    }

    fn mark(&mut self, first: u8, second: u8) {
        self.pairs[pair(first, second)] = true;
    }

    /// The bits of all strings that stand in the value.
    pub(super) fn find(&self, value: &[u8]) -> u64 {
        let mut found = self.always;
        for (at, two) in value.windows(2).enumerate() {
            if self.pairs[pair(two[0], two[1])] {
                found |= self.strings.find(value[at..].iter());
            }
        }
        if self.has_single
            && let Some(last) = value.last()
        {
            found |= self.strings.find(std::iter::once(last));
        }
        found
    }
}
