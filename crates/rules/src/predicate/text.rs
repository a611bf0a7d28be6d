//! Comparisons of strings.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use event::{Case, glob};
use regex_lite::Regex;

use super::{PathSet, Pattern};
use crate::ast::Op;

/// Strings to be found quickly.
pub(crate) type StringSet = HashSet<Arc<[u8]>, BuildHasherDefault<crate::program::Fold>>;

/// A comparison of a string with what a rule says.
#[derive(Clone, Debug)]
pub(crate) enum TextTest {
    Contains(Box<[u8]>),
    Endswith(Box<[u8]>),
    Equal(Box<[u8]>),
    Glob(Pattern),
    Greater(Box<[u8]>),
    GreaterOrEqual(Box<[u8]>),
    /// In lower case.
    Icontains(Box<[u8]>),
    In(StringSet),
    Less(Box<[u8]>),
    LessOrEqual(Box<[u8]>),
    NotEqual(Box<[u8]>),
    Pmatch(PathSet),
    Regex(Regex),
    Startswith(Box<[u8]>),
}

impl TextTest {
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Contains(part) => contains(value, part),
            Self::Endswith(end) => value.ends_with(end),
            Self::Equal(other) => value == &**other,
            Self::Glob(pattern) => pattern.matches(value),
            Self::Greater(other) => value > &**other,
            Self::GreaterOrEqual(other) => value >= &**other,
            Self::Icontains(part) => icontains(value, part),
            Self::In(set) => set.contains(value),
            Self::Less(other) => value < &**other,
            Self::LessOrEqual(other) => value <= &**other,
            Self::NotEqual(other) => value != &**other,
            Self::Pmatch(paths) => paths.matches(value),
            // Falco replaces what is not UTF-8 before it matches; so does this.
            Self::Regex(regex) => regex.is_match(&String::from_utf8_lossy(value)),
            Self::Startswith(start) => value.starts_with(start),
        }
    }
}

/// Compares two strings of one event.
pub(super) fn compare(op: Op, left: &[u8], right: &[u8]) -> bool {
    match op {
        Op::Bcontains | Op::Contains => contains(left, right),
        Op::Bstartswith | Op::Startswith => left.starts_with(right),
        Op::Endswith => left.ends_with(right),
        Op::Glob => glob(right, left, Case::Keep),
        Op::Greater => left > right,
        Op::GreaterOrEqual => left >= right,
        Op::Icontains => icontains(left, &right.to_ascii_lowercase()),
        Op::Iglob => glob(right, left, Case::Fold),
        Op::Less => left < right,
        Op::LessOrEqual => left <= right,
        Op::NotEqual => left != right,
        Op::Equal | Op::In | Op::Intersects => left == right,
        // The loader refuses them with another field on the right.
        Op::Exists | Op::Pmatch | Op::Regex => false,
    }
}

/// Whether `part` stands somewhere in `value`.
pub(crate) fn contains(value: &[u8], part: &[u8]) -> bool {
    let Some((&first, rest)) = part.split_first() else {
        return true;
    };
    let Some(last_start) = value.len().checked_sub(part.len()) else {
        return false;
    };
    let mut from = 0;
    while from <= last_start {
        let Some(at) = value[from..=last_start].iter().position(|b| *b == first) else {
            return false;
        };
        from += at + 1;
        if value[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// The same without regard to ASCII case; `part` is in lower case.
pub(crate) fn icontains(value: &[u8], part: &[u8]) -> bool {
    part.is_empty()
        || value
            .windows(part.len())
            .any(|window| window.eq_ignore_ascii_case(part))
}

/// The bytes of a hexadecimal string; `None` when it is none.
pub(crate) fn hex(text: &str) -> Option<Box<[u8]>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_are_found_where_they_are() {
        for (value, part, expected) in [
            ("aab", "ab", true),
            ("aab", "aab", true),
            ("aab", "b", true),
            ("aab", "ba", false),
            ("", "", true),
            ("", "a", false),
            ("aaa", "aaaa", false),
        ] {
            assert_eq!(contains(value.as_bytes(), part.as_bytes()), expected);
            assert_eq!(icontains(value.as_bytes(), part.as_bytes()), expected);
        }
        assert!(icontains(b"xCAP_Sys", b"cap_sys"));
        assert_eq!(hex("48545450").as_deref(), Some(&b"HTTP"[..]));
        assert_eq!(hex("4"), None);
        assert_eq!(hex("4g"), None);
    }
}
