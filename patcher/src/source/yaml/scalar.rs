//! What an unquoted scalar or a tag means.

use saphyr_parser::{ScalarStyle, Tag};

use crate::value::Value;

/// What a tag does to its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tagging {
    /// A short intrinsic; the key of its long form.
    Function(String),
    /// No tag, or one that says what is known anyway.
    Plain,
    /// It makes a string.
    String,
}

/// Reads a tag.
pub(super) fn tagging(tag: Option<&Tag>) -> Tagging {
    let Some(tag) = tag else {
        return Tagging::Plain;
    };
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", name @ ("Ref" | "Condition")) => Tagging::Function(name.to_owned()),
        ("!", name) if !name.is_empty() => Tagging::Function(format!("Fn::{name}")),
        ("tag:yaml.org,2002:", "str") | ("" | "!", _) => Tagging::String,
        _ => Tagging::Plain,
    }
}

/// Gives a scalar its type.
pub(super) fn resolve(text: impl AsRef<str>, style: ScalarStyle, tagging: &Tagging) -> Value {
    let text = text.as_ref();
    if style == ScalarStyle::Plain && *tagging != Tagging::String {
        plain(text)
    } else {
        Value::string(text)
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_json_number(text) => Value::Number(text.to_owned()),
        _ if is_doubtful(text) => Value::Bare(text.to_owned()),
        _ => Value::string(text),
    }
}

/// What every YAML version and JSON call a number.
fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let some = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    some(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(some)
        && exponent.is_none_or(some)
}

/// What some YAML version calls a boolean, a number or a date. Such text is never quoted when it
/// moves: that would decide what it is.
fn is_doubtful(text: &str) -> bool {
    const WORDS: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];
    let first = text.bytes().next().unwrap_or_default();
    let number = (first.is_ascii_digit() || b"+-.".contains(&first))
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-._:".contains(&byte))
        && !text.ends_with(':');
    let special = matches!(
        text.trim_start_matches(['+', '-'])
            .to_ascii_lowercase()
            .as_str(),
        ".inf" | ".nan"
    );
    number || special || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_have_the_types_that_readers_agree_on() {
        let number = |text: &str| Value::Number(text.to_owned());
        let bare = |text: &str| Value::Bare(text.to_owned());
        let table = [
            ("", Value::Null),
            ("True", Value::Bool(true)),
            ("12", number("12")),
            ("-0.5e-3", number("-0.5e-3")),
            ("012", bare("012")),
            ("+1", bare("+1")),
            ("0x1F", bare("0x1F")),
            ("2010-09-09", bare("2010-09-09")),
            ("1:30", bare("1:30")),
            ("yes", bare("yes")),
            (".inf", bare(".inf")),
            ("10.0.0.0/16", Value::string("10.0.0.0/16")),
            ("a-1", Value::string("a-1")),
            ("-", Value::string("-")),
        ];
        for (text, want) in table {
            assert_eq!(plain(text), want, "for {text}");
        }
    }
}
