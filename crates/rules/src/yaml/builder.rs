//! Puts a tree together out of what the parser comes upon.

use saphyr_parser::{Event, ScalarStyle};

use super::{Held, Kept, Tree, YamlError};
use crate::source::Place;

/// Deeper than any rule file; keeps a hostile one from exhausting the stack.
const MAX_DEPTH: usize = 64;

/// A collection that has not ended.
struct Open {
    anchor: usize,
    start: usize,
    is_mapping: bool,
    /// Where its nodes begin among those that wait.
    from: usize,
}

pub(super) struct Builder {
    pub(super) tree: Tree,
    budget: usize,
    open: Vec<Open>,
    /// Nodes of the collections that have not ended, the innermost last.
    waiting: Vec<usize>,
    anchors: Vec<Option<usize>>,
}

impl Builder {
    /// For a file of that many bytes.
    pub(super) fn new(file: usize, length: usize) -> Self {
        Self {
            tree: Tree {
                file,
                nodes: Vec::with_capacity(length / BYTES_PER_NODE),
                parts: Vec::with_capacity(length / BYTES_PER_NODE),
                texts: String::with_capacity(length),
                roots: Vec::new(),
            },
            // An alias may repeat what it stands for, but not blow the file up.
            budget: length + 10_000,
            open: Vec::new(),
            waiting: Vec::new(),
            anchors: Vec::new(),
        }
    }

    pub(super) fn take(
        &mut self,
        event: Event<'_>,
        (start, end): (usize, usize),
    ) -> Result<(), YamlError> {
        let file = self.tree.file;
        let fault = |message: &str| YamlError {
            message: message.to_owned(),
            place: Place { file, start, end },
        };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let held = if is_null {
                    Held::Null
                } else {
                    let from = self.tree.texts.len();
                    self.tree.texts.push_str(&text);
                    Held::Scalar(from, self.tree.texts.len())
                };
                let node = Kept {
                    held,
                    start,
                    end,
                    weight: 1,
                };
                self.finish(node, anchor);
                Ok(())
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if self.open.len() >= MAX_DEPTH {
                    return Err(fault("collections nest too deeply"));
                }
                self.open.push(Open {
                    anchor,
                    start,
                    is_mapping: matches!(event, Event::MappingStart(..)),
                    from: self.waiting.len(),
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let node = self.close(&open, end);
                    self.finish(node, open.anchor);
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some(id) = self.anchors.get(anchor).copied().flatten() else {
                    return Err(fault("an alias to something that has not ended"));
                };
                let Some(left) = self.budget.checked_sub(self.tree.nodes[id].weight) else {
                    return Err(fault("aliases make the file too large"));
                };
                self.budget = left;
                self.place_node(id);
                Ok(())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn finish(&mut self, node: Kept, anchor: usize) {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(node);
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some(id);
        }
        self.place_node(id);
    }

    fn place_node(&mut self, id: usize) {
        if self.open.is_empty() {
            self.tree.roots.push(id);
        } else {
            self.waiting.push(id);
        }
    }

    fn close(&mut self, open: &Open, end: usize) -> Kept {
        let from = self.tree.parts.len();
        let weight = self.waiting[open.from..]
            .iter()
            .map(|id| self.tree.nodes[*id].weight)
            .sum::<usize>()
            + 1;
        self.tree.parts.extend(self.waiting.drain(open.from..));
        let to = self.tree.parts.len();
        Kept {
            held: if open.is_mapping {
                Held::Mapping(from, to)
            } else {
                Held::Sequence(from, to)
            },
            start: open.start,
            end,
            weight,
        }
    }
}

/// Rule files have fewer nodes than one in so many bytes; others have to grow.
const BYTES_PER_NODE: usize = 24;
