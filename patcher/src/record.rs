//! What a patched file remembers of its original, so that it can be given back.
//!
//! The record is a docker label of the first sidecar container: it survives JSON, YAML, Terraform
//! and ECS itself. It holds, as plain JSON: each change of the text as a gap, the length of what was
//! put there and what was there before; a digest of the patched text, so that these are
//! used only on the text that they were made for; and per container what its entrypoint and
//! command were and which variables were added, for a text that was edited since. What was
//! removed is stored as it stood, entrypoints and commands; nothing else of the template is. See
//! `docs/design/patcher-record.md`.

use std::collections::{BTreeMap, HashMap};

use contract::sidecar::RECORD_LABEL;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::path::{Path, Trail};
use crate::plan::{Kind, Task, camel, locate, property};
use crate::rewrite::Splice;
use crate::value::Value;

/// What stands for the record while a text is made, in quotes; the digest counts `""`.
pub(crate) const PLACEHOLDER: &str = "@workload-agent-record@";

/// A record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    v: u32,
    /// Digest of the patched text, the record itself left empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
    /// Changes in order: bytes since the last one, bytes put in, text taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    text: Vec<(usize, usize, String)>,
    /// What was done to each container, see [`Keys`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    containers: BTreeMap<String, Undo>,
}

/// What a container was before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// It was wrapped; `entry` and `command` say what it started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrapped: bool,
    /// Its `EntryPoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Value>,
    /// Its `Command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Value>,
    /// Variables that were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Of the sidecar: settings that may be absent, as they were made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made: BTreeMap<String, Value>,
    /// It could trace before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub traced: bool,
}

/// Under which key the record has each container of a task definition: its name, behind the logical
/// name of the task definition if the file may have several. Another container of that name, in
/// another branch of a condition, is numbered.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    prefix: String,
    seen: HashMap<String, usize>,
}

impl Keys {
    /// Starts a task definition.
    pub(crate) fn of(task: &Task<'_>) -> Self {
        let prefix = match task.kind {
            Kind::Template => format!("{}/", task.name),
            _ => String::new(),
        };
        Self {
            prefix,
            seen: HashMap::new(),
        }
    }

    /// The key of the next container of this name.
    pub(crate) fn next(&mut self, name: &str) -> String {
        let count = self.seen.entry(name.to_owned()).or_default();
        *count += 1;
        let key = format!("{}{name}", self.prefix);
        match *count {
            1 => key,
            count => format!("{key}#{count}"),
        }
    }
}

impl Record {
    /// The version of the form that is written.
    const VERSION: u32 = 1;

    /// Starts a record.
    pub(crate) fn new(containers: BTreeMap<String, Undo>) -> Self {
        Self {
            v: Self::VERSION,
            sum: None,
            text: Vec::new(),
            containers,
        }
    }

    /// Adds how to get back from `blank`, the patched text with an empty record.
    pub(crate) fn with_text(mut self, changes: &[Splice], blank: &str, original: &str) -> Self {
        let mut last = 0;
        for change in changes {
            let gap = change.span.start - last;
            last = change.span.end;
            let removed = original.get(change.span.clone()).unwrap_or_default();
            self.text.push((gap, change.text.len(), removed.to_owned()));
        }
        self.sum = Some(digest(blank));
        self
    }

    /// Finds and reads the record of a template.
    pub fn find(root: &Value) -> Option<(Path, Self)> {
        let tasks = locate(root).ok()?;
        let mut found = tasks.iter().filter_map(|task| {
            let (path, record) = find_below(task.value?, &Trail::Start)?;
            Some((task.path.join(&path), record))
        });
        found.next()
    }

    fn parse(label: &str) -> Option<Self> {
        let record: Self = serde_json::from_str(label).ok()?;
        (record.v == Self::VERSION).then_some(record)
    }

    /// What was done to a container.
    pub fn undo(&self, key: &str) -> Option<&Undo> {
        self.containers.get(key)
    }

    /// What was done to all containers.
    pub(crate) fn containers(&self) -> &BTreeMap<String, Undo> {
        &self.containers
    }

    /// Gives the original back, when the text with an empty record is the one that was written.
    pub(crate) fn restore(&self, blank: &str) -> Option<String> {
        if self.sum.as_deref() != Some(digest(blank).as_str()) {
            return None;
        }
        let mut out = String::with_capacity(blank.len());
        let mut at = 0_usize;
        for (gap, added, removed) in &self.text {
            let kept = at.checked_add(*gap)?;
            out.push_str(blank.get(at..kept)?);
            out.push_str(removed);
            at = kept.checked_add(*added)?;
        }
        out.push_str(blank.get(at..)?);
        Some(out)
    }

    /// Returns the text of the label. CloudFormation would resolve `{{resolve:…}}` in it, so two
    /// braces never stand together.
    pub(crate) fn to_label(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        json.replace("{{", "{\\u007b")
    }
}

/// Digest of a text: the first 64 bits of SHA-256, enough to tell an edited file.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(8)
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}

fn find_below(value: &Value, trail: &Trail<'_>) -> Option<(Path, Record)> {
    match value {
        Value::List(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| find_below(item, &Trail::Index(trail, at)))
        }
        Value::Map(entries) => match label(value) {
            Some((key, label)) => {
                let path = || trail.path().key(key).key(RECORD_LABEL);
                Record::parse(label).map(|record| (path(), record))
            }
            None => entries
                .iter()
                .find_map(|(key, value)| find_below(value, &Trail::Key(trail, key))),
        },
        _ => None,
    }
}

/// The record of a container, not yet read, and the key of the labels that it is among.
fn label(container: &Value) -> Option<(&str, &str)> {
    let (key, labels) = property(container, "DockerLabels")?;
    Some((key, labels.get(RECORD_LABEL)?.as_str()?))
}

/// The key of labels in the dialect of a container.
pub(crate) fn labels_key(container: &Value) -> String {
    match property(container, "Name") {
        Some(("name", _)) => camel("DockerLabels"),
        _ => "DockerLabels".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_original_back_only_from_the_text_it_was_made_for() {
        let original = "a: [x]\nb: 1\n";
        let changes = [
            Splice {
                span: 3..6,
                text: "[i]".into(),
            },
            Splice {
                span: 11..11,
                text: "\nc: \"\"".into(),
            },
        ];
        let blank = "a: [i]\nb: 1\nc: \"\"\n";
        let record = Record::new(BTreeMap::new()).with_text(&changes, blank, original);
        assert_eq!(record.restore(blank).as_deref(), Some(original));
        assert_eq!(record.restore("a: [i]\nb: 2\nc: \"\"\n"), None);
        let label = record.to_label();
        assert_eq!(serde_json::from_str::<Record>(&label).unwrap(), record);
    }

    #[test]
    fn a_dynamic_reference_stays_inert() {
        let undo = Undo {
            command: Some(Value::strings(["{{resolve:ssm:x}}"])),
            ..Undo::default()
        };
        let record = Record::new(BTreeMap::from([("web".to_owned(), undo)]));
        let label = record.to_label();
        assert!(!label.contains("{{"), "{label}");
        assert_eq!(serde_json::from_str::<Record>(&label).unwrap(), record);
    }
}
