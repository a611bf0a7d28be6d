//! The value of a template, whatever its notation: what JSON can say, plus YAML's bare scalars.
//!
//! Intrinsics have one form, the long one: `!Ref X` and `{"Ref": "X"}` are the same value. Keys
//! keep their order, so that what is rendered from a value reads like its source.

mod json;

use std::collections::HashMap;
use std::fmt;

/// The intrinsic that stands for "this property is absent".
pub const NO_VALUE: &str = "AWS::NoValue";

/// A value of a template or task definition.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing at all after a colon.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A string.
    String(String),
    /// An unquoted YAML scalar whose type depends on the YAML version: `yes`, `012`, a date.
    Bare(String),
    /// A sequence.
    List(Vec<Self>),
    /// A mapping, in source order, without duplicate keys.
    Map(Vec<(String, Self)>),
}

impl Value {
    /// Returns a string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// Returns a list of strings.
    pub fn strings<I, S>(items: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self::List(items.into_iter().map(Self::string).collect())
    }

    /// Returns a map.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    /// Returns `{"Ref": name}`.
    pub fn reference(name: impl Into<String>) -> Self {
        Self::map([("Ref", Self::string(name))])
    }

    /// Returns the value of `key`, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Returns the value of `key` to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match self {
            Self::Map(entries) => entries
                .iter_mut()
                .find(|(name, _)| name == key)
                .map(|(_, v)| v),
            _ => None,
        }
    }

    /// Returns the text of a string, or of a scalar that CloudFormation reads as one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Bare(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text of any scalar but null.
    pub fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(text) | Self::String(text) | Self::Bare(text) => Some(text.clone()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the entries of a map.
    pub fn as_map(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns name and argument when this is an intrinsic function: a map with the one key `Ref`,
    /// `Condition` or `Fn::…`.
    pub fn intrinsic(&self) -> Option<(&str, &Self)> {
        match self {
            Self::Map(entries) => match entries.as_slice() {
                [(name, argument)] if is_function(name) => Some((name, argument)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns condition and both branches of a well-formed `Fn::If`.
    pub fn branches(&self) -> Option<(&Self, &Self, &Self)> {
        match self.intrinsic()? {
            ("Fn::If", Self::List(items)) => match items.as_slice() {
                [condition, yes, no] => Some((condition, yes, no)),
                _ => None,
            },
            _ => None,
        }
    }

    /// True for null and for `Ref: AWS::NoValue`, which CloudFormation reads as "not there".
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Null)
            || matches!(self.intrinsic(), Some(("Ref", name)) if name.as_str() == Some(NO_VALUE))
    }

    /// The kind of this value as an error message names it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind("null"),
            Self::Bool(_) => Kind("a boolean"),
            Self::Number(_) => Kind("a number"),
            Self::String(_) | Self::Bare(_) => Kind("a string"),
            Self::List(_) => Kind("a list"),
            Self::Map(_) if self.intrinsic().is_some() => Kind("an intrinsic function"),
            Self::Map(_) => Kind("a map"),
        }
    }
}

/// Finds the entries of a map by key. Two maps that are compared usually have the same order; only
/// where they do not is an index made.
#[derive(Debug)]
pub(crate) struct Entries<'m> {
    entries: &'m [(String, Value)],
    places: Option<HashMap<&'m str, usize>>,
}

impl<'m> Entries<'m> {
    pub(crate) fn new(entries: &'m [(String, Value)]) -> Self {
        Self {
            entries,
            places: None,
        }
    }

    /// Returns place and value of `key`, which is probably the entry at `guess`.
    pub(crate) fn find(&mut self, guess: usize, key: &str) -> Option<(usize, &'m Value)> {
        let entries = self.entries;
        if let Some((name, value)) = entries.get(guess)
            && name == key
        {
            return Some((guess, value));
        }
        let places = self.places.get_or_insert_with(|| {
            let keys = entries.iter().enumerate();
            keys.map(|(at, (name, _))| (name.as_str(), at)).collect()
        });
        places.get(key).map(|at| (*at, &entries[*at].1))
    }
}

/// Says whether a key names an intrinsic function.
pub fn is_function(key: &str) -> bool {
    key == "Ref" || key == "Condition" || key.starts_with("Fn::")
}

/// The kind of a value, with its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(&'static str);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_if_shows_its_branches() {
        let value = Value::map([(
            "Fn::If",
            Value::List(vec![Value::string("c"), Value::Null, Value::Bool(true)]),
        )]);
        assert_eq!(
            value.branches(),
            Some((&Value::string("c"), &Value::Null, &Value::Bool(true)))
        );
        assert_eq!(Value::strings(["a"]).branches(), None);
    }

    #[test]
    fn no_value_is_absent() {
        assert!(Value::reference(NO_VALUE).is_absent());
        assert!(!Value::reference("Other").is_absent());
    }
}
