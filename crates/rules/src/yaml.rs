//! YAML as nodes that know where they stand.
//!
//! Scalars keep their text: `443` and `true` are what was written, as Falco's loader takes them.

use std::borrow::Cow;

use saphyr_parser::Parser;

use crate::source::Place;

mod builder;
mod offsets;

use builder::Builder;
use offsets::Offsets;

/// The documents of a file. All nodes are in one place: a file has thousands.
#[derive(Debug)]
pub(crate) struct Tree {
    file: usize,
    nodes: Vec<Kept>,
    /// The nodes in collections, those of one next to each other.
    parts: Vec<usize>,
    /// The texts of all scalars.
    texts: String,
    roots: Vec<usize>,
}

/// A node as it is kept, with its place in bytes.
#[derive(Debug)]
struct Kept {
    held: Held,
    start: usize,
    end: usize,
    /// How many nodes this one stands for, aliases counted again.
    weight: usize,
}

/// What a node holds: where its parts or its text begin and end.
#[derive(Clone, Copy, Debug)]
enum Held {
    Mapping(usize, usize),
    Null,
    Scalar(usize, usize),
    Sequence(usize, usize),
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'t> {
    tree: &'t Tree,
    id: usize,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind<'t> {
    Mapping(Nodes<'t>),
    /// Nothing, `~` or `null`, without quotes.
    Null,
    Scalar(&'t str),
    Sequence(Nodes<'t>),
}

/// Several nodes; of a mapping keys and values in turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nodes<'t> {
    tree: &'t Tree,
    ids: &'t [usize],
}

/// Why a file is not YAML that can be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) place: Place,
}

impl Tree {
    pub(crate) fn documents(&self) -> Nodes<'_> {
        Nodes {
            tree: self,
            ids: &self.roots,
        }
    }
}

impl<'t> Nodes<'t> {
    pub(crate) const fn len(self) -> usize {
        self.ids.len()
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.ids.is_empty()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Node<'t>> {
        let Self { tree, ids } = self;
        ids.iter().map(move |&id| Node { tree, id })
    }

    /// The entries of a mapping.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let Self { tree, ids } = self;
        let (pairs, _) = ids.as_chunks();
        pairs
            .iter()
            .map(move |&[key, value]| (Node { tree, id: key }, Node { tree, id: value }))
    }
}

impl<'t> Node<'t> {
    fn kept(self) -> &'t Kept {
        &self.tree.nodes[self.id]
    }

    pub(crate) fn kind(self) -> Kind<'t> {
        let tree = self.tree;
        let nodes = |from, to| Nodes {
            tree,
            ids: tree.parts.get(from..to).unwrap_or_default(),
        };
        match self.kept().held {
            Held::Mapping(from, to) => Kind::Mapping(nodes(from, to)),
            Held::Null => Kind::Null,
            Held::Scalar(from, to) => Kind::Scalar(tree.texts.get(from..to).unwrap_or_default()),
            Held::Sequence(from, to) => Kind::Sequence(nodes(from, to)),
        }
    }

    pub(crate) fn place(self) -> Place {
        let Kept { start, end, .. } = *self.kept();
        Place {
            file: self.tree.file,
            start,
            end,
        }
    }

    pub(crate) fn scalar(self) -> Option<&'t str> {
        match self.kind() {
            Kind::Scalar(text) => Some(text),
            Kind::Mapping(_) | Kind::Null | Kind::Sequence(_) => None,
        }
    }

    pub(crate) fn sequence(self) -> Option<Nodes<'t>> {
        match self.kind() {
            Kind::Sequence(items) => Some(items),
            Kind::Mapping(_) | Kind::Null | Kind::Scalar(_) => None,
        }
    }

    pub(crate) fn mapping(self) -> Option<Nodes<'t>> {
        match self.kind() {
            Kind::Mapping(entries) => Some(entries),
            Kind::Null | Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.kind(), Kind::Null)
    }

    /// The value of a key of a mapping.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        self.mapping()?
            .pairs()
            .find(|(name, _)| name.scalar() == Some(key))
            .map(|(_, value)| value)
    }
}

/// Reads the documents of a file. What was read before a fault is kept.
///
/// Flow collections may close at the indentation of their key, which YAML forbids and which the
/// loader that rule files are written for takes: such lines are read as if they stood further
/// right.
pub(crate) fn read(text: &str, file: usize) -> (Tree, Option<YamlError>) {
    let strict = read_padded(text, file, &[]);
    let Some(Fault::Indentation(at)) = strict.1 else {
        return (strict.0, strict.1.map(|fault| fault.into_error(file)));
    };
    let mut lines = closing_lines(text);
    if !lines.contains(&at) {
        lines.push(at);
    }
    // Few other lines can be wrong in this way; a file of nothing else is not worth the time.
    for _ in 0..MAX_REPAIRS {
        lines.sort_unstable();
        match read_padded(text, file, &lines) {
            (_, Some(Fault::Indentation(at))) if !lines.contains(&at) => lines.push(at),
            (documents, fault) => return (documents, fault.map(|fault| fault.into_error(file))),
        }
    }
    (strict.0, strict.1.map(|fault| fault.into_error(file)))
}

/// How many lines are moved one by one.
const MAX_REPAIRS: usize = 10;

/// How far lines are moved.
const PAD: usize = 64;

/// Why reading ended.
enum Fault {
    /// A line stands too far left; the byte at which its text begins.
    Indentation(usize),
    Other(YamlError),
}

impl Fault {
    fn into_error(self, file: usize) -> YamlError {
        match self {
            Self::Indentation(at) => YamlError {
                message: "not valid YAML: invalid indentation".to_owned(),
                place: Place {
                    file,
                    start: at,
                    end: at + 1,
                },
            },
            Self::Other(error) => error,
        }
    }
}

/// The bytes at which lines begin that only go on with closing a flow collection.
fn closing_lines(text: &str) -> Vec<usize> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        if line.trim_start_matches(' ').starts_with([']', '}']) {
            found.push(at + blanks);
        }
        at += line.len();
    }
    found
}

fn read_padded(text: &str, file: usize, pads: &[usize]) -> (Tree, Option<Fault>) {
    let padded = pad(text, pads);
    let offsets = Offsets::new(&padded, pads);
    let mut builder = Builder::new(file, text.len());
    for event in Parser::new_from_str(&padded) {
        let taken = match event {
            Ok((event, span)) => {
                let start = offsets.byte(span.start.index());
                let end = offsets.byte(span.end.index());
                builder.take(event, (start, end)).map_err(Fault::Other)
            }
            Err(error) => {
                let at = offsets.byte(error.marker().index());
                Err(if error.info().starts_with("invalid indentation") {
                    Fault::Indentation(at)
                } else {
                    Fault::Other(YamlError {
                        message: format!("not valid YAML: {}", error.info()),
                        place: Place {
                            file,
                            start: at,
                            end: at + 1,
                        },
                    })
                })
            }
        };
        if let Err(fault) = taken {
            return (builder.tree, Some(fault));
        }
    }
    (builder.tree, None)
}

/// The text with these lines moved right.
fn pad<'a>(text: &'a str, pads: &[usize]) -> Cow<'a, str> {
    if pads.is_empty() {
        return text.into();
    }
    let mut padded = String::with_capacity(text.len() + pads.len() * PAD);
    let mut from = 0;
    for &at in pads {
        padded.push_str(text.get(from..at).unwrap_or_default());
        padded.extend(std::iter::repeat_n(' ', PAD));
        from = at;
    }
    padded.push_str(text.get(from..).unwrap_or_default());
    padded.into()
}
