//! What tells comparisons apart: all of them but where it stands.

use crate::ast::{Check, Operand, Right};

/// Writes what a comparison asks, so that two are written alike when they ask the same.
pub(super) fn write(check: &Check, key: &mut Vec<u8>) {
    operand(&check.left, key);
    key.push(check.op as u8);
    key.push(check.modifier.map_or(u8::MAX, |modifier| modifier as u8));
    match &check.right {
        Right::List(values) => {
            key.push(b'l');
            number(values.len(), key);
            for value in values {
                text(&value.text, key);
            }
        }
        Right::Nothing => key.push(b'n'),
        Right::Operand(right) => operand(right, key),
        Right::Value(value) => {
            key.push(b'v');
            text(&value.text, key);
        }
    }
}

fn operand(part: &Operand, key: &mut Vec<u8>) {
    match part {
        Operand::Call {
            function,
            arguments,
            key: option,
            ..
        } => {
            key.extend([b'C', *function as u8]);
            several(arguments, key);
            maybe(option.as_deref(), key);
        }
        Operand::Field { name, arg, .. } => {
            key.push(b'F');
            text(name, key);
            maybe(arg.as_deref(), key);
        }
        Operand::List(items) => {
            key.push(b'L');
            several(items, key);
        }
        Operand::Literal(value) => {
            key.push(b'V');
            text(value, key);
        }
    }
}

fn several(parts: &[Operand], key: &mut Vec<u8>) {
    number(parts.len(), key);
    for part in parts {
        operand(part, key);
    }
}

fn maybe(word: Option<&str>, key: &mut Vec<u8>) {
    key.push(word.is_some().into());
    if let Some(word) = word {
        text(word, key);
    }
}

/// With its length before it, so that no text can look like another and what follows that.
fn text(word: &str, key: &mut Vec<u8>) {
    number(word.len(), key);
    key.extend_from_slice(word.as_bytes());
}

fn number(value: usize, key: &mut Vec<u8>) {
    key.extend_from_slice(&value.to_ne_bytes());
}
