//! Outputs of rules: text with `%field` in it.

use std::io::Write as _;

use event::{Facts, Field, FieldValue, Lookup, Value};

use crate::ast::{Operand, Span};
use crate::check::{CheckFault, Resolved, resolve_output};
use crate::parse::parse_operand_prefix;

/// What Falco prints for a field that has no value.
const UNSET: &[u8] = b"<NA>";

/// An output, ready to be filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Format {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Field {
        /// As it is written, which is its key in `output_fields`.
        name: String,
        resolved: Resolved,
        /// Exactly so many bytes, as in Falco: filled up with blanks, or cut.
        width: Option<usize>,
    },
    Text(String),
}

/// Reads an output.
pub(crate) fn parse(text: &str) -> Result<Format, Vec<CheckFault>> {
    // A word of old files; Falco puts what its options append there, here it is appended.
    const CONTAINER_INFO: &str = "container.info";
    // Text and a field for each sign, and what follows the last; long outputs may grow.
    const USUAL: usize = 16;
    let fields = text
        .bytes()
        .filter(|byte| *byte == b'%')
        .take(USUAL)
        .count();
    let mut pieces = Vec::with_capacity(2 * fields + 1);
    let mut faults = Vec::new();
    let mut rest = text;
    while let Some(percent) = rest.find('%') {
        let (before, after) = rest.split_at(percent);
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let start = text.len() - after.len();
        let token = after.get(1..).unwrap_or_default();
        if let Some(after) = token.strip_prefix(CONTAINER_INFO) {
            rest = after;
            continue;
        }
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, token) = token.split_at(digits);
        if digits.parse().is_ok_and(|width: usize| width > WIDEST) || digits.len() > 9 {
            let message = format!("a field cannot be wider than {WIDEST}");
            faults.push(fault(message, start, 1 + digits.len()));
        }
        let Ok((operand, length)) = parse_operand_prefix(token) else {
            let word = token.split_whitespace().next().unwrap_or_default();
            let message = format!("`%{word}` is not a field; a `%` cannot stand for itself");
            faults.push(CheckFault {
                is_unknown: !word.is_empty(),
                ..fault(message, start, 1 + word.len())
            });
            rest = token;
            continue;
        };
        rest = token.get(length..).unwrap_or_default();
        let end = 1 + digits.len() + length;
        match resolve_output(&operand) {
            Ok(resolved) => pieces.push(Piece::Field {
                name: written(operand),
                resolved,
                width: digits.parse().ok().filter(|width| *width > 0),
            }),
            Err(error) => faults.push(CheckFault {
                help: error.help,
                is_unknown: error.is_unknown,
                ..fault(error.message, start, end)
            }),
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    if faults.is_empty() {
        Ok(Format { pieces })
    } else {
        Err(faults)
    }
}

/// A field or transformer as it is written.
fn written(operand: Operand) -> String {
    match operand {
        Operand::Field {
            name, arg: None, ..
        } => name,
        other => other.to_string(),
    }
}

/// Widest field; more is a slip, or meant to fill memory.
const WIDEST: usize = 1024;

const fn fault(message: String, start: usize, length: usize) -> CheckFault {
    CheckFault {
        code: crate::diagnostic::Code::ErrCompileOutput,
        message,
        help: None,
        span: Span {
            start,
            end: start + length,
        },
        is_unknown: false,
    }
}

/// The fields of an output and the message made of them.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) message: String,
    pub(crate) fields: Vec<(String, FieldValue)>,
}

impl Format {
    /// The fields that it shows.
    pub(crate) fn fields(&self, each: &mut dyn FnMut(Field)) {
        for piece in &self.pieces {
            if let Piece::Field { resolved, .. } = piece {
                resolved.fields(each);
            }
        }
    }

    /// Whether it is nothing but one field.
    pub(crate) fn is_field(&self, field: &str) -> bool {
        matches!(&*self.pieces, [Piece::Field { name, .. }] if name == field)
    }

    /// Fills in the values that fields have for an event.
    pub(crate) fn fill(&self, facts: &dyn Facts, into: &mut Filled) {
        let mut message = Vec::new();
        let mut scratch = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => message.extend_from_slice(text.as_bytes()),
                Piece::Field {
                    name,
                    resolved,
                    width,
                } => {
                    let value = resolved.value(facts, &mut scratch);
                    let begin = message.len();
                    match &value {
                        Lookup::Is(value) => push_value(value, &mut message),
                        Lookup::Pending | Lookup::Unset => message.extend_from_slice(UNSET),
                    }
                    if let Some(width) = width {
                        message.resize(begin + width, b' ');
                    }
                    if !into.fields.iter().any(|(known, _)| known == name) {
                        into.fields.push((name.clone(), field_value(&value)));
                    }
                }
            }
        }
        into.message.push_str(&String::from_utf8_lossy(&message));
    }
}

/// The value as it stands in `output_fields`: numbers as numbers, nothing as `null`.
pub(crate) fn field_value(value: &Lookup<'_>) -> FieldValue {
    match value {
        Lookup::Pending | Lookup::Unset => FieldValue::Null,
        Lookup::Is(Value::Bool(value)) => FieldValue::Bool(*value),
        Lookup::Is(Value::Int(value)) => FieldValue::Int(*value),
        Lookup::Is(Value::Uint(value)) => FieldValue::Uint(*value),
        Lookup::Is(other) => {
            let mut bytes = Vec::new();
            push_value(other, &mut bytes);
            FieldValue::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

/// Prints a value.
pub(crate) fn push_value(value: &Value<'_>, out: &mut Vec<u8>) {
    let written = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Ip(value) => write!(out, "{value}"),
        Value::Uint(value) => write!(out, "{value}"),
        Value::Text(text) => {
            out.extend_from_slice(text);
            Ok(())
        }
        Value::List(items) => {
            out.push(b'(');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                push_value(item, out);
            }
            out.push(b')');
            Ok(())
        }
    };
    written.expect("writing to memory does not fail");
}
