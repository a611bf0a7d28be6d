//! Words of a condition.
//!
//! What a word is depends on where it stands, so there is no stream of tokens: the parser asks the
//! cursor for what it expects.

use crate::ast::Span;
use crate::escape::{EscapeError, unescape};

/// A place in a condition's text.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) const fn set(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) const fn since(&self, start: usize) -> Span {
        Span {
            start,
            end: self.at,
        }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// What has been read.
    pub(crate) fn taken(&self) -> &'a str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// Skips blanks; whether there were any.
    pub(crate) fn blank(&mut self) -> bool {
        let count = self.rest().iter().take_while(|b| is_blank(**b)).count();
        self.at += count;
        count > 0
    }

    /// Takes exactly this text.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes a word and what must follow it: a blank.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let found =
            rest.starts_with(word.as_bytes()) && rest.get(word.len()).is_some_and(|b| is_blank(*b));
        if found {
            self.at += word.len();
        }
        found
    }

    /// A macro's or list's name.
    pub(crate) fn identifier(&mut self) -> Option<&'a str> {
        let length = identifier(self.rest());
        self.advance(length)
    }

    /// A field's name: at least two identifiers with dots between.
    pub(crate) fn field_name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let mut length = identifier(rest);
        let mut dots = 0;
        while length > 0 && rest.get(length) == Some(&b'.') {
            let next = identifier(&rest[length + 1..]);
            if next == 0 {
                break;
            }
            length += 1 + next;
            dots += 1;
        }
        self.advance(if dots > 0 { length } else { 0 })
    }

    /// What may stand between brackets without quotes.
    pub(crate) fn bare_argument(&mut self) -> Option<&'a str> {
        let length = self
            .rest()
            .iter()
            .take_while(|b| !matches!(b, b'[' | b']' | b'"' | b'\'') && !is_space(**b))
            .count();
        self.advance(length)
    }

    /// A value without quotes.
    pub(crate) fn bare_string(&mut self) -> Option<&'a str> {
        let length = self.rest().iter().take_while(|b| is_bare(**b)).count();
        self.advance(length)
    }

    /// A number, in decimal or hexadecimal.
    pub(crate) fn number(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if rest.len() > 2 && rest[0] == b'0' && matches!(rest[1], b'x' | b'X') {
            let digits = count(&rest[2..], u8::is_ascii_alphanumeric);
            if digits > 0 {
                return self.advance(2 + digits);
            }
        }
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let digits = count(&rest[sign..], u8::is_ascii_digit);
        if digits == 0 {
            return None;
        }
        let mut length = sign + digits;
        if rest.get(length) == Some(&b'.') {
            length += 1;
            length += count(&rest[length..], u8::is_ascii_digit);
        }
        if matches!(rest.get(length), Some(b'e' | b'E'))
            && matches!(rest.get(length + 1), Some(b'+' | b'-'))
        {
            let exponent = count(&rest[length + 2..], u8::is_ascii_digit);
            if exponent > 0 {
                length += 2 + exponent;
            }
        }
        self.advance(length)
    }

    /// A string between quotes, without them and without escapes; `None` when there is no quote
    /// or no second one.
    pub(crate) fn quoted(&mut self) -> Option<Result<String, EscapeError>> {
        let rest = self.rest();
        let quote = *rest.first().filter(|b| matches!(b, b'"' | b'\''))?;
        // A quote ends the string unless a backslash stands right before it; that the backslash
        // may be escaped itself is not looked at.
        let mut before = quote;
        for (offset, &byte) in rest.iter().enumerate().skip(1) {
            if byte == quote && before != b'\\' {
                let start = self.at + 1;
                self.at += offset + 1;
                let inner = self.text.get(start..self.at - 1)?;
                return Some(unescape(inner, quote));
            }
            before = byte;
        }
        None
    }

    fn advance(&mut self, length: usize) -> Option<&'a str> {
        if length == 0 {
            return None;
        }
        let taken = self.text.get(self.at..self.at + length)?;
        self.at += length;
        Some(taken)
    }
}

fn count(bytes: &[u8], is: fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|b| is(b)).count()
}

fn identifier(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    bytes
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
        .count()
}

/// Blanks between words.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x8 | b'\r' | b'\n')
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0xb | 0xc | b'\r')
}

/// Bytes of a value without quotes.
pub(crate) const fn is_bare(byte: u8) -> bool {
    !matches!(byte, b'(' | b')' | b'"' | b'\'' | b'=' | b',') && !is_space(byte)
}
