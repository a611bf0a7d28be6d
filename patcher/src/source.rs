//! A template as text: what it says, and where each node of it stands.
//!
//! The readers here are ours because an edit needs the span of every node, and an error its line
//! and column. What they read is confirmed by other parsers after every edit, see
//! [`crate::check`].

mod json;
mod yaml;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use thiserror::Error;

use crate::path::{Path, Step};
use crate::value::Value;

/// Nesting beyond this is refused: CloudFormation itself stops far earlier.
const MAX_DEPTH: usize = 128;

/// The notation of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 8259.
    Json,
    /// YAML 1.2 as CloudFormation reads it, short intrinsics included.
    Yaml,
}

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// By indentation; the column of its keys or dashes.
    Block(usize),
    /// In brackets: all of JSON, and YAML's `[…]` and `{…}`.
    Flow,
}

/// One node of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the content, without tag, anchor, or anything around it.
    pub span: Range<usize>,
    /// Where tag and anchor start; the start of the content when there are none.
    pub start: usize,
    /// The anchor that names this node, by number in order of appearance.
    pub anchor: Option<usize>,
    /// What the node is.
    pub body: Body,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A reference to an anchored node, with the value that this node has.
    Alias(usize, Value),
    /// A sequence.
    List(Vec<Node>, Layout),
    /// A mapping.
    Map(Vec<Entry>, Layout),
    /// A scalar.
    Scalar(Value),
    /// A short intrinsic: the key of its long form, and its argument.
    Tagged(String, Box<Node>),
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The bytes of the key.
    pub key_span: Range<usize>,
    /// The byte after the colon.
    pub after_colon: usize,
    /// The value. Of the key `<<` it is what is merged in.
    pub value: Node,
}

/// A template as text, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document<'s> {
    /// The text itself.
    pub text: &'s str,
    /// Its notation.
    pub format: Format,
    /// Its root.
    pub root: Node,
}

impl<'s> Document<'s> {
    /// Reads `text` as JSON when it starts like JSON, as YAML otherwise.
    pub fn read(text: &'s str) -> Result<Self, ReadError> {
        let format = sniff(text);
        let root = match format {
            Format::Json => json::read(text)?,
            Format::Yaml => yaml::read(text)?,
        };
        Ok(Self { text, format, root })
    }

    /// Returns the node at a path, unless an alias or a merge key leads to it.
    pub fn node(&self, path: &Path) -> Option<&Node> {
        path.steps()
            .iter()
            .try_fold(&self.root, |node, step| match (step, &node.body) {
                (Step::Key(key), Body::Map(entries, _)) => entries
                    .iter()
                    .find(|entry| entry.key == *key)
                    .map(|entry| &entry.value),
                (Step::Key(key), Body::Tagged(tag, inner)) if key == tag => Some(&**inner),
                (Step::Index(index), Body::List(items, _)) => items.get(*index),
                _ => None,
            })
    }

    /// Returns what the text says.
    pub fn value(&self) -> Value {
        self.root.value()
    }
}

/// YAML allows `{…}` and `[…]` too; such a text is taken for JSON only when it can be nothing else.
fn sniff(text: &str) -> Format {
    let mut visible = text
        .trim_start_matches('\u{feff}')
        .chars()
        .filter(|c| !c.is_whitespace());
    match (visible.next(), visible.next()) {
        (Some('{'), Some('"' | '}')) | (Some('['), Some('{' | '"' | ']' | '[')) => Format::Json,
        _ => Format::Yaml,
    }
}

impl Node {
    /// Returns what the node says, aliases and merge keys resolved.
    pub fn value(&self) -> Value {
        match &self.body {
            Body::Alias(_, value) | Body::Scalar(value) => value.clone(),
            Body::List(items, _) => Value::List(items.iter().map(Self::value).collect()),
            Body::Map(entries, _) => Value::Map(map_value(entries)),
            Body::Tagged(key, inner) => Value::map([(key.clone(), inner.value())]),
        }
    }
}

/// Recognises a key that a map has already. A few keys are compared; many are put into a set.
#[derive(Default)]
struct Duplicates(HashSet<String>);

impl Duplicates {
    const FEW: usize = 12;

    /// Says whether `entries` have `key`. To be asked of each key in turn.
    fn contain(&mut self, entries: &[Entry], key: &str) -> bool {
        if entries.len() < Self::FEW {
            return entries.iter().any(|entry| entry.key == key);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|entry| entry.key.clone()));
        }
        !self.0.insert(key.to_owned())
    }
}

/// The key whose value is merged into its map.
pub const MERGE: &str = "<<";

fn map_value(entries: &[Entry]) -> Vec<(String, Value)> {
    let own = |entry: &&Entry| !is_merge(entry);
    let mut all: Vec<_> = entries
        .iter()
        .filter(own)
        .map(|e| (e.key.clone(), e.value.value()))
        .collect();
    if all.len() < entries.len() {
        let mut seen: HashSet<_> = all.iter().map(|(key, _)| key.clone()).collect();
        let merges = entries.iter().filter(|entry| is_merge(entry));
        let more = merges.flat_map(merged).flatten();
        all.extend(more.filter(|(key, _)| seen.insert(key.clone())));
    }
    all
}

/// Says whether an entry merges other maps in: the key `<<` with an alias, a map, or a list of
/// these. In JSON it is a key like any other.
pub fn is_merge(entry: &Entry) -> bool {
    let mapping = |node: &Node| matches!(node.body, Body::Alias(_, Value::Map(_)) | Body::Map(..));
    entry.key == MERGE
        && entry.key_span.len() == MERGE.len()
        && match &entry.value.body {
            Body::List(items, _) => !items.is_empty() && items.iter().all(mapping),
            _ => mapping(&entry.value),
        }
}

fn merged(entry: &Entry) -> Vec<Vec<(String, Value)>> {
    match entry.value.value() {
        Value::Map(entries) => vec![entries],
        Value::List(maps) => maps
            .into_iter()
            .filter_map(|map| match map {
                Value::Map(entries) => Some(entries),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A text that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("invalid {format} at line {line}, column {column}: {message}")]
pub struct ReadError {
    /// The notation it was read as.
    pub format: Format,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl ReadError {
    fn new(format: Format, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            format,
            line: before.matches('\n').count() + 1,
            column: before
                .get(line_start..)
                .map_or(0, |line| line.chars().count())
                + 1,
            message: message.into(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}
