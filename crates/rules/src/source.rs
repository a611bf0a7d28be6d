//! Rule files, and where in them a piece of text came from.

use std::fmt;

use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};

mod ink;

use ink::Ink;

/// A rule file that somebody has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What to call it in messages: its path.
    pub name: String,
    /// Its contents.
    pub text: String,
}

/// A place in a file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Text out of a YAML scalar, or several of them put together (`append`, exceptions).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    pub(crate) joined: String,
    /// Most texts are one piece.
    first: Option<Piece>,
    others: Vec<Piece>,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Where it begins in the whole.
    at: usize,
    /// Where its scalar stands, or what it was made for.
    place: Place,
    /// Whether it is that scalar's text, and not put in to hold others together.
    is_scalar: bool,
}

impl Text {
    pub(crate) fn new(text: String, place: Place) -> Self {
        Self {
            joined: text,
            first: Some(Piece {
                at: 0,
                place,
                is_scalar: true,
            }),
            others: Vec::new(),
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.first.iter().chain(&self.others)
    }

    fn add(&mut self, piece: Piece) {
        match self.first {
            None => self.first = Some(piece),
            Some(_) => self.others.push(piece),
        }
    }

    /// The piece in which a byte stands, and where the next one begins.
    fn piece(&self, at: usize) -> Option<(&Piece, usize)> {
        let first = self.first.as_ref().filter(|first| first.at <= at)?;
        let next = self.others.partition_point(|piece| piece.at <= at);
        let last = next.checked_sub(1).map(|last| &self.others[last]);
        let end = self.others.get(next).map(|next| next.at);
        Some((last.unwrap_or(first), end.unwrap_or(self.joined.len())))
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.joined.push(' ');
        self.push(other);
    }

    /// Adds a text as it is.
    pub(crate) fn push(&mut self, other: &Self) {
        let base = self.joined.len();
        self.joined.push_str(&other.joined);
        for piece in other.pieces() {
            self.add(Piece {
                at: base + piece.at,
                ..*piece
            });
        }
    }

    /// Adds what stands in no file, such as what holds exceptions together, on behalf of a place.
    pub(crate) fn glue(&mut self, text: &str, place: Place) {
        self.add(Piece {
            at: self.joined.len(),
            place,
            is_scalar: false,
        });
        self.joined.push_str(text);
    }

    pub(crate) fn place(&self) -> Place {
        let first = self.pieces().find(|piece| piece.is_scalar);
        first
            .or(self.first.as_ref())
            .map(|piece| piece.place)
            .unwrap_or_default()
    }

    /// Where in a file a stretch of the text stands.
    pub(crate) fn locate(&self, span: Span, sources: &[Source]) -> Place {
        let Some((piece, end)) = self.piece(span.start) else {
            return self.place();
        };
        let place = piece.place;
        let source = sources.get(place.file);
        let raw = source.and_then(|source| source.text.get(place.start..));
        let Some(raw) = raw.filter(|_| piece.is_scalar) else {
            return place;
        };
        let inked = |from: usize, to: usize| {
            let text = self.joined.get(from..to).unwrap_or_default();
            text.bytes().filter(|b| !b.is_ascii_whitespace()).count()
        };
        let length = inked(span.start, span.end.min(end));
        let mut marks = Ink::new(raw).skip(inked(piece.at, span.start));
        let Some(start) = marks.next() else {
            return place;
        };
        let last = marks.nth(length.saturating_sub(2)).unwrap_or(start);
        let end = if length > 1 { last } else { start } + 1;
        Place {
            file: place.file,
            start: place.start + start,
            end: place.start + end,
        }
    }
}

/// What a diagnostic is about; put into words only when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    /// `rule`, `macro` or `list`.
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// Where diagnostics are collected, and what is needed to say where.
pub(crate) struct Report<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) found: Diagnostics,
    /// Where the lines of each file begin; made when first needed.
    lines: Vec<Option<Vec<usize>>>,
}

/// A fault that is about to be reported.
pub(crate) struct Fault {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Fault {
    pub(crate) fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    pub(crate) fn note(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::error(code, message)
        }
    }

    pub(crate) fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

impl<'a> Report<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        Self {
            sources,
            found: Diagnostics::default(),
            lines: vec![None; sources.len()],
        }
    }

    /// A report of its own for something that may be told differently or not at all. Give it back
    /// to [`Self::end_trial`]: it takes along what is known of the files' lines.
    pub(crate) fn begin_trial(&mut self) -> Self {
        Self {
            sources: self.sources,
            found: Diagnostics::default(),
            lines: std::mem::take(&mut self.lines),
        }
    }

    /// What a trial has found.
    pub(crate) fn end_trial(&mut self, trial: Self) -> Vec<Diagnostic> {
        self.lines = trial.lines;
        trial.found.into_items()
    }

    pub(crate) fn at(&mut self, place: Place, subject: impl fmt::Display, fault: Fault) {
        if self.found.is_full() {
            self.found.omit();
            return;
        }
        let Some(source) = self.sources.get(place.file) else {
            return;
        };
        self.lines.resize(self.sources.len(), None);
        let lines = self.lines[place.file].get_or_insert_with(|| {
            std::iter::once(0)
                .chain(source.text.match_indices('\n').map(|(at, _)| at + 1))
                .collect()
        });
        let line = lines.partition_point(|&begin| begin <= place.start).max(1);
        let begin = lines[line - 1];
        let end = lines.get(line).map_or(source.text.len(), |next| next - 1);
        let excerpt = source.text.get(begin..end).unwrap_or_default();
        let excerpt = excerpt.strip_suffix('\r').unwrap_or(excerpt);
        // A line may be as long as the file: what is shown of it is bounded, and so is the cost.
        let column = characters(&source.text, begin, place.start) + 1;
        let length = characters(&source.text, place.start, place.end.min(end));
        let (excerpt, column) = clip(excerpt, column);
        self.found.push(Diagnostic {
            severity: fault.severity,
            code: fault.code,
            message: fault.message,
            file: source.name.clone(),
            line,
            column,
            excerpt,
            length: length.max(1),
            subject: subject.to_string(),
            help: fault.help,
        });
    }
}

fn characters(text: &str, from: usize, to: usize) -> usize {
    text.get(from..to.max(from))
        .map_or(0, |t| t.chars().count())
}

/// Keeps an excerpt from holding a whole file that has no line breaks.
fn clip(excerpt: &str, column: usize) -> (String, usize) {
    const LONGEST: usize = 4000;
    if excerpt.len() <= LONGEST {
        return (excerpt.to_owned(), column);
    }
    let kept = excerpt.chars().take(column + 200).collect::<String>();
    (kept, column)
}
