//! `fnmatch` without flags: `*` and `?` match `/` too.

/// Whether letters of both cases are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// ASCII letters match in both cases.
    Fold,
    /// Byte for byte.
    Keep,
}

/// Whether `text` matches `pattern`: `*`, `?`, `[a-z]`, `[!a]`, `[[:alpha:]]`, and a backslash before a byte that
/// stands for itself. The cost is at most the product of both lengths, whatever the pattern.
pub fn glob(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when the last `*` has to take one byte more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            None => None,
            Some(_) => text.get(t).and_then(|&byte| one(pattern, p, byte, case)),
        };
        if let Some(next) = step {
            p = next;
            t += 1;
        } else if let Some((after_star, taken)) = retry
            && taken < text.len()
        {
            retry = Some((after_star, taken + 1));
            p = after_star;
            t = taken + 1;
        } else {
            return false;
        }
    }
}

/// Matches one byte against the pattern's element at `p`; the position behind it when it matches.
fn one(pattern: &[u8], p: usize, byte: u8, case: Case) -> Option<usize> {
    match pattern[p] {
        b'?' => Some(p + 1),
        b'[' => match class(pattern, p, byte, case) {
            Some((end, true)) => Some(end),
            Some((_, false)) => None,
            // A bracket that is never closed stands for itself.
            None => same(b'[', byte, case).then_some(p + 1),
        },
        // A backslash at the end stands for nothing, so that nothing matches.
        b'\\' => same(*pattern.get(p + 1)?, byte, case).then_some(p + 2),
        other => same(other, byte, case).then_some(p + 1),
    }
}

/// Matches a bracket expression; the position behind it and whether `byte` is in it.
fn class(pattern: &[u8], p: usize, byte: u8, case: Case) -> Option<(usize, bool)> {
    let mut at = p + 1;
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    if negated {
        at += 1;
    }
    let mut found = false;
    let mut first = true;
    loop {
        let mut low = *pattern.get(at)?;
        if low == b']' && !first {
            return Some((at + 1, found != negated));
        }
        first = false;
        if let Some((end, has)) = named_class(pattern.get(at..)?, byte) {
            found |= has;
            at += end;
            continue;
        }
        if low == b'\\' && at + 1 < pattern.len() {
            at += 1;
            low = pattern[at];
        }
        at += 1;
        let mut high = low;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|&c| c != b']') {
            high = pattern[at + 1];
            at += 2;
            if high == b'\\' && at < pattern.len() {
                high = pattern[at];
                at += 1;
            }
        }
        found |= match case {
            Case::Fold => (low.to_ascii_lowercase()..=high.to_ascii_lowercase())
                .contains(&byte.to_ascii_lowercase()),
            Case::Keep => (low..=high).contains(&byte),
        };
    }
}

/// `[:alpha:]` and its likes at the beginning of `text`: its length, and whether `byte` is one.
fn named_class(text: &[u8], byte: u8) -> Option<(usize, bool)> {
    let name = text.strip_prefix(b"[:")?;
    let length = name.iter().position(|b| *b == b':')?;
    let has = match &name[..length] {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => matches!(byte, b' '..=b'~'),
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 0xb,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    };
    let end = 2 + length + 2;
    (text.get(end - 1) == Some(&b']')).then_some((end, has))
}

fn same(a: u8, b: u8, case: Case) -> bool {
    match case {
        Case::Fold => a.eq_ignore_ascii_case(&b),
        Case::Keep => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_fnmatch_does() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("/etc/*.conf", "/etc/a/b.conf", true),
            ("/etc/?.conf", "/etc/ab.conf", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[x", "[x", true),
            ("[[:alpha:]_]x", "Qx", true),
            ("[![:digit:]]x", "1x", false),
            ("[[:alpha:", "[[:alpha:", true),
            ("a\\", "a\\", false),
            ("a\\", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("", "", true),
            ("", "a", false),
            ("a*", "b", false),
        ] {
            assert_eq!(
                glob(pattern.as_bytes(), text.as_bytes(), Case::Keep),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(glob(b"*.SO", b"libx.so", Case::Fold));
        assert!(glob(b"[A-C]", b"b", Case::Fold));
        assert!(glob(b"[--Z]", b"\\", Case::Fold));
    }
}
