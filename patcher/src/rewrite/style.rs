//! How the author of a text writes: line ends, indentation, spaces after colons and commas.

use crate::source::{Body, Document, Format, Layout, Node};

/// The habits of a text, taken from the first place that shows each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// The notation.
    pub(super) format: Format,
    /// The line end.
    pub(super) newline: &'static str,
    /// One level of indentation.
    pub(super) step: Step,
    /// Collections are spread over lines.
    pub(super) spread: bool,
    /// What follows a colon in JSON.
    pub(super) colon: &'static str,
    /// What follows a comma on the same line.
    pub(super) comma: &'static str,
    /// How far dashes stand to the right of the key that they belong to.
    pub(super) dash: usize,
}

/// One level of indentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Spaces(usize),
    Tab,
}

impl Step {
    /// Returns the text of one level.
    pub(super) fn text(self) -> String {
        match self {
            Self::Spaces(count) => " ".repeat(count),
            Self::Tab => "\t".to_owned(),
        }
    }

    /// Returns the columns of one level.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Spaces(count) => count,
            Self::Tab => 1,
        }
    }
}

impl Style {
    /// Reads the habits off a text.
    pub(super) fn of(document: &Document<'_>) -> Self {
        let text = document.text;
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let yaml = document.format == Format::Yaml;
        let mut style = Self {
            format: document.format,
            newline,
            step: Step::Spaces(2),
            spread: yaml,
            colon: " ",
            comma: " ",
            dash: 2,
        };
        if yaml {
            style.step = Step::Spaces(yaml_step(&document.root).unwrap_or(2));
            style.dash = yaml_dash(&document.root, 6).unwrap_or(style.step.width());
        } else {
            style.json(text, &document.root);
        }
        style
    }

    /// The style of what joins a collection, which stays on one line if that does.
    pub(super) fn inside(self, spread: bool) -> Self {
        Self {
            spread: self.spread && spread,
            ..self
        }
    }

    fn json(&mut self, text: &str, root: &Node) {
        let (first, colon) = match &root.body {
            Body::Map(entries, _) => match entries.first() {
                Some(entry) => {
                    let gap = text.get(entry.after_colon..entry.value.span.start);
                    (Some(entry.key_span.start), gap)
                }
                None => (None, None),
            },
            Body::List(items, _) => (items.first().map(|item| item.span.start), None),
            _ => (None, None),
        };
        let lead = first
            .and_then(|at| text.get(root.span.start + 1..at))
            .unwrap_or_default();
        self.spread = lead.contains('\n');
        if colon == Some("") {
            (self.colon, self.comma) = ("", "");
        }
        let indent = lead.rsplit('\n').next().unwrap_or_default();
        if self.spread && indent.starts_with('\t') {
            self.step = Step::Tab;
        } else if self.spread && !indent.is_empty() {
            let root_indent = text.get(..root.span.start).unwrap_or_default();
            let outer = root_indent.rsplit('\n').next().unwrap_or_default().len();
            self.step = Step::Spaces(indent.len().saturating_sub(outer).clamp(1, 8));
        }
    }
}

/// How much deeper the first nested block mapping stands than its parent.
fn yaml_step(root: &Node) -> Option<usize> {
    let Body::Map(entries, Layout::Block(outer)) = &root.body else {
        return None;
    };
    entries.iter().find_map(|entry| match &entry.value.body {
        Body::Map(_, Layout::Block(inner)) if inner > outer => Some(inner - outer),
        _ => None,
    })
}

/// How far the dashes of the first block list below a mapping stand to the right of its key.
fn yaml_dash(node: &Node, depth: usize) -> Option<usize> {
    match &node.body {
        Body::Map(entries, layout) => {
            let own = match layout {
                Layout::Block(outer) => entries.iter().find_map(|entry| match &entry.value.body {
                    Body::List(_, Layout::Block(dash)) => dash.checked_sub(*outer),
                    _ => None,
                }),
                Layout::Flow => None,
            };
            let below = || {
                let depth = depth.checked_sub(1)?;
                entries
                    .iter()
                    .find_map(|entry| yaml_dash(&entry.value, depth))
            };
            own.or_else(below)
        }
        Body::List(items, _) => {
            let depth = depth.checked_sub(1)?;
            items.iter().find_map(|item| yaml_dash(item, depth))
        }
        Body::Tagged(_, inner) => yaml_dash(inner, depth),
        Body::Alias(..) | Body::Scalar(_) => None,
    }
}
