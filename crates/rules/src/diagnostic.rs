//! What is wrong with rule files, and where: all of it at once, as a compiler would say it.

use std::fmt::{self, Write as _};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The files are not loaded.
    Error,
    /// Loaded, but probably not what was meant.
    Warning,
    /// Loaded and valid, but worth knowing.
    Note,
}

macro_rules! codes {
    ($($variant:ident = $name:literal $doc:literal),* $(,)?) => {
        /// What kind of thing is wrong, under Falco's names for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $doc] $variant),* }

        impl Code {
            /// The name that Falco prints.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

codes! {
    AppendNoValues = "LOAD_APPEND_NO_VALUES" "An appended exception has no values.",
    CompileCondition = "LOAD_COMPILE_CONDITION" "A condition is doubtful.",
    CompileOutput = "LOAD_COMPILE_OUTPUT" "An output is doubtful.",
    DeprecatedItem = "LOAD_DEPRECATED_ITEM" "A key or a field is on its way out.",
    ErrCompileCondition = "LOAD_ERR_COMPILE_CONDITION" "A condition is wrong.",
    ErrCompileOutput = "LOAD_ERR_COMPILE_OUTPUT" "An output is wrong.",
    ErrValidate = "LOAD_ERR_VALIDATE" "A definition contradicts another.",
    ErrYamlParse = "LOAD_ERR_YAML_PARSE" "The file is not YAML.",
    ErrYamlValidate = "LOAD_ERR_YAML_VALIDATE" "The file has not the shape of a rule file.",
    ExceptionNameNotUnique = "LOAD_EXCEPTION_NAME_NOT_UNIQUE" "Two exceptions have one name.",
    InvalidListName = "LOAD_INVALID_LIST_NAME" "A list's name cannot be used.",
    InvalidMacroName = "LOAD_INVALID_MACRO_NAME" "A macro's name cannot be used.",
    NeverSeen = "LOAD_NEVER_SEEN" "A rule asks for something that this agent never sees.",
    NoEvttype = "LOAD_NO_EVTTYPE" "A rule looks at too many types of events.",
    UnknownFilter = "LOAD_UNKNOWN_FILTER" "A rule is left out because of an unknown field.",
    UnknownItem = "LOAD_UNKNOWN_ITEM" "A key is not known.",
    UnknownSource = "LOAD_UNKNOWN_SOURCE" "A rule is for another source of events.",
    UnsafeNaCheck = "LOAD_UNSAFE_NA_CHECK" "A comparison with `<NA>` does not do what it seems to.",
    UnusedList = "LOAD_UNUSED_LIST" "No rule uses a list.",
    UnusedMacro = "LOAD_UNUSED_MACRO" "No rule uses a macro.",
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub code: Code,
    /// What, in one line.
    pub message: String,
    /// Which file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, in characters from 1.
    pub column: usize,
    /// That line of the file.
    pub excerpt: String,
    /// How many characters of it are meant.
    pub length: usize,
    /// Which definition, where known: `rule "…"`.
    pub subject: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Everything that is wrong with the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    /// How many more there were than are kept.
    omitted: usize,
}

/// More than a person reads; keeps a hostile file from filling memory.
const KEPT: usize = 500;

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.items.len() < KEPT || diagnostic.severity == Severity::Error && !self.has_errors() {
            self.items.push(diagnostic);
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = Diagnostic>) {
        for item in items {
            self.push(item);
        }
    }

    /// Whether there is nothing more to keep: the work of finding the place may be saved.
    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= KEPT && self.has_errors()
    }

    pub(crate) fn into_items(self) -> Vec<Diagnostic> {
        self.items
    }

    pub(crate) fn omit(&mut self) {
        self.omitted += 1;
    }

    /// The diagnostics, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many there are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.items
            .iter()
            .filter(|item| item.severity == severity)
            .count()
    }

    /// The first error in one line, for programs that have room for no more:
    /// `rules.yaml:3:14: unknown field …`.
    pub fn summary(&self) -> String {
        let errors = self.count(Severity::Error);
        let Some(first) = self.items.iter().min_by_key(|item| item.severity) else {
            return "no faults".to_owned();
        };
        let mut line = format!(
            "{}:{}:{}: {}",
            first.file,
            first.line,
            first.column,
            visible(&first.message)
        );
        if errors > 1 {
            push(&mut line, format_args!(" (and {} more errors)", errors - 1));
        }
        line
    }

    /// All of them as a compiler prints them, with colours for a terminal.
    pub fn render(&self, style: Style) -> String {
        let mut out = String::new();
        for item in &self.items {
            item.render(style, &mut out);
        }
        if self.omitted > 0 {
            push(&mut out, format_args!("… and {} more\n", self.omitted));
        }
        out
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Diagnostics {}

/// Whether colours are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a terminal.
    Colour,
    /// For a file or a pipe.
    Plain,
}

impl Style {
    /// Text in a colour, given as the number of ANSI's "select graphic rendition".
    pub fn paint(self, code: &str, text: impl fmt::Display) -> String {
        match self {
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_string(),
        }
    }
}

/// Longest part of a line that is shown, in characters.
const WIDTH: usize = 110;

impl Diagnostic {
    fn render(&self, style: Style, out: &mut String) {
        let (word, colour) = match self.severity {
            Severity::Error => ("error", "1;31"),
            Severity::Warning => ("warning", "1;33"),
            Severity::Note => ("note", "1;36"),
        };
        let head = style.paint(colour, format!("{word}[{}]", self.code.as_str()));
        let message = style.paint("1", visible(&self.message));
        let gutter = self.line.to_string().len();
        let bar = style.paint("1;34", "|");
        push(out, format_args!("{head}: {message}\n"));
        let arrow = style.paint("1;34", "-->");
        let subject = if self.subject.is_empty() {
            String::new()
        } else {
            format!(", {}", visible(&self.subject))
        };
        push(
            out,
            format_args!(
                "{:gutter$}{arrow} {}:{}:{}{subject}\n",
                "", self.file, self.line, self.column
            ),
        );
        let (shown, lead) = self.window();
        let number = style.paint("1;34", self.line);
        let marks = "^".repeat(self.length.clamp(1, WIDTH.saturating_sub(lead).max(1)));
        let marks = style.paint(colour, marks);
        push(out, format_args!("{:gutter$} {bar}\n", ""));
        push(out, format_args!("{number} {bar} {shown}\n"));
        push(
            out,
            format_args!("{:gutter$} {bar} {:lead$}{marks}\n", "", ""),
        );
        if let Some(help) = self.help.as_deref().map(visible) {
            let equals = style.paint("1;34", "=");
            push(out, format_args!("{:gutter$} {equals} help: {help}\n", ""));
        }
        out.push('\n');
    }

    /// The part of the line around the column, and how far into it the column is.
    fn window(&self) -> (String, usize) {
        let column = self.column.saturating_sub(1);
        let from = column.saturating_sub(WIDTH / 2);
        let shown = self.excerpt.chars().skip(from).take(WIDTH);
        let mut shown: String = shown.map(visible_char).collect();
        let mut lead = column - from;
        if from > 0 {
            shown.insert(0, '…');
            lead += 1;
        }
        if self.excerpt.chars().nth(from + WIDTH).is_some() {
            shown.push('…');
        }
        (shown, lead)
    }
}

/// Names out of a file may hold what a terminal obeys.
fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

fn push(out: &mut String, arguments: fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("writing to memory does not fail");
}
