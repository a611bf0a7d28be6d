//! The proof of an edit: another parser reads the result, and must find the planned value.

mod json;
mod yaml;

use thiserror::Error;

use crate::path::{Path, Trail};
use crate::source::Format;
use crate::value::{Entries, Value};

/// The edited text does not say what was planned.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CheckError {
    /// A node differs.
    #[error(
        "the edited text says something else than planned at {path}: nothing is written, please report it"
    )]
    Differs {
        /// The first node that differs.
        path: Path,
    },
    /// It cannot be read at all.
    #[error(
        "the edited text is not valid {format} ({message}): nothing is written, please report it"
    )]
    Unreadable {
        /// The notation.
        format: Format,
        /// What the other parser says.
        message: String,
    },
}

/// Reads `text` with the independent parser of its notation and compares it with `planned`.
pub fn check(text: &str, format: Format, planned: &Value) -> Result<(), CheckError> {
    let read = match format {
        Format::Json => json::read(text),
        Format::Yaml => yaml::read(text),
    };
    let read = read.map_err(|message| CheckError::Unreadable { format, message })?;
    match difference(planned, &read, &Trail::Start) {
        None => Ok(()),
        Some(path) => Err(CheckError::Differs { path }),
    }
}

/// Returns the first node at which two values differ.
fn difference(planned: &Value, read: &Value, trail: &Trail<'_>) -> Option<Path> {
    match (planned, read) {
        (Value::List(a), Value::List(b)) => {
            let differs = |(at, (a, b)): (usize, (&Value, &Value))| {
                if leaves_agree(a, b) {
                    None
                } else {
                    difference(a, b, &Trail::Index(trail, at))
                }
            };
            let inside = a.iter().zip(b).enumerate().find_map(differs);
            inside.or_else(|| {
                let shorter = a.len().min(b.len());
                (a.len() != b.len()).then(|| trail.path().index(shorter))
            })
        }
        (Value::Map(a), Value::Map(b)) => map_difference(a, b, trail),
        _ => (!leaves_agree(planned, read)).then(|| trail.path()),
    }
}

fn map_difference(a: &[(String, Value)], b: &[(String, Value)], trail: &Trail<'_>) -> Option<Path> {
    let mut others = Entries::new(b);
    for (at, (key, value)) in a.iter().enumerate() {
        let Some((_, other)) = others.find(at, key) else {
            return Some(trail.path().key(key));
        };
        if !leaves_agree(value, other)
            && let Some(found) = difference(value, other, &Trail::Key(trail, key))
        {
            return Some(found);
        }
    }
    if a.len() == b.len() {
        return None;
    }
    let mut known = Entries::new(a);
    let mut more = b.iter().enumerate();
    Some(
        match more.find(|(at, (key, _))| known.find(*at, key).is_none()) {
            Some((_, (key, _))) => trail.path().key(key),
            // A key that is there twice.
            None => trail.path(),
        },
    )
}

/// Compares scalars; numbers by what they are, not by how they are written.
fn leaves_agree(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || number(a) == number(b),
        // YAML's doubtful scalars: the other parser decides on a type.
        (Value::Bare(a), Value::String(b)) => a == b,
        (Value::Bare(a), Value::Number(b)) => bare_number(a) == number(b),
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => false,
        _ => a == b,
    }
}

/// The number that a YAML 1.2 parser may see in a bare scalar.
fn bare_number(text: &str) -> Option<String> {
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['-', '+']);
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| i128::from_str_radix(digits.strip_prefix(prefix)?, radix).ok());
    match radix {
        Some(value) => Some(if negative { -value } else { value }.to_string()),
        None => number(text),
    }
}

fn number(text: &str) -> Option<String> {
    let digits = text.trim_start_matches('+');
    match digits.parse::<i128>() {
        Ok(integer) => Some(integer.to_string()),
        Err(_) => digits.parse::<f64>().ok().map(|float| format!("{float:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let planned = Value::map([
            ("a", Value::strings(["x", "y"])),
            ("n", Value::Number("1".into())),
        ]);
        assert_eq!(
            check("{\"n\": 1, \"a\": [\"x\", \"y\"]}", Format::Json, &planned),
            Ok(())
        );
        let table = [
            ("{\"n\": 1, \"a\": [\"x\", \"z\"]}", "at a[1]:"),
            ("{\"n\": 1, \"a\": [\"x\"]}", "at a[1]:"),
            ("{\"n\": 2, \"a\": [\"x\", \"y\"]}", "at n:"),
            ("{\"n\": 1, \"a\": [\"x\", \"y\"], \"b\": 1}", "at b:"),
            (
                "{\"n\": 1, \"a\": [\"x\", \"y\"], \"n\": 1}",
                "at the root:",
            ),
            ("{\"n\": \"1\", \"a\": [\"x\", \"y\"]}", "at n:"),
            ("{\"n\": 1", "not valid JSON"),
        ];
        for (text, want) in table {
            let error = check(text, Format::Json, &planned).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
