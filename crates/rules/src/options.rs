//! How a set of rules is used: which rules, how many matches, what is appended to outputs.

use event::{Case, Priority, glob};

use crate::output::Format;
use crate::ruleset::read_format;

/// Whether an event may match more than one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Every rule that matches alerts.
    All,
    /// The first rule that matches alerts, in order of definition.
    #[default]
    First,
}

/// Which rules a switch is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Rules whose name matches; `*` stands for anything.
    Rule(String),
    /// Rules with a tag.
    Tag(String),
}

/// Switches rules on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Which rules.
    pub selector: Selector,
    /// On or off.
    pub enable: bool,
}

/// What is appended to the outputs of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendOutput {
    rule: Option<String>,
    source: Option<String>,
    tags: Vec<String>,
    output: Option<Format>,
    fields: Vec<(String, Format)>,
}

/// An output that cannot be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("appended output: {0}")]
pub struct AppendError(String);

impl AppendOutput {
    /// Appends to every rule.
    pub fn to_all() -> Self {
        Self::default()
    }

    /// Only to the rule of this name.
    #[must_use]
    pub fn rule(mut self, name: &str) -> Self {
        self.rule = Some(name.to_owned());
        self
    }

    /// Only to rules of this source.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Only to rules that have this tag, and all others that were asked for.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Text with `%field` in it, put behind the message.
    ///
    /// # Errors
    /// When it names a field that does not exist.
    pub fn output(mut self, text: &str) -> Result<Self, AppendError> {
        self.output = Some(read_format(text).map_err(AppendError)?);
        Ok(self)
    }

    /// An entry of `output_fields`: a field, or text with `%field` in it under a name.
    ///
    /// # Errors
    /// When it names a field that does not exist.
    pub fn field(mut self, name: &str, format: &str) -> Result<Self, AppendError> {
        let format = read_format(format).map_err(AppendError)?;
        self.fields.push((name.to_owned(), format));
        Ok(self)
    }

    fn is_for(&self, rule: &str, source: &str, tags: &[String]) -> bool {
        self.rule.as_ref().is_none_or(|wanted| wanted == rule)
            && self.source.as_ref().is_none_or(|wanted| wanted == source)
            && self.tags.iter().all(|wanted| tags.contains(wanted))
    }
}

/// How a set of rules is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Rules of lesser priority are off.
    pub minimum_priority: Priority,
    /// Whether an event may match more than one rule.
    pub matching: Matching,
    /// Applied in order to what the files say.
    pub switches: Vec<Switch>,
    /// Appended to the outputs of rules.
    pub append: Vec<AppendOutput>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            minimum_priority: Priority::Debug,
            matching: Matching::First,
            switches: Vec::new(),
            append: Vec::new(),
        }
    }
}

/// What is appended to one rule's output.
#[derive(Clone, Debug, Default)]
pub(crate) struct Appended {
    pub(crate) outputs: Vec<Format>,
    pub(crate) fields: Vec<(String, Format)>,
}

impl Options {
    pub(crate) fn enables(&self, rule: &str, tags: &[String], by_default: bool) -> bool {
        self.switches.iter().fold(by_default, |enabled, switch| {
            let concerns = match &switch.selector {
                Selector::Rule(pattern) => glob(pattern.as_bytes(), rule.as_bytes(), Case::Keep),
                Selector::Tag(tag) => tags.contains(tag),
            };
            if concerns { switch.enable } else { enabled }
        })
    }

    pub(crate) fn appended_to(&self, rule: &str, source: &str, tags: &[String]) -> Appended {
        let mut appended = Appended::default();
        for entry in self.append.iter().filter(|e| e.is_for(rule, source, tags)) {
            appended.outputs.extend(entry.output.clone());
            appended.fields.extend(entry.fields.iter().cloned());
        }
        appended
    }
}
