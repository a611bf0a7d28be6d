//! Rule files, and where in them a piece of text came from.

use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};

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

/// Text out of a YAML scalar, or several of them joined by a blank (`append`).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    pub(crate) joined: String,
    /// Where each piece begins in `joined`, and where its scalar stands.
    pieces: Vec<(usize, Place)>,
}

impl Text {
    pub(crate) fn new(text: String, place: Place) -> Self {
        Self {
            joined: text,
            pieces: vec![(0, place)],
        }
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.joined.push(' ');
        let base = self.joined.len();
        self.joined.push_str(&other.joined);
        self.pieces
            .extend(other.pieces.iter().map(|(at, place)| (base + at, *place)));
    }

    /// Puts text around and behind it, such as the exceptions of a rule.
    pub(crate) fn wrap(&self, before: &str, after: &str) -> Self {
        Self {
            joined: format!("{before}{}{after}", self.joined),
            pieces: self
                .pieces
                .iter()
                .map(|(at, place)| (at + before.len(), *place))
                .collect(),
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.pieces
            .first()
            .map(|(_, place)| *place)
            .unwrap_or_default()
    }

    /// Where in a file a stretch of the text stands.
    ///
    /// YAML folds and unquotes, which changes blanks but (escapes in double quotes aside) nothing
    /// else; so the n-th byte that is not blank in the text is the n-th in the file.
    pub(crate) fn locate(&self, span: Span, sources: &[Source]) -> Place {
        let Some((base, place)) = self.pieces.iter().rev().find(|(at, _)| *at <= span.start) else {
            return self.place();
        };
        let inked = |text: &str| text.bytes().filter(|b| !b.is_ascii_whitespace()).count();
        let before = inked(self.joined.get(*base..span.start).unwrap_or_default());
        let length = inked(self.joined.get(span.start..span.end).unwrap_or_default());
        let Some(raw) = sources
            .get(place.file)
            .and_then(|source| source.text.get(place.start..))
        else {
            return *place;
        };
        let skipped = scalar_indicator(raw);
        let mut marks = raw
            .bytes()
            .enumerate()
            .skip(skipped)
            .filter(|(_, byte)| !byte.is_ascii_whitespace())
            .skip(before)
            .map(|(at, _)| place.start + at);
        let Some(start) = marks.next() else {
            return *place;
        };
        let last = marks.nth(length.saturating_sub(2)).unwrap_or(start);
        let end = if length > 1 { last } else { start } + 1;
        let file = place.file;
        Place { file, start, end }
    }
}

/// How many bytes at the start of a scalar are not its text: `>`, `|` with their line, or a quote.
fn scalar_indicator(raw: &str) -> usize {
    match raw.as_bytes().first() {
        Some(b'>' | b'|') => raw.find('\n').map_or(raw.len(), |end| end + 1),
        Some(b'"' | b'\'') => 1,
        _ => 0,
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

    pub(crate) fn at(&mut self, place: Place, subject: &str, fault: Fault) {
        if self.found.is_full() {
            self.found.omit();
            return;
        }
        let Some(source) = self.sources.get(place.file) else {
            return;
        };
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
            subject: subject.to_owned(),
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
