//! Where the text of a YAML scalar stands in its file.
//!
//! YAML folds lines, which changes blanks only, and takes out escapes. So the n-th byte of the text
//! that is not blank is the n-th in the file, when an escape counts for what it stands for.

/// The places of the bytes that are not blank, from the beginning of a scalar on.
pub(super) struct Ink<'a> {
    raw: &'a [u8],
    at: usize,
    style: Style,
    /// What is left of an escape: where it stands and how many bytes.
    escaped: (usize, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Double,
    Plain,
    Single,
}

impl<'a> Ink<'a> {
    /// `raw` begins with the scalar; what follows it does not matter.
    pub(super) fn new(raw: &'a str) -> Self {
        let (at, style) = match raw.as_bytes().first() {
            Some(b'>' | b'|') => (
                raw.find('\n').map_or(raw.len(), |end| end + 1),
                Style::Plain,
            ),
            Some(b'"') => (1, Style::Double),
            Some(b'\'') => (1, Style::Single),
            _ => (0, Style::Plain),
        };
        Self {
            raw: raw.as_bytes(),
            at,
            style,
            escaped: (0, 0),
        }
    }
}

impl Iterator for Ink<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            if self.escaped.1 > 0 {
                self.escaped.1 -= 1;
                return Some(self.escaped.0);
            }
            let at = self.at;
            let byte = *self.raw.get(at)?;
            self.at += 1;
            match (self.style, byte) {
                (Style::Double, b'\\') => {
                    let (length, ink) = escape(self.raw.get(self.at..).unwrap_or_default());
                    self.at += length;
                    self.escaped = (at, ink);
                }
                (Style::Single, b'\'') => {
                    self.at += 1;
                    return Some(at);
                }
                _ if byte.is_ascii_whitespace() => {}
                _ => return Some(at),
            }
        }
    }
}

/// An escape behind its backslash: its length, and how many bytes it stands for that are not blank.
fn escape(raw: &[u8]) -> (usize, usize) {
    let digits = match raw.first() {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b'n' | b't' | b'r' | b' ' | b'\t' | b'f' | b'\n' | b'\r') => return (1, 0),
        Some(b'N' | b'_') => return (1, 2),
        Some(b'L' | b'P') => return (1, 3),
        _ => return (1, 1),
    };
    let value = raw
        .get(1..=digits)
        .and_then(|hex| std::str::from_utf8(hex).ok())
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .and_then(char::from_u32);
    let ink = value.map_or(1, |c| {
        if c.is_ascii_whitespace() {
            0
        } else {
            c.len_utf8()
        }
    });
    (1 + digits, ink)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str, count: usize) -> Vec<usize> {
        Ink::new(raw).take(count).collect()
    }

    #[test]
    fn escapes_and_doubled_quotes_count_once() {
        assert_eq!(shown("a b\n c", 3), [0, 2, 5]);
        assert_eq!(shown(">-\n  ab", 2), [5, 6]);
        assert_eq!(shown("'a''b'", 3), [1, 2, 4]);
        assert_eq!(shown(r#""a\"b\n\x41c""#, 5), [1, 2, 4, 7, 11]);
        assert_eq!(shown(r#""\u00e9x""#, 3), [1, 1, 7]);
        assert_eq!(shown("\"a\\\n  b\"", 2), [1, 6]);
        assert_eq!(shown(r#""\"#, 2), [1]);
    }
}
