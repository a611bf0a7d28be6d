//! Makes a text say another value by changing as few bytes as it can.
//!
//! The text is compared, node by node, with the value that it shall have; only where they differ
//! is it spliced. Whatever is not spliced keeps every byte: comments, order, quotes, line ends.
//! The result is not trusted: see [`crate::check`].

mod block;
mod flow;
mod layout;
mod render;
mod style;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use thiserror::Error;

use crate::path::{Path, Trail};
use crate::source::{Body, Document, Entry, Format, Layout, Node, is_merge};
use crate::value::{Entries, Value};
use style::Style;

/// A span of the source and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// Bytes of the source; empty for an insertion.
    pub span: Range<usize>,
    /// What takes their place.
    pub text: String,
}

/// The text cannot be made to say the value.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RewriteError {
    /// An entry comes from a merge key, so it cannot be taken away here alone.
    #[error(
        "cannot edit {path}: it is merged from an anchor (`<<`) that others use differently; write the entries out"
    )]
    Merged {
        /// The map with the merge key.
        path: Path,
    },
    /// Two changes touch the same bytes.
    #[error("cannot edit line {line} in two ways at once; put each entry on a line of its own")]
    Overlap {
        /// The line, from 1.
        line: usize,
    },
}

/// Returns the changes that make `document` say `target`, ordered by place.
pub fn splices(document: &Document<'_>, target: &Value) -> Result<Vec<Splice>, RewriteError> {
    let mut writer = Writer {
        text: document.text,
        line_ends: document
            .text
            .match_indices('\n')
            .map(|(at, _)| at)
            .collect(),
        style: Style::of(document),
        splices: Vec::new(),
        anchors: HashMap::new(),
    };
    writer.node(&document.root, target, &Place::Root, &Trail::Start)?;
    let mut splices = writer.splices;
    splices.sort_by_key(|splice| splice.span.start);
    for pair in splices.windows(2) {
        if let [first, second] = pair
            && first.span.end > second.span.start
        {
            let before = document.text.get(..second.span.start).unwrap_or_default();
            return Err(RewriteError::Overlap {
                line: before.matches('\n').count() + 1,
            });
        }
    }
    Ok(splices)
}

/// Renders a string as both notations allow it where it stands alone.
pub fn scalar(text: &str, format: Format) -> String {
    render::string(text, format)
}

/// Applies ordered changes to the text that they were made for.
pub fn apply(text: &str, splices: &[Splice]) -> String {
    let grown: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut out = String::with_capacity(text.len() + grown);
    let mut at = 0;
    for splice in splices {
        out.push_str(text.get(at..splice.span.start).unwrap_or_default());
        out.push_str(&splice.text);
        at = splice.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Where a node stands, as far as its replacement must know.
#[derive(Debug, Clone)]
enum Place {
    /// After the colon of a block mapping's entry, whose keys start at `indent`.
    Entry { after: usize, indent: usize },
    /// Inside brackets.
    Flow,
    /// After a dash, at column `indent`.
    Item { after: usize, indent: usize },
    /// The whole template.
    Root,
}

/// A list that is edited.
struct Sequence<'n> {
    node: &'n Node,
    items: &'n [Node],
    layout: Layout,
    places: Vec<Place>,
}

impl Place {
    /// The same place, after a tag.
    fn after(&self, after: usize) -> Self {
        match *self {
            Self::Entry { indent, .. } => Self::Entry { after, indent },
            // Behind a tag a collection starts on a line of its own, as it does behind a colon.
            Self::Item { indent, .. } => Self::Entry {
                after,
                indent: indent + 2,
            },
            Self::Flow | Self::Root => Self::Flow,
        }
    }
}

/// Says whether a node would be written with a tag of its own.
fn gains_tag(node: &Node, target: &Value) -> bool {
    target
        .intrinsic()
        .is_some_and(|(name, _)| match &node.body {
            Body::Map(entries, _) => entries.iter().all(|entry| entry.key != name),
            _ => true,
        })
}

struct Writer<'s> {
    text: &'s str,
    /// Where each line of the text ends.
    line_ends: Vec<usize>,
    style: Style,
    splices: Vec<Splice>,
    /// What each anchored node says after the edit.
    anchors: HashMap<usize, Value>,
}

