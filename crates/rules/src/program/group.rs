//! Many strings that one field is compared with, looked up together.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use event::{Field, Lookup, Value};

use super::Index;
use super::substrings::Substrings;
use super::trie::Trie;
use crate::predicate::contains;

/// How strings are compared with the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum How {
    Contains,
    Ends,
    Equals,
    Starts,
}

/// Up to 64 comparisons of one field; each has a bit.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) field: Field,
    pub(super) reader: Reader,
    pub(super) matcher: Matcher,
}

/// How a field's text is come by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    /// The names of all ancestors; the bits of each count.
    Ancestors,
    /// The `argv[0]` of a process or an ancestor.
    Exe(usize),
    /// It has to be put together, and is kept under this number.
    Kept(Index),
    /// The name of a process or an ancestor: what most rules ask for.
    Name(usize),
    /// It is there to be borrowed.
    Plain,
}

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The bits of the comparisons that hold.
    Found(u64),
    Pending,
    Unset,
}

/// Finds the comparisons that hold for a string.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Substrings(Substrings),
    /// Too few to be worth a table.
    Few(How, Vec<(Box<[u8]>, u64)>),
    Prefixes(Trie),
    Set {
        /// Lengths of the strings, as bits; 63 stands for all longer ones.
        lengths: u64,
        bits: HashMap<Box<[u8]>, u64, BuildHasherDefault<Fold>>,
    },
    Suffixes(Trie),
}

impl Matcher {
    pub(super) fn new(how: How, strings: &[(&[u8], u64)]) -> Self {
        const FEW: usize = 3;
        if strings.len() <= FEW && how != How::Contains {
            return Self::Few(how, boxed(strings));
        }
        match how {
            How::Contains => Self::Substrings(Substrings::new(strings)),
            How::Ends => {
                let strings = strings.iter();
                Self::Suffixes(Trie::new(strings.map(|(s, bit)| (s.iter().rev(), *bit))))
            }
            How::Starts => {
                let strings = strings.iter();
                Self::Prefixes(Trie::new(strings.map(|(s, bit)| (s.iter(), *bit))))
            }
            How::Equals => {
                let mut lengths = 0;
                let mut bits: HashMap<Box<[u8]>, u64, _> = HashMap::default();
                for (string, bit) in strings {
                    lengths |= 1 << string.len().min(63);
                    *bits.entry((*string).into()).or_default() |= bit;
                }
                Self::Set { lengths, bits }
            }
        }
    }

    pub(super) fn look_up(&self, value: &Lookup<'_>) -> Known {
        match value {
            Lookup::Is(Value::Text(text)) => Known::Found(self.find(text)),
            Lookup::Is(_) | Lookup::Unset => Known::Unset,
            Lookup::Pending => Known::Pending,
        }
    }

    /// The bits of the comparisons that hold.
    pub(super) fn find(&self, value: &[u8]) -> u64 {
        match self {
            Self::Substrings(substrings) => substrings.find(value),
            Self::Few(how, strings) => strings
                .iter()
                .filter(|(string, _)| match how {
                    How::Contains => contains(value, string),
                    How::Ends => value.ends_with(string),
                    How::Equals => value == &**string,
                    How::Starts => value.starts_with(string),
                })
                .fold(0, |found, (_, bit)| found | bit),
            Self::Prefixes(trie) => trie.find(value.iter()),
            Self::Suffixes(trie) => trie.find(value.iter().rev()),
            Self::Set { lengths, bits } => {
                if lengths & (1 << value.len().min(63)) == 0 {
                    return 0;
                }
                bits.get(value).copied().unwrap_or(0)
            }
        }
    }
}

fn boxed(strings: &[(&[u8], u64)]) -> Vec<(Box<[u8]>, u64)> {
    let strings = strings.iter();
    strings.map(|(s, bit)| ((*s).into(), *bit)).collect()
}

/// A quick hash for strings. Whoever could make strings collide writes the rules.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fold(u64);

impl Fold {
    const fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks();
        for chunk in chunks {
            self.mix(u64::from_le_bytes(*chunk));
        }
        // The last words overlap what came before, so that no byte is looked at on its own.
        let last = match (bytes.last_chunk(), rest) {
            (_, []) => return,
            (Some(last), _) => u64::from_le_bytes(*last),
            (None, [first, .., last]) => match (rest.first_chunk(), rest.last_chunk()) {
                (Some(low), Some(high)) => {
                    u64::from(u32::from_le_bytes(*low)) << 32 | u64::from(u32::from_le_bytes(*high))
                }
                _ => u64::from(*first) << 16 | u64::from(rest[1]) << 8 | u64::from(*last),
            },
            (None, [only]) => u64::from(*only),
        };
        self.mix(last);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(number.into());
    }

    fn finish(&self) -> u64 {
        // The table takes its bits from the top.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_matcher_agrees_with_the_plain_comparison() {
        let strings = [
            "", "a", "ab", "b", "bab", "aba", "abc", "/etc", "/etc/", "c",
        ];
        let with_bits: Vec<(&[u8], u64)> = strings
            .iter()
            .enumerate()
            .map(|(bit, string)| (string.as_bytes(), 1 << bit))
            .collect();
        let values = [
            "",
            "a",
            "ab",
            "babab",
            "xabc",
            "/etc/passwd",
            "/etc",
            "c",
            "aab",
            "zzz",
            "ba",
        ];
        for how in [How::Contains, How::Ends, How::Equals, How::Starts] {
            let matcher = Matcher::new(how, &with_bits);
            assert!(!matches!(matcher, Matcher::Few(..)), "{how:?}");
            let plain = Matcher::Few(how, boxed(&with_bits));
            for value in values {
                let value = value.as_bytes();
                assert_eq!(matcher.find(value), plain.find(value), "{how:?} {value:?}");
            }
        }
    }
}
