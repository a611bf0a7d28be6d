//! Replacements, and insertions into and removals from indented collections.

use std::ops::Range;

use super::flow::runs;
use super::{Place, Sequence, Writer};
use crate::source::{Body, Entry, Layout, Node};
use crate::value::Value;

impl Writer<'_> {
    /// Writes a value in the place of a node. An anchor of the node stays.
    pub(super) fn replace(&mut self, node: &Node, target: &Value, place: &Place) {
        let props = self
            .text
            .get(node.start..node.span.start)
            .unwrap_or_default();
        let anchor = props.split_whitespace().find(|word| word.starts_with('&'));
        let anchor = anchor.map(|name| format!("{name} ")).unwrap_or_default();
        let whole = node.start..node.span.end;
        match *place {
            Place::Flow => {
                let text = self.style.flow(target, self.indentation(node.start));
                // An empty value starts at the colon, or at the end of a key without one.
                let before = node.start.checked_sub(1).map(|at| self.text.as_bytes()[at]);
                let gap = match before {
                    Some(b':') if whole.is_empty() => " ",
                    Some(_) if whole.is_empty() => ": ",
                    _ => "",
                };
                self.splice(whole, format!("{gap}{anchor}{text}"));
            }
            Place::Root => {
                let text = self.style.document(target);
                self.splice(whole, format!("{anchor}{text}"));
            }
            Place::Entry { after, indent } | Place::Item { after, indent } => {
                let inline = self.style.inline(target);
                match inline {
                    Some(text) if !self.is_block(node) && !node.span.is_empty() => {
                        self.splice(whole, format!("{anchor}{text}"));
                    }
                    _ => {
                        let item = matches!(place, Place::Item { .. });
                        let body = self.style.below(target, indent, item);
                        let anchor = anchor.trim_end();
                        let gap = if anchor.is_empty() { "" } else { " " };
                        let end = node.span.end.max(after);
                        self.splice(after..end, format!("{gap}{anchor}{body}"));
                    }
                }
            }
        }
    }

    /// Inserts items before the item at `at`, or at the end.
    pub(super) fn insert_items(&mut self, list: &Sequence<'_>, at: usize, targets: &[Value]) {
        let Sequence {
            node,
            items,
            layout,
            places,
        } = list;
        let previous = at.checked_sub(1);
        let Layout::Block(indent) = *layout else {
            let base = self
                .indentation(items.first().map_or(0, |item| item.start))
                .to_owned();
            let style = self.style.inside(self.is_spread(node.span.start));
            let elements: Vec<_> = targets.iter().map(|v| style.flow(v, &base)).collect();
            let end = previous
                .and_then(|at| items.get(at))
                .map(|item| item.span.end);
            let next = items.get(at).map(|item| item.start);
            self.insert_flow(node.span.start, end, next, &elements);
            return;
        };
        let lines = self.style.block_list(targets, indent);
        let line = format!("{}{}", self.style.newline, " ".repeat(indent));
        if let Some(previous) = previous {
            let end = self.end_of_node(&items[previous], &places[previous]);
            self.strip_at_end(&items[previous], end);
            self.splice(end..end, format!("{line}{lines}"));
        } else {
            let dash = dash_of(&places[0]);
            self.splice(dash..dash, format!("{lines}{line}"));
        }
    }

    /// Inserts entries after `last`, or as the only ones of a map.
    pub(super) fn insert_entries(
        &mut self,
        node: &Node,
        last: Option<&Entry>,
        layout: Layout,
        added: &[&(String, Value)],
    ) {
        match (layout, last) {
            (Layout::Block(indent), Some(last)) => {
                let place = Place::Entry {
                    after: last.after_colon,
                    indent,
                };
                let end = self.end_of_node(&last.value, &place);
                let mut text = String::new();
                for (key, value) in added {
                    text.push_str(self.style.newline);
                    text.push_str(&" ".repeat(indent));
                    text.push_str(&self.style.entry(key, value, indent));
                }
                self.strip_at_end(&last.value, end);
                self.splice(end..end, text);
            }
            (Layout::Flow, Some(last)) => {
                let first = self.skip_space_and_comments(node.span.start + 1);
                let base = self.indentation(first).to_owned();
                let elements: Vec<_> = added
                    .iter()
                    .map(|(key, v)| self.style.flow_entry(key, v, &base))
                    .collect();
                let end = last.value.span.end.max(last.key_span.end);
                self.insert_flow(node.span.start, Some(end), None, &elements);
            }
            (_, None) => {
                let map = Value::map(
                    added
                        .iter()
                        .map(|(key, value)| (key.clone(), value.clone())),
                );
                let base = self.indentation(node.span.start).to_owned();
                let text = self.style.flow(&map, &base);
                self.splice(node.span.clone(), text);
            }
        }
    }

    /// Removes a run of items; what stays is not empty.
    pub(super) fn remove_items(&mut self, list: &Sequence<'_>, run: Range<usize>) {
        let Sequence { items, places, .. } = list;
        if matches!(places.first(), Some(Place::Flow)) {
            return self.remove_flow_items(items, run);
        }
        let span = match (places.get(run.end), run.start.checked_sub(1)) {
            (Some(next), _) => dash_of(&places[run.start])..dash_of(next),
            (None, Some(previous)) => {
                let end = run.end - 1;
                self.end_of_node(&items[previous], &places[previous])
                    ..self.end_of_node(&items[end], &places[end])
            }
            (None, None) => return,
        };
        self.splice(span, "");
    }

    /// Removes single entries; what stays is not empty.
    pub(super) fn remove_entries(&mut self, entries: &[Entry], layout: Layout, gone: &[usize]) {
        let Layout::Block(indent) = layout else {
            return self.remove_flow_entries(entries, gone);
        };
        let end = |writer: &Self, entry: &Entry| {
            let place = Place::Entry {
                after: entry.after_colon,
                indent,
            };
            writer.end_of_node(&entry.value, &place)
        };
        for run in runs(gone) {
            let span = match (entries.get(run.end), run.start.checked_sub(1)) {
                (Some(next), _) => entries[run.start].key_span.start..next.key_span.start,
                (None, Some(previous)) => {
                    end(self, &entries[previous])..end(self, &entries[run.end - 1])
                }
                (None, None) => return,
            };
            self.splice(span, "");
        }
    }

    /// A literal that ends with the file, without a line end, would gain one by what is inserted
    /// after it: its header is told to strip it.
    fn strip_at_end(&mut self, node: &Node, end: usize) {
        let leaf = last_leaf(node);
        if !self.is_block_scalar(leaf) || self.text.get(end..).is_none_or(|t| t.contains('\n')) {
            return;
        }
        let header = leaf.span.start + 1..self.line_end(leaf.span.start);
        let header_text = self.text.get(header.clone()).unwrap_or_default();
        let indicators = header_text.split([' ', '#']).next().unwrap_or_default();
        if let Some(at) = indicators.find('+') {
            self.splice(header.start + at..header.start + at + 1, "-");
        } else if !indicators.contains('-') {
            self.splice(header.start..header.start, "-");
        }
    }

    /// The end of the line on which a node ends, a comment there included.
    fn end_of_node(&self, node: &Node, place: &Place) -> usize {
        let after = match place {
            Place::Entry { after, .. } | Place::Item { after, .. } => *after,
            Place::Flow | Place::Root => 0,
        };
        let end = node.span.end.max(after);
        self.line_end(end)
    }
}

/// The last scalar of a node.
fn last_leaf(node: &Node) -> &Node {
    match &node.body {
        Body::List(items, Layout::Block(_)) => items.last().map_or(node, last_leaf),
        Body::Map(entries, Layout::Block(_)) => {
            entries.last().map_or(node, |entry| last_leaf(&entry.value))
        }
        Body::Tagged(_, inner) => last_leaf(inner),
        _ => node,
    }
}

fn dash_of(place: &Place) -> usize {
    match place {
        Place::Item { after, .. } | Place::Entry { after, .. } => after.saturating_sub(1),
        Place::Flow | Place::Root => 0,
    }
}
