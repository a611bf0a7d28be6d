//! YAML as nodes that know where they stand.
//!
//! Scalars keep their text: `443` and `true` are what was written, as Falco's loader takes them.

use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::source::Place;

/// Deeper than any rule file; keeps a hostile one from exhausting the stack.
const MAX_DEPTH: usize = 64;

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    /// How many nodes this one stands for, aliases counted again.
    weight: usize,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
    /// Nothing, `~` or `null`, without quotes.
    Null,
    Scalar(String),
    Sequence(Vec<Rc<Node>>),
}

/// Why a file is not YAML that can be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) place: Place,
}

impl Node {
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            Kind::Mapping(_) | Kind::Null | Kind::Sequence(_) => None,
        }
    }

    pub(crate) fn sequence(&self) -> Option<&[Rc<Self>]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            Kind::Mapping(_) | Kind::Null | Kind::Scalar(_) => None,
        }
    }

    pub(crate) fn mapping(&self) -> Option<&[(Rc<Self>, Rc<Self>)]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            Kind::Null | Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The value of a key of a mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Rc<Self>> {
        self.mapping()?
            .iter()
            .find(|(name, _)| name.scalar() == Some(key))
            .map(|(_, value)| value)
    }
}

/// Reads the documents of a file. What was read before a fault is kept.
///
/// Flow collections may close at the indentation of their key, which YAML forbids and which the
/// loader that rule files are written for takes: such lines are read as if they stood further
/// right.
pub(crate) fn read(text: &str, file: usize) -> (Vec<Rc<Node>>, Option<YamlError>) {
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

fn read_padded(text: &str, file: usize, pads: &[usize]) -> (Vec<Rc<Node>>, Option<Fault>) {
    let mut padded = String::new();
    let mut from = 0;
    for &at in pads {
        padded.push_str(text.get(from..at).unwrap_or_default());
        padded.extend(std::iter::repeat_n(' ', PAD));
        from = at;
    }
    padded.push_str(text.get(from..).unwrap_or_default());
    let mut builder = Builder {
        file,
        offsets: Offsets::new(&padded, pads),
        // An alias may repeat what it stands for, but not blow the file up.
        budget: text.len() + 10_000,
        documents: Vec::new(),
        open: Vec::new(),
        anchors: Vec::new(),
    };
    for event in Parser::new_from_str(&padded) {
        let taken = match event {
            Ok((event, span)) => {
                let place = Place {
                    file,
                    start: builder.offsets.byte(span.start.index()),
                    end: builder.offsets.byte(span.end.index()),
                };
                builder.take(event, place).map_err(Fault::Other)
            }
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index());
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
            return (builder.documents, Some(fault));
        }
    }
    (builder.documents, None)
}

/// A collection that has not ended.
struct Open {
    anchor: usize,
    place: Place,
    is_mapping: bool,
    items: Vec<Rc<Node>>,
}

struct Builder {
    file: usize,
    offsets: Offsets,
    budget: usize,
    documents: Vec<Rc<Node>>,
    open: Vec<Open>,
    anchors: Vec<Option<Rc<Node>>>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), YamlError> {
        let fault = |message: &str| YamlError {
            message: message.to_owned(),
            place,
        };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let node = Node {
                    kind: if is_null {
                        Kind::Null
                    } else {
                        Kind::Scalar(text.into_owned())
                    },
                    place,
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
                    place,
                    is_mapping: matches!(event, Event::MappingStart(..)),
                    items: Vec::new(),
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let anchor = open.anchor;
                    let node = open.close(place.end);
                    self.finish(node, anchor);
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(anchor).cloned().flatten() else {
                    return Err(fault("an alias to something that has not ended"));
                };
                let Some(left) = self.budget.checked_sub(node.weight) else {
                    return Err(fault("aliases make the file too large"));
                };
                self.budget = left;
                self.place_node(node);
                Ok(())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn finish(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some(Rc::clone(&node));
        }
        self.place_node(node);
    }

    fn place_node(&mut self, node: Rc<Node>) {
        debug_assert!(node.place.file == self.file, "one builder per file");
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.documents.push(node),
        }
    }
}

impl Open {
    fn close(self, end: usize) -> Node {
        let weight = self.items.iter().map(|item| item.weight).sum::<usize>() + 1;
        let mut items = self.items.into_iter();
        let kind = if self.is_mapping {
            let mut entries = Vec::new();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                entries.push((key, value));
            }
            Kind::Mapping(entries)
        } else {
            Kind::Sequence(items.collect())
        };
        let place = Place { end, ..self.place };
        Node {
            kind,
            place,
            weight,
        }
    }
}

/// Turns positions in characters into positions in bytes.
struct Offsets {
    /// The byte at which every 64th character starts; empty when all characters are one byte.
    marks: Vec<usize>,
    /// Where lines were moved right, in bytes of the original text.
    pads: Vec<usize>,
    /// Lengths of the characters between marks would cost too much; the text is walked instead.
    lengths: Vec<u8>,
    total: usize,
}

impl Offsets {
    const STEP: usize = 64;

    fn new(text: &str, pads: &[usize]) -> Self {
        let (mut marks, mut lengths) = (Vec::new(), Vec::new());
        if !text.is_ascii() {
            for (number, (at, character)) in text.char_indices().enumerate() {
                if number % Self::STEP == 0 {
                    marks.push(at);
                }
                lengths.push(u8::try_from(character.len_utf8()).unwrap_or(1));
            }
        }
        Self {
            marks,
            lengths,
            total: text.len(),
            pads: pads.to_vec(),
        }
    }

    /// The byte of the original text.
    fn byte(&self, character: usize) -> usize {
        let padded = self.padded_byte(character);
        // The n-th pad lies behind `n * PAD` bytes of pads and what precedes it in the original.
        let before = |count: usize| count * PAD;
        let (mut low, mut high) = (0, self.pads.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.pads[middle] + before(middle) < padded {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let inside = low
            .checked_sub(1)
            .map_or(0, |last| (padded - self.pads[last] - before(last)).min(PAD));
        padded - before(low.saturating_sub(1)) - inside
    }

    fn padded_byte(&self, character: usize) -> usize {
        let Some(mark) = self.marks.get(character / Self::STEP) else {
            return if self.marks.is_empty() {
                character.min(self.total)
            } else {
                self.total
            };
        };
        let from = character / Self::STEP * Self::STEP;
        let between = self.lengths.get(from..character).unwrap_or_default();
        mark + between
            .iter()
            .map(|&length| usize::from(length))
            .sum::<usize>()
    }
}
