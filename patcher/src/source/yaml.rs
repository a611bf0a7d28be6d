//! The YAML reader: the events of `saphyr-parser`, made into nodes with byte spans.
//!
//! The parser's own spans are of little use for editing: they count characters, take in comments,
//! and leave the header of a literal out. So the place of each node is found in the text, starting
//! from the colon, dash or bracket before it.

mod scalar;
mod scan;

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use self::scalar::{Tagging, resolve, tagging};
use self::scan::{Scan, join_lines};
use super::{Body, Duplicates, Entry, Format, Layout, MAX_DEPTH, MERGE, Node, ReadError};
use crate::value::Value;

/// Aliases that stand for more nodes than this in all are refused.
const MAX_EXPANSION: usize = 200_000;

/// How many bytes may be read again for the sake of ill-indented brackets.
const MAX_REREAD: usize = 256 << 20;

/// Reads a whole text: one document.
///
/// YAML 1.2 wants the lines inside brackets indented deeper than their parent, closing brackets
/// included. Hardly anybody knows, CloudFormation does not mind, and the parser does. Where it
/// complains, the line ends inside that pair of brackets become spaces, one for one, and it reads
/// again.
pub(super) fn read(text: &str) -> Result<Node, ReadError> {
    let skipped = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let scan = Scan::new(text, skipped);
    let mut seen = text.get(skipped..).unwrap_or_default().to_owned();
    let mut reread = 0;
    loop {
        let mut reader = Reader {
            scan: &scan,
            events: Parser::new_from_str(&seen),
            anchors: HashMap::new(),
            expanded: 0,
            brackets: Vec::new(),
            misindented: None,
        };
        let result = reader.document();
        let again = reader.misindented.filter(|_| reread < MAX_REREAD);
        match again.and_then(|open| join_lines(&seen, open)) {
            Some(joined) => seen = joined,
            None => return result,
        }
        reread += seen.len();
    }
}

struct Reader<'r, 's> {
    scan: &'r Scan<'r>,
    events: Parser<'s, StrInput<'s>>,
    /// Value and size of each anchored node that is complete.
    anchors: HashMap<usize, (Value, usize)>,
    /// How many nodes aliases stand for so far.
    expanded: usize,
    /// The brackets that are open, by number of their character.
    brackets: Vec<usize>,
    /// The outermost bracket around a line that the parser finds ill-indented.
    misindented: Option<usize>,
}

/// What stands in front of a node's content.
struct Props {
    anchor: usize,
    tagging: Tagging,
    count: usize,
}

impl Props {
    fn new(anchor: usize, tag: Option<&Tag>) -> Self {
        let count = usize::from(anchor > 0) + usize::from(tag.is_some());
        Self {
            anchor,
            tagging: tagging(tag),
            count,
        }
    }
}

