//! Transformers: values made of the values of fields.

use std::borrow::Cow;

use event::{Facts, Field, Lookup, Value, extract};

use crate::ast::Function;

/// A transformer with what it is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) parts: Vec<Part>,
    /// What stands in brackets behind `getopt(…)`.
    pub(crate) key: Option<String>,
}

/// What a transformer is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Call(Box<Call>),
    Field(Field),
    Literal(Box<[u8]>),
}

impl Part {
    fn value<'a>(&'a self, facts: &'a dyn Facts, scratch: &'a mut Vec<u8>) -> Lookup<'a> {
        match self {
            Self::Call(call) => call.value(facts),
            Self::Field(field) => extract(field, facts, scratch),
            Self::Literal(text) => Lookup::Is(Value::Text((&**text).into())),
        }
    }
}

impl Call {
    pub(crate) fn fields(&self, each: &mut dyn FnMut(Field)) {
        for part in &self.parts {
            match part {
                Part::Call(call) => call.fields(each),
                Part::Field(field) => each(field.clone()),
                Part::Literal(_) => {}
            }
        }
    }

    /// The value; unset as soon as a part is, open as soon as a part is.
    pub(crate) fn value(&self, facts: &dyn Facts) -> Lookup<'static> {
        match self.function {
            Function::Concat => joined(b"", &self.parts, facts),
            Function::Join => match self.parts.split_first() {
                Some((Part::Literal(separator), rest)) => joined(separator, rest, facts),
                _ => Lookup::Unset,
            },
            Function::Getopt => self.option(facts),
            _ => {
                let mut scratch = Vec::new();
                let Some(part) = self.parts.first() else {
                    return Lookup::Unset;
                };
                match part.value(facts, &mut scratch) {
                    Lookup::Pending => Lookup::Pending,
                    Lookup::Unset => Lookup::Unset,
                    Lookup::Is(value) => {
                        apply(self.function, &value).map_or(Lookup::Unset, Lookup::Is)
                    }
                }
            }
        }
    }

    /// `getopt(field, "ab:c")`: the options on a command line, or with `[b]` the value of one.
    fn option(&self, facts: &dyn Facts) -> Lookup<'static> {
        let [text, Part::Literal(known)] = &*self.parts else {
            return Lookup::Unset;
        };
        let mut scratch = Vec::new();
        let text = match text.value(facts, &mut scratch) {
            Lookup::Is(Value::Text(text)) => text,
            Lookup::Pending => return Lookup::Pending,
            Lookup::Is(_) | Lookup::Unset => return Lookup::Unset,
        };
        let found = options(&text, known);
        let values: Vec<Value<'static>> = match &self.key {
            None => found
                .into_iter()
                .map(|(option, _)| Value::Text(vec![option].into()))
                .collect(),
            Some(key) => found
                .into_iter()
                .filter(|(option, _)| key.as_bytes() == [*option])
                .map(|(_, value)| Value::Text(value.into()))
                .collect(),
        };
        if values.is_empty() {
            Lookup::Unset
        } else {
            Lookup::Is(Value::List(values))
        }
    }
}

fn joined(separator: &[u8], parts: &[Part], facts: &dyn Facts) -> Lookup<'static> {
    let mut out = Vec::new();
    let mut is_open = false;
    for (number, part) in parts.iter().enumerate() {
        let mut scratch = Vec::new();
        if number > 0 {
            out.extend_from_slice(separator);
        }
        match part.value(facts, &mut scratch) {
            Lookup::Unset => return Lookup::Unset,
            Lookup::Pending => is_open = true,
            Lookup::Is(value) => crate::output::push_value(&value, &mut out),
        }
    }
    if is_open {
        Lookup::Pending
    } else {
        Lookup::Is(Value::Text(out.into()))
    }
}

/// Options of a command line in the manner of `getopt(3)`, with their values.
fn options(text: &[u8], known: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    let mut words = text.split(|b| *b == b' ').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix(b"-").filter(|l| !l.is_empty()) else {
            continue;
        };
        if letters == b"-" {
            break;
        }
        for (number, letter) in letters.iter().enumerate() {
            let Some(at) = known.iter().position(|k| k == letter && *k != b':') else {
                continue;
            };
            if known.get(at + 1) != Some(&b':') {
                found.push((*letter, Vec::new()));
                continue;
            }
            let attached = &letters[number + 1..];
            let value = if attached.is_empty() {
                words.next().unwrap_or_default()
            } else {
                attached
            };
            found.push((*letter, value.to_vec()));
            break;
        }
    }
    found
}

/// Applies a transformer of one value.
fn apply(function: Function, value: &Value<'_>) -> Option<Value<'static>> {
    if let Value::List(items) = value {
        if function == Function::Len {
            return Some(Value::Uint(items.len() as u64));
        }
        let applied = items.iter().map(|item| apply(function, item));
        return applied.collect::<Option<Vec<_>>>().map(Value::List);
    }
    let Value::Text(text) = value else {
        return (function == Function::Val).then(|| owned(value));
    };
    let bytes: Vec<u8> = match function {
        Function::Tolower => text.to_ascii_lowercase(),
        Function::Toupper => text.to_ascii_uppercase(),
        Function::B64 => decode(text)?,
        Function::Basename => {
            let slash = text.iter().rposition(|b| *b == b'/');
            text[slash.map_or(0, |at| at + 1)..].to_vec()
        }
        Function::Len => return Some(Value::Uint(text.len() as u64)),
        Function::Val | Function::Concat | Function::Getopt | Function::Join => text.to_vec(),
    };
    Some(Value::Text(bytes.into()))
}

fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Bool(value) => Value::Bool(*value),
        Value::Int(value) => Value::Int(*value),
        Value::Ip(value) => Value::Ip(*value),
        Value::List(items) => Value::List(items.iter().map(owned).collect()),
        Value::Text(text) => Value::Text(Cow::Owned(text.to_vec())),
        Value::Uint(value) => Value::Uint(*value),
    }
}

/// Takes Base64 apart; `None` when it is none.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1);
    let (body, padding) = text.split_at(end);
    if padding.len() > 2 || !text.len().is_multiple_of(4) && !padding.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in body {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (count < 6).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_taken_apart() {
        assert_eq!(decode(b"aGVsbG8=").unwrap(), b"hello");
        assert_eq!(decode(b"aGVsbG8").unwrap(), b"hello");
        assert_eq!(decode(b"").unwrap(), b"");
        assert_eq!(decode(b"a"), None);
        assert_eq!(decode(b"%%%%"), None);
    }

    #[test]
    fn options_are_read_as_getopt_reads_them() {
        let found = options(b"-n -tfoo -t bar -xn -- -n", b"nt:");
        assert_eq!(
            found,
            [
                (b'n', vec![]),
                (b't', b"foo".to_vec()),
                (b't', b"bar".to_vec()),
                (b'n', vec![]),
            ]
        );
    }
}
