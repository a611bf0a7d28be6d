//! Regular expressions of rules.
//!
//! Falco reads them with RE2 in POSIX syntax. What that takes literally and `regex-lite` refuses or
//! reads otherwise is written in other words first; what only `regex-lite` knows stays usable.

use regex_lite::{Error, Regex, RegexBuilder};

/// Largest compiled regular expression.
const SIZE: usize = 256 << 10;

/// A regular expression that must match all of a value. A dot is anything but the end of a line;
/// `^` and `$` are begin and end of any line.
pub(super) fn compile(text: &str) -> Result<Regex, Error> {
    RegexBuilder::new(&format!(r"\A(?:{})\z", translate(text)))
        .multi_line(true)
        .size_limit(SIZE)
        .build()
}

fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '\\' => escape(after, &mut out),
            '[' => class(after, &mut out),
            // Braces that hold no numbers stand for themselves.
            '{' if !is_repetition(after) => {
                out.push_str(r"\{");
                after
            }
            _ => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// What follows a backslash.
fn escape<'a>(after: &'a str, out: &mut String) -> &'a str {
    if let Some(quoted) = after.strip_prefix('Q') {
        let (inner, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
        for c in inner.chars() {
            literal(c, out);
        }
        return rest;
    }
    let octal = after
        .bytes()
        .take_while(|b| matches!(b, b'0'..=b'7'))
        .count()
        .min(3);
    if after.starts_with('0')
        && let Some(code) = after
            .get(..octal)
            .and_then(|o| u32::from_str_radix(o, 8).ok())
    {
        if let Some(c) = char::from_u32(code) {
            literal(c, out);
        }
        return after.get(octal..).unwrap_or_default();
    }
    if after.starts_with("x{")
        && let Some((code, rest)) = after.split_once('}')
    {
        out.extend([r"\", code, "}"]);
        return rest;
    }
    let Some(c) = after.chars().next() else {
        out.push('\\');
        return after;
    };
    match c {
        // Word boundaries elsewhere.
        '<' | '>' => out.push(c),
        _ => out.extend(['\\', c]),
    }
    after.get(c.len_utf8()..).unwrap_or_default()
}

/// What follows an opening bracket, up to the one that closes it. Brackets and doubled signs stand
/// for themselves in it.
fn class<'a>(after: &'a str, out: &mut String) -> &'a str {
    out.push('[');
    let mut rest = after;
    for first in ["^", "]"] {
        if let Some(next) = rest.strip_prefix(first) {
            out.push_str(if first == "]" { r"\]" } else { first });
            rest = next;
        }
    }
    while let Some(c) = rest.chars().next() {
        let next = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            ']' => {
                out.push(']');
                return next;
            }
            '[' => {
                let named = next
                    .strip_prefix(':')
                    .and_then(|name| name.find(":]"))
                    .and_then(|end| rest.split_at_checked(end + 4));
                if let Some((name, behind)) = named {
                    out.push_str(name);
                    behind
                } else {
                    out.push_str(r"\[");
                    next
                }
            }
            '\\' => escape(next, out),
            '&' | '~' => {
                out.extend(['\\', c]);
                next
            }
            _ => {
                out.push(c);
                next
            }
        };
    }
    rest
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// Whether `{` is followed by `2}`, `2,}` or `2,3}`.
fn is_repetition(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else {
        return false;
    };
    let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !low.is_empty() && is_number(low) && is_number(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        compile(pattern).unwrap().is_match(value)
    }

    #[test]
    fn all_of_a_value_must_match() {
        assert!(matches("a.*b", "axb") && !matches("a.*b", "xaxb"));
        assert!(matches("a|bc", "bc") && !matches("a|bc", "ac"));
        assert!(matches("^/etc/.*$", "/etc/x") && !matches("a", "a\n"));
    }

    #[test]
    fn a_dot_is_not_the_end_of_a_line() {
        assert!(!matches("a.b", "a\nb") && matches("a[^x]b", "a\nb"));
        assert!(matches("a$\n^b", "a\nb"));
    }

    #[test]
    fn what_re2_takes_literally_is_literal() {
        for (pattern, value) in [
            (r"\<a\>", "<a>"),
            ("a{,3}", "a{,3}"),
            ("a{x}?", "a{x"),
            (r"\x{2f}a", "/a"),
            (".*[[].*", "a[b"),
            ("[a&&b]+", "a&b"),
            ("[~~]", "~"),
            ("[]a]+", "a]"),
            ("[^]a]", "b"),
            ("[^[:digit:]]", "x"),
            (r"[\]]", "]"),
            (r"\Qa.b*\E+", "a.b**"),
            (r"\012", "\n"),
            (r"\/etc\-\_\@", "/etc-_@"),
            ("a{2}", "aa"),
            ("é+", "éé"),
        ] {
            assert!(matches(pattern, value), "{pattern} {value}");
        }
        for wrong in ["(", "[a", "*a", r"\", "a)"] {
            assert!(compile(wrong).is_err(), "{wrong}");
        }
    }
}