impl<'s> Reader<'_, 's> {
    fn document(&mut self) -> Result<Node, ReadError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    let at = self.scan.byte(span.start.index());
                    return Err(self.error(at, "a template is one document, this is a second"));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    let from = self.scan.byte(span.start.index());
                    root = Some(self.node(event, span, from, 0)?);
                }
                _ => {}
            }
        }
        root.ok_or_else(|| self.error(0, "the file is empty"))
    }

    /// Reads a node that starts at or after `from`.
    fn node(
        &mut self,
        event: Event<'_>,
        span: Span,
        from: usize,
        depth: usize,
    ) -> Result<Node, ReadError> {
        if depth > MAX_DEPTH {
            return Err(self.error(from, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        match event {
            Event::Alias(anchor) => self.alias(anchor, from),
            Event::Scalar(text, style, anchor, tag) => {
                let props = Props::new(anchor, tag.as_deref());
                Ok(self.scalar((&text, style), span, from, &props))
            }
            Event::SequenceStart(anchor, tag) => {
                let props = Props::new(anchor, tag.as_deref());
                self.collection(false, (from, span), &props, depth)
            }
            Event::MappingStart(anchor, tag) => {
                let props = Props::new(anchor, tag.as_deref());
                self.collection(true, (from, span), &props, depth)
            }
            _ => Err(self.error(from, "expected a value")),
        }
    }

    fn alias(&mut self, anchor: usize, from: usize) -> Result<Node, ReadError> {
        let start = self.scan.skip(from);
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(self.error(start, "an anchor that contains itself"));
        };
        self.expanded += size;
        if self.expanded > MAX_EXPANSION {
            return Err(self.error(start, "aliases expand to more than 200000 nodes"));
        }
        let body = Body::Alias(anchor, value.clone());
        Ok(Node {
            span: start..self.scan.word_end(start),
            start,
            anchor: None,
            body,
        })
    }

    fn scalar(
        &mut self,
        (text, style): (&str, ScalarStyle),
        span: Span,
        from: usize,
        props: &Props,
    ) -> Node {
        let empty = style == ScalarStyle::Plain && text.is_empty();
        let (start, content) = self.scan.props(from, props.count);
        let place = if empty && props.count == 0 {
            from..from
        } else if empty {
            content..content
        } else {
            let end = self.scan.byte(span.end.index());
            self.scan.scalar(content, style, end)
        };
        let value = resolve(
            self.scan.last_line_break(text, style, &place),
            style,
            &props.tagging,
        );
        let start = if props.count == 0 { place.start } else { start };
        let body = Body::Scalar(value);
        self.finish(
            Node {
                span: place,
                start,
                anchor: None,
                body,
            },
            props,
        )
    }

    fn collection(
        &mut self,
        mapping: bool,
        (from, seen): (usize, Span),
        props: &Props,
        depth: usize,
    ) -> Result<Node, ReadError> {
        let (start, content) = self.scan.props(from, props.count);
        let flow = self.scan.at(content) == Some(if mapping { b'{' } else { b'[' });
        let layout = if flow {
            Layout::Flow
        } else {
            Layout::Block(self.scan.column(content))
        };
        if mapping && !flow && !self.brackets.is_empty() {
            return Err(self.error(content, "a single pair in a list needs braces"));
        }
        if flow {
            // With a tag or an anchor the parser's start is that; looking for a bracket from
            // there finds this one.
            self.brackets.push(seen.start.index());
        }
        let (body, end) = if mapping {
            let (entries, end) = self.entries(content, layout, depth)?;
            (Body::Map(entries, layout), end)
        } else {
            let (items, end) = self.items(content, layout, depth)?;
            (Body::List(items, layout), end)
        };
        if flow {
            self.brackets.pop();
        }
        let node = Node {
            span: content..end,
            start,
            anchor: None,
            body,
        };
        Ok(self.finish(node, props))
    }

    fn items(
        &mut self,
        content: usize,
        layout: Layout,
        depth: usize,
    ) -> Result<(Vec<Node>, usize), ReadError> {
        let mut items: Vec<Node> = Vec::new();
        let mut end = content;
        loop {
            let (event, span) = self.next()?;
            let here = self.scan.byte(span.start.index());
            if event == Event::SequenceEnd {
                let close = if layout == Layout::Flow {
                    here + 1
                } else {
                    end
                };
                return Ok((items, close));
            }
            let from = match layout {
                Layout::Block(_) => self.scan.skip(end) + 1,
                Layout::Flow => here,
            };
            let item = self.node(event, span, from, depth + 1)?;
            end = item.span.end.max(from);
            items.push(item);
        }
    }

    fn entries(
        &mut self,
        content: usize,
        layout: Layout,
        depth: usize,
    ) -> Result<(Vec<Entry>, usize), ReadError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Duplicates::default();
        let mut end = content;
        loop {
            let (event, span) = self.next()?;
            let here = self.scan.byte(span.start.index());
            let (key, style, props) = match event {
                Event::MappingEnd => {
                    let close = if layout == Layout::Flow {
                        here + 1
                    } else {
                        end
                    };
                    return Ok((entries, close));
                }
                Event::Scalar(text, style, anchor, tag) => {
                    (text, style, Props::new(anchor, tag.as_deref()))
                }
                _ => return Err(self.error(here, "a key must be a string")),
            };
            let (_, key_start) = self.scan.props(here, props.count);
            let key_span = self
                .scan
                .scalar(key_start, style, self.scan.byte(span.end.index()));
            let key = key.into_owned();
            if key != MERGE && seen.contain(&entries, &key) {
                return Err(self.error(key_start, format!("duplicate key `{key}`")));
            }
            let colon = self.scan.skip(key_span.end);
            let bare = self.scan.at(colon) != Some(b':');
            let after_colon = if bare { key_span.end } else { colon + 1 };
            let (event, span) = self.next()?;
            let value = self.node(event, span, after_colon, depth + 1)?;
            end = value.span.end.max(after_colon);
            entries.push(Entry {
                key,
                key_span,
                after_colon,
                value,
            });
        }
    }

    /// Notes the anchor of a node, and puts it below its tag.
    fn finish(&mut self, mut node: Node, props: &Props) -> Node {
        if let Tagging::Function(key) = &props.tagging {
            let span = node.span.clone();
            let inner = Node {
                start: node.span.start,
                ..node.clone()
            };
            node = Node {
                span,
                start: node.start,
                anchor: None,
                body: Body::Tagged(key.clone(), Box::new(inner)),
            };
        }
        if props.anchor > 0 {
            node.anchor = Some(props.anchor);
            let value = node.value();
            let size = size(&value);
            self.anchors.insert(props.anchor, (value, size));
        }
        node
    }

    fn next(&mut self) -> Result<(Event<'s>, Span), ReadError> {
        match self.events.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn syntax(&mut self, error: &ScanError) -> ReadError {
        if error.info().starts_with("invalid indentation") {
            self.misindented = self.brackets.first().copied();
        }
        let at = self.scan.byte(error.marker().index());
        self.error(at, error.info().to_owned())
    }

    fn error(&self, offset: usize, message: impl Into<String>) -> ReadError {
        ReadError::new(Format::Yaml, self.scan.text(), offset, message)
    }
}

/// The number of nodes of a value.
fn size(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}