impl Writer<'_> {
    fn node(
        &mut self,
        node: &Node,
        target: &Value,
        place: &Place,
        trail: &Trail<'_>,
    ) -> Result<(), RewriteError> {
        match (&node.body, target) {
            (Body::Alias(anchor, _), _) => {
                if self.anchors.get(anchor) != Some(target) {
                    self.replace(node, target, place);
                }
            }
            (Body::Scalar(value), _) if value == target => {}
            (Body::Tagged(key, inner), Value::Map(entries)) => match entries.as_slice() {
                // A tag cannot stand in front of another tag.
                [(name, argument)] if name == key && !gains_tag(inner, argument) => {
                    let place = place.after(self.props_end(node));
                    self.node(inner, argument, &place, &Trail::Key(trail, key))?;
                }
                _ => self.replace(node, target, place),
            },
            (Body::List(items, layout), Value::List(targets)) => {
                if targets.is_empty() && !items.is_empty()
                    || items.is_empty() && !targets.is_empty()
                {
                    self.replace(node, target, place);
                } else {
                    self.list(node, (items, *layout), targets, trail)?;
                }
            }
            (Body::Map(entries, layout), Value::Map(targets)) => {
                let mut wanted = Entries::new(targets);
                let mut found = entries.iter().enumerate();
                let kept = found.any(|(at, e)| is_merge(e) || wanted.find(at, &e.key).is_some());
                if kept || entries.is_empty() && targets.is_empty() {
                    self.map(node, (entries, *layout), targets, trail)?;
                } else {
                    self.replace(node, target, place);
                }
            }
            _ => self.replace(node, target, place),
        }
        if let Some(anchor) = node.anchor {
            self.anchors.insert(anchor, target.clone());
        }
        Ok(())
    }

    /// Pairs the items that stay, then removes or inserts the rest as one run.
    fn list(
        &mut self,
        node: &Node,
        (items, layout): (&[Node], Layout),
        targets: &[Value],
        trail: &Trail<'_>,
    ) -> Result<(), RewriteError> {
        let (old, new) = (items.len(), targets.len());
        let shorter = old.min(new);
        let (head, tail) = if old == new {
            (old, 0)
        } else {
            let same = |a: &Node, b: &Value| a.value() == *b;
            let head = (0..shorter)
                .take_while(|&i| same(&items[i], &targets[i]))
                .count();
            let tail = (0..shorter - head)
                .take_while(|&i| same(&items[old - 1 - i], &targets[new - 1 - i]))
                .count();
            (shorter - tail, tail)
        };
        let places = self.item_places(node, items, layout);
        for at in (0..head).chain(old - tail..old) {
            let to = if at < head { at } else { at + new - old };
            let trail = Trail::Index(trail, to);
            self.node(&items[at], &targets[to], &places[at], &trail)?;
        }
        let list = Sequence {
            node,
            items,
            layout,
            places,
        };
        if old > head + tail {
            self.remove_items(&list, head..old - tail);
        } else if new > head + tail {
            self.insert_items(&list, head, &targets[head..new - tail]);
        }
        Ok(())
    }

    fn map(
        &mut self,
        node: &Node,
        (entries, layout): (&[Entry], Layout),
        targets: &[(String, Value)],
        trail: &Trail<'_>,
    ) -> Result<(), RewriteError> {
        let mut wanted = Entries::new(targets);
        let mut there = vec![false; targets.len()];
        let mut gone = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            if is_merge(entry) {
                continue;
            }
            match wanted.find(at, &entry.key) {
                Some((to, target)) => {
                    there[to] = true;
                    let place = match layout {
                        Layout::Block(indent) => Place::Entry {
                            after: entry.after_colon,
                            indent,
                        },
                        Layout::Flow => Place::Flow,
                    };
                    let trail = Trail::Key(trail, &entry.key);
                    self.node(&entry.value, target, &place, &trail)?;
                }
                None => gone.push(at),
            }
        }
        for (key, value) in self.merged_values(entries) {
            let Some((to, target)) = wanted.find(0, &key) else {
                let path = trail.path();
                return Err(RewriteError::Merged { path });
            };
            there[to] |= *target == value;
        }
        let added: Vec<_> = targets
            .iter()
            .zip(there)
            .filter_map(|(target, there)| (!there).then_some(target))
            .collect();
        self.remove_entries(entries, layout, &gone);
        if !added.is_empty() {
            // After the last one even if it goes: a removal ends where this starts.
            self.insert_entries(node, entries.last(), layout, &added);
        }
        Ok(())
    }

    /// What merge keys give to a map after the edit.
    fn merged_values(&self, entries: &[Entry]) -> Vec<(String, Value)> {
        let mut all: Vec<(String, Value)> = Vec::new();
        let mut seen = HashSet::new();
        for entry in entries.iter().filter(|entry| is_merge(entry)) {
            let sources = match &entry.value.body {
                Body::List(items, _) => items.iter().collect(),
                _ => vec![&entry.value],
            };
            for source in sources {
                let value = match &source.body {
                    Body::Alias(anchor, value) => self.anchors.get(anchor).unwrap_or(value).clone(),
                    _ => source.value(),
                };
                let Value::Map(entries) = value else { continue };
                let fresh = entries.into_iter();
                all.extend(fresh.filter(|(key, _)| seen.insert(key.clone())));
            }
        }
        all
    }

    fn splice(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.splices.push(Splice {
            span,
            text: text.into(),
        });
    }
}
