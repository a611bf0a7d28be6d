//! Finding the bytes of a node in a YAML text.

use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::ScalarStyle;

/// A text, and the bytes at which its characters start.
pub(super) struct Scan<'s> {
    text: &'s str,
    /// Bytes before the part that the parser sees.
    skipped: usize,
    /// The byte of each character; none are needed when all are ASCII.
    offsets: Option<Vec<usize>>,
}

impl<'s> Scan<'s> {
    pub(super) fn new(text: &'s str, skipped: usize) -> Self {
        let seen = text.get(skipped..).unwrap_or_default();
        let offsets = (!seen.is_ascii()).then(|| seen.char_indices().map(|(at, _)| at).collect());
        Self {
            text,
            skipped,
            offsets,
        }
    }

    pub(super) fn text(&self) -> &'s str {
        self.text
    }

    /// The byte of the character at `index`.
    pub(super) fn byte(&self, index: usize) -> usize {
        let at = match &self.offsets {
            None => index,
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.text.len()),
        };
        (at + self.skipped).min(self.text.len())
    }

    pub(super) fn at(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The first byte at or after `from` that is neither space, line end nor comment.
    pub(super) fn skip(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            match self.at(at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                Some(b'#') => {
                    let rest = self.text.as_bytes().get(at..).unwrap_or_default();
                    at += rest
                        .iter()
                        .position(|&byte| byte == b'\n')
                        .unwrap_or(rest.len());
                }
                _ => return at,
            }
        }
    }

    /// The end of an anchor, alias or tag.
    pub(super) fn word_end(&self, from: usize) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        let end = |&byte: &u8| byte.is_ascii_whitespace() || b",[]{}".contains(&byte);
        from + rest.iter().position(end).unwrap_or(rest.len())
    }

    /// The start of a node that has `count` of tag and anchor, and the start of its content.
    pub(super) fn props(&self, from: usize, count: usize) -> (usize, usize) {
        let start = self.skip(from);
        let content = (0..count).fold(start, |at, _| self.skip(self.word_end(at)));
        (start, content)
    }

    /// The characters between the start of the line and `at`.
    pub(super) fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.get(start..).unwrap_or_default();
        line.trim_start_matches('\u{feff}').chars().count()
    }

    /// The bytes of a scalar that starts at `content`, its quotes or header included. `end` is
    /// where the parser stopped, which may be beyond.
    pub(super) fn scalar(&self, content: usize, style: ScalarStyle, end: usize) -> Range<usize> {
        let seen = self.text.get(content..end.max(content)).unwrap_or_default();
        let length = match style {
            ScalarStyle::DoubleQuoted | ScalarStyle::SingleQuoted => self.quoted(content),
            ScalarStyle::Plain => seen.trim_end().len(),
            ScalarStyle::Folded | ScalarStyle::Literal => {
                let header = seen.lines().next().unwrap_or_default();
                let indicator = header.split('#').next().unwrap_or_default();
                if indicator.contains('+') {
                    seen.rfind('\n')
                        .map_or(seen.len(), |at| at.max(header.len()))
                } else {
                    seen.trim_end().len().max(header.len())
                }
            }
        };
        content..content + length
    }

    fn quoted(&self, content: usize) -> usize {
        let bytes = self.text.as_bytes().get(content..).unwrap_or_default();
        let quote = bytes.first().copied();
        let mut at = 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' if quote == Some(b'"') => at += 1,
                b'\'' if quote == Some(b'\'') && bytes.get(at + 1) == Some(&b'\'') => at += 1,
                byte if Some(byte) == quote => return at + 1,
                _ => {}
            }
            at += 1;
        }
        bytes.len()
    }

    /// A literal that ends with the file, and not with a line end, has none.
    pub(super) fn last_line_break<'t>(
        &self,
        value: &'t str,
        style: ScalarStyle,
        place: &Range<usize>,
    ) -> Cow<'t, str> {
        let block = matches!(style, ScalarStyle::Folded | ScalarStyle::Literal);
        let rest = self.text.get(place.end..).unwrap_or_default();
        if block && !rest.contains('\n') && rest.trim().is_empty() {
            return Cow::Borrowed(value.strip_suffix('\n').unwrap_or(value));
        }
        Cow::Borrowed(value)
    }
}

/// Turns the line ends and comments inside a pair of brackets into spaces. `open` is the number of
/// a character at or before the opening bracket. Returns nothing when there is nothing to turn.
pub(super) fn join_lines(text: &str, open: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    out.extend(chars.by_ref().take(open));
    let mut depth = 0_usize;
    let mut quote = None;
    let mut comment = false;
    let mut joined = false;
    let mut previous = ' ';
    while let Some(c) = chars.next() {
        let mut written = c;
        match (c, quote) {
            ('\n' | '\r', None) => {
                comment = false;
                (written, joined) = (' ', true);
            }
            _ if comment => written = ' ',
            ('\\', Some('"')) => {
                out.push(c);
                written = chars.next()?;
            }
            (c, Some(open)) if c == open => quote = None,
            ('#', None) if previous.is_whitespace() => (comment, written) = (true, ' '),
            ('"' | '\'', None) if previous.is_whitespace() || "[{,:".contains(previous) => {
                quote = Some(c);
            }
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
        out.push(written);
        previous = written;
        if depth == 0 && matches!(c, ']' | '}') && quote.is_none() && !comment {
            out.push_str(chars.as_str());
            return joined.then_some(out);
        }
    }
    None
}
