//! A strict JSON reader (RFC 8259) that keeps the span of every node and refuses duplicate keys:
//! parsers disagree on which of two equal keys counts.

use std::ops::Range;

use super::{Body, Duplicates, Entry, Format, Layout, MAX_DEPTH, Node, ReadError};
use crate::value::Value;

/// Reads a whole text.
pub(super) fn read(text: &str) -> Result<Node, ReadError> {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: start,
    };
    reader.skip_space();
    let root = reader.node(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.error("nothing may follow the end of the template"));
    }
    Ok(root)
}

struct Reader<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
}

impl Reader<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, ReadError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let start = self.at;
        let body = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Body::Scalar(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Body::Scalar(Value::Number(self.number()?)),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.error("expected a value")),
            None => return Err(self.error("expected a value, found the end of the file")),
        };
        Ok(Node {
            span: start..self.at,
            start,
            anchor: None,
            body,
        })
    }

    fn map(&mut self, depth: usize) -> Result<Body, ReadError> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Duplicates::default();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Body::Map(entries, Layout::Flow));
        }
        loop {
            let key_start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in double quotes"));
            }
            let key = self.string()?;
            let key_span = key_start..self.at;
            if seen.contain(&entries, &key) {
                return Err(self.error_at(key_start, format!("duplicate key `{key}`")));
            }
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.error("expected `:` after the key"));
            }
            let after_colon = self.at;
            self.skip_space();
            let value = self.node(depth + 1)?;
            entries.push(Entry {
                key,
                key_span,
                after_colon,
                value,
            });
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Body::Map(entries, Layout::Flow));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
            self.skip_space();
        }
    }

    fn list(&mut self, depth: usize) -> Result<Body, ReadError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Body::List(items, Layout::Flow));
        }
        loop {
            items.push(self.node(depth + 1)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Body::List(items, Layout::Flow));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
            self.skip_space();
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Body, ReadError> {
        if !self
            .bytes
            .get(self.at..)
            .unwrap_or_default()
            .starts_with(word.as_bytes())
        {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(Body::Scalar(value))
    }

    fn number(&mut self) -> Result<String, ReadError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(self.error("expected a digit"));
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(self.error("expected a digit after the decimal point"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            if self.digits() == 0 {
                return Err(self.error("expected a digit in the exponent"));
            }
        }
        Ok(self.slice(start..self.at).to_owned())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, ReadError> {
        let opening = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), Some(b'"' | b'\\' | 0..=0x1f) | None) {
                self.at += 1;
            }
            out.push_str(self.slice(start..self.at));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.error("a control character in a string: escape it")),
                None => return Err(self.error_at(opening, "the string is not closed")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        let start = self.at;
        self.at += 1;
        let escaped = self.peek();
        self.at += 1;
        Ok(match escaped {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => return Err(self.error_at(start, "unknown escape in a string")),
        })
    }

    fn unicode(&mut self, start: usize) -> Result<char, ReadError> {
        let first = self.hex(start)?;
        let code = match first {
            0xd800..=0xdbff => {
                let paired = self.eat(b'\\') && self.eat(b'u');
                let second = if paired { self.hex(start)? } else { 0 };
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.error_at(start, "half of a surrogate pair in a string"));
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code)
            .ok_or_else(|| self.error_at(start, "half of a surrogate pair in a string"))
    }

    fn hex(&mut self, start: usize) -> Result<u32, ReadError> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.error_at(start, "expected four hexadecimal digits after `\\u`"));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16)
            .map_err(|_| self.error_at(start, "expected four hexadecimal digits after `\\u`"))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    fn error(&self, message: impl Into<String>) -> ReadError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, offset: usize, message: impl Into<String>) -> ReadError {
        ReadError::new(Format::Json, self.text, offset, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        read(text).expect_err("the text is invalid").to_string()
    }

    #[test]
    fn keeps_spans_and_unescapes() {
        let text = "{ \"a\\u00e9\": [1, -0.5e3, \"\\ud83d\\ude00\"] }";
        let node = read(text).unwrap();
        let Body::Map(entries, Layout::Flow) = &node.body else {
            panic!("a map")
        };
        assert_eq!(entries[0].key, "aé");
        assert_eq!(
            text.get(entries[0].value.span.clone()).unwrap(),
            "[1, -0.5e3, \"\\ud83d\\ude00\"]"
        );
        let want = Value::List(vec![
            Value::Number("1".into()),
            Value::Number("-0.5e3".into()),
            Value::string("😀"),
        ]);
        assert_eq!(entries[0].value.value(), want);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let table = [
            (
                "{\n  \"a\": 1,\n  \"a\": 2}",
                "line 3, column 3: duplicate key `a`",
            ),
            (
                "{\"a\": 1,}",
                "line 1, column 9: expected a key in double quotes",
            ),
            ("[1 2]", "line 1, column 4: expected `,` or `]`"),
            ("{\"a\" 1}", "line 1, column 6: expected `:` after the key"),
            (
                "[\"\t\"]",
                "line 1, column 3: a control character in a string: escape it",
            ),
            ("[\"\\x\"]", "line 1, column 3: unknown escape in a string"),
            (
                "[\"\\ud800\"]",
                "line 1, column 3: half of a surrogate pair in a string",
            ),
            ("[\"a", "line 1, column 2: the string is not closed"),
            ("[01]", "line 1, column 3: expected `,` or `]`"),
            ("[nul]", "line 1, column 2: expected a value"),
            (
                "",
                "line 1, column 1: expected a value, found the end of the file",
            ),
            (
                "{} x",
                "line 1, column 4: nothing may follow the end of the template",
            ),
        ];
        for (text, want) in table {
            assert_eq!(
                message(text),
                format!("invalid JSON at {want}"),
                "for {text}"
            );
        }
        assert!(message(&"[".repeat(4000)).ends_with("nested deeper than 128 levels"));
    }
}
