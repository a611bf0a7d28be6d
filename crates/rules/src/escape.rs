//! Escapes in quoted strings.

use std::borrow::Cow;

/// What is wrong with a quoted string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EscapeError {
    #[error("`\\x` needs two hexadecimal digits")]
    BadHex,
    #[error("a value cannot hold a zero byte")]
    Nul,
    #[error("`\\{0}` is not an escape; a backslash itself is `\\\\`")]
    Unknown(char),
}

/// Takes the escapes out of what stood between two quotes.
pub(crate) fn unescape(text: &str, quote: u8) -> Result<String, EscapeError> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let escaped = match characters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            // The blank: kept for an old rule that relied on it.
            Some(' ' | '\\') | None => '\\',
            Some('/') => '/',
            Some('x') => hex(&mut characters)?,
            Some(other) if u32::from(other) == u32::from(quote) => other,
            Some(other) => return Err(EscapeError::Unknown(other)),
        };
        if escaped == '\0' {
            return Err(EscapeError::Nul);
        }
        out.push(escaped);
    }
    Ok(out)
}

fn hex(characters: &mut std::str::Chars<'_>) -> Result<char, EscapeError> {
    let mut digit = || {
        characters
            .next()
            .and_then(|c| c.to_digit(16))
            .ok_or(EscapeError::BadHex)
    };
    let value = digit()? * 16 + digit()?;
    char::from_u32(value).ok_or(EscapeError::BadHex)
}

/// Puts escapes in, for a string that is printed between double quotes.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['"', '\\', '\n', '\r', '\t', '\u{8}', '\u{c}']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => out.push_str("\\\""),
            // The quote that ends a string must not follow a backslash, escaped or not; a
            // backslash and a blank stand for one too.
            '\\' if characters.peek().is_none() => out.push_str("\\ "),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_out_and_put_in() {
        assert_eq!(unescape(r"a\tb\x41\\", b'"').unwrap(), "a\tbA\\");
        assert_eq!(unescape(r"bad \ ", b'"').unwrap(), "bad \\");
        assert_eq!(unescape(r"\'", b'"'), Err(EscapeError::Unknown('\'')));
        assert_eq!(unescape(r"\'", b'\'').unwrap(), "'");
        assert_eq!(unescape(r"\x00", b'"'), Err(EscapeError::Nul));
        assert_eq!(unescape(r"\xg0", b'"'), Err(EscapeError::BadHex));
        for text in ["plain", "a\"b\\c\n", "\t", "ends in \\", "\\\\"] {
            assert_eq!(unescape(&escape(text), b'"').unwrap(), text);
        }
    }
}
