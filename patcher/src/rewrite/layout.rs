//! Where things stand in a text: line ends, indentation, dashes.

use super::{Place, Writer};
use crate::source::{Body, Layout, Node};

impl Writer<'_> {
    /// The place of each item of a list.
    pub(super) fn item_places(&self, node: &Node, items: &[Node], layout: Layout) -> Vec<Place> {
        let Layout::Block(indent) = layout else {
            return vec![Place::Flow; items.len()];
        };
        let mut from = node.span.start;
        let place = |item: &Node| {
            let after = self.skip_space_and_comments(from) + 1;
            from = item.span.end.max(after);
            Place::Item { after, indent }
        };
        items.iter().map(place).collect()
    }

    /// The first byte at or after `at` that is neither space, line end nor comment.
    pub(super) fn skip_space_and_comments(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = at;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'#' => at = self.line_end(at),
                _ => break,
            }
        }
        at
    }

    /// The end of the tag and anchor of a node.
    pub(super) fn props_end(&self, node: &Node) -> usize {
        let bytes = self.text.as_bytes();
        let (mut at, mut end) = (node.start, node.start);
        while matches!(bytes.get(at), Some(b'!' | b'&')) && at < node.span.start {
            let word = self
                .text
                .get(at..)
                .and_then(|rest| rest.split_whitespace().next());
            end = at + word.map_or(0, str::len);
            at = self.skip_space_and_comments(end);
        }
        end
    }

    /// The end of the line that `at` is in, before its line end.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let next = self.line_ends.partition_point(|&end| end < at);
        let end = self.line_ends.get(next).copied();
        let line = self.text.get(at..end.unwrap_or(self.text.len()));
        at + line.unwrap_or_default().trim_end_matches('\r').len()
    }

    /// The start of the line that `at` is in.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let before = self.line_ends.partition_point(|&end| end < at);
        let last = before.checked_sub(1).and_then(|at| self.line_ends.get(at));
        last.map_or(0, |end| end + 1)
    }

    /// The white space that starts the line that `at` is in.
    pub(super) fn indentation(&self, at: usize) -> &str {
        let line = self.text.get(self.line_start(at)..at).unwrap_or_default();
        let end = line.find(|c| c != ' ' && c != '\t').unwrap_or(line.len());
        line.get(..end).unwrap_or_default()
    }

    /// Says whether the first element in brackets stands on a line of its own.
    pub(super) fn is_spread(&self, open: usize) -> bool {
        let first = self.skip_space_and_comments(open + 1);
        self.text
            .get(open + 1..first)
            .is_some_and(|gap| gap.contains('\n'))
    }

    /// Says whether a node, or the argument of its tag, is written by indentation.
    pub(super) fn is_block(&self, node: &Node) -> bool {
        match &node.body {
            Body::List(_, layout) | Body::Map(_, layout) => matches!(layout, Layout::Block(_)),
            Body::Tagged(_, inner) => self.is_block(inner),
            Body::Scalar(_) => self.is_block_scalar(node),
            Body::Alias(..) => false,
        }
    }

    /// Says whether a node is a literal (`|`) or folded (`>`) scalar.
    pub(super) fn is_block_scalar(&self, node: &Node) -> bool {
        matches!(node.body, Body::Scalar(_))
            && matches!(self.text.as_bytes().get(node.span.start), Some(b'|' | b'>'))
            && !node.span.is_empty()
    }
}
