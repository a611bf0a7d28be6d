//! `glob` and `iglob`, with a quick look before the long one.

use event::{Case, glob};

/// A pattern. What it begins and ends with settles most values.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: Box<[u8]>,
    case: Case,
    /// Length of the beginning that stands for itself.
    start: usize,
    /// Length of the end that stands for itself.
    end: usize,
}

impl Pattern {
    pub(crate) fn new(text: Box<[u8]>, case: Case) -> Self {
        let is_special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let start = text.iter().position(is_special).unwrap_or(text.len());
        // What follows a bracket or a backslash may belong to it: then there is no plain end.
        let has_others = text.iter().any(|byte| matches!(byte, b'[' | b'\\'));
        let end = match text.iter().rev().position(is_special) {
            Some(end) if !has_others => end,
            _ => 0,
        };
        Self {
            text,
            case,
            start,
            end,
        }
    }

    /// Whether it begins with something that stands for itself, so that most values are done with
    /// at once.
    pub(crate) const fn has_start(&self) -> bool {
        self.start > 0
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let (start, end) = (self.start, self.end);
        let Some(rest) = value.len().checked_sub(end).filter(|rest| *rest >= start) else {
            return false;
        };
        self.same(&value[..start], &self.text[..start])
            && self.same(&value[rest..], &self.text[self.text.len() - end..])
            && glob(&self.text[start..], &value[start..], self.case)
    }

    fn same(&self, value: &[u8], own: &[u8]) -> bool {
        match self.case {
            Case::Fold => value.eq_ignore_ascii_case(own),
            Case::Keep => value == own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_look_changes_nothing() {
        let patterns = [
            "",
            "*",
            "/proc/*/environ",
            "a",
            "a*",
            "*a",
            "a*a",
            "?a",
            "[ab]*",
            "a[",
            "a\\*",
            "*\\",
            "ab?",
            "A*b",
            "*]",
            "a*[b]",
            "aa*aa",
        ];
        let values = [
            "",
            "a",
            "A",
            "aa",
            "ab",
            "aab",
            "abc",
            "ba",
            "a[",
            "a*",
            "*",
            "\\",
            "]",
            "aaa",
            "/proc/1/environ",
            "/proc/environ",
            "/PROC/1/ENVIRON",
            "aaaa",
        ];
        for case in [Case::Fold, Case::Keep] {
            for pattern in patterns {
                let quick = Pattern::new(pattern.as_bytes().into(), case);
                for value in values {
                    let expected = glob(pattern.as_bytes(), value.as_bytes(), case);
                    let found = quick.matches(value.as_bytes());
                    assert_eq!(found, expected, "{pattern} {value} {case:?}");
                }
            }
        }
    }
}
