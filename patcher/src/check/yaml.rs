//! YAML as `yaml_serde`, a libyaml, reads it: no code in common with our reader.

use std::collections::HashSet;
use std::fmt;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess as _,
    Visitor,
};

use crate::value::Value;

/// Reads a whole text.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    match yaml_serde::from_str(text) {
        Ok(Read(value)) => Ok(value),
        Err(error) => Err(error.to_string()),
    }
}

/// A value as the parser tells of it, event by event: a tree of its own would take as long to make
/// and to take down as the reading itself.
struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor).map(Self)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(if value.is_finite() {
            format!("{value:?}")
        } else {
            // As YAML writes it, so that nothing takes it for a number that JSON has.
            format!(".{value}")
        }))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::string(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Read(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        while let Some((Read(key), Read(value))) = map.next_entry()? {
            match key_text(key).map_err(A::Error::custom)? {
                key if key == "<<" => merged.push(value),
                key => entries.push((key, value)),
            }
        }
        for source in merged {
            merge(&mut entries, source).map_err(A::Error::custom)?;
        }
        Ok(Value::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        let Read(argument) = content.newtype_variant()?;
        let key = match tag.trim_start_matches('!') {
            name @ ("Ref" | "Condition") => name.to_owned(),
            name => format!("Fn::{name}"),
        };
        Ok(Value::map([(key, argument)]))
    }
}

/// Keys that look like numbers or booleans are strings in a template.
fn key_text(key: Value) -> Result<String, &'static str> {
    match key {
        Value::String(text) | Value::Number(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        _ => Err("a key that is no string"),
    }
}

/// Adds what a merge key brings: entries that are there win, then earlier maps.
fn merge(entries: &mut Vec<(String, Value)>, source: Value) -> Result<(), &'static str> {
    let sources = match source {
        Value::List(items) => items,
        one => vec![one],
    };
    let mut seen: HashSet<_> = entries.iter().map(|(key, _)| key.clone()).collect();
    for source in sources {
        let Value::Map(more) = source else {
            return Err("a merge key without a map");
        };
        entries.extend(more.into_iter().filter(|(key, _)| seen.insert(key.clone())));
    }
    Ok(())
}
