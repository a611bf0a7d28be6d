//! How a set of rules is used: which rules, how many matches, what is appended to outputs.

use event::{Case, Priority, glob};

use crate::output::Format;

mod append;

pub use append::{AppendError, AppendOutput};

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
