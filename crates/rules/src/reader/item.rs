//! One item of a rule file, and how its keys are asked for.

use std::collections::HashSet;

use super::text_of;
use crate::diagnostic::Code;
use crate::source::{Fault, Place, Report, Subject, Text};
use crate::suggest::suggestion;
use crate::yaml::{Kind, Node, Nodes};

/// An item that is being read.
pub(super) struct Item<'n, 'r, 's> {
    node: Node<'n>,
    subject: Subject<'n>,
    report: &'r mut Report<'s>,
    /// Keys that the reader knows; the others are warned of.
    known: Vec<&'static str>,
}

/// Whether an item defines, appends or overrides.
pub(super) enum Override {
    /// `append: true`.
    Append,
    /// `override:` with its keys.
    Keys(Vec<(String, How, Place)>),
    /// It defines.
    None,
}

/// What `override` does with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Append,
    Replace,
}

impl How {
    pub(super) fn is_append(self) -> bool {
        self == Self::Append
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
        }
    }
}

impl<'n, 'r, 's> Item<'n, 'r, 's> {
    pub(super) fn new(node: Node<'n>, subject: Subject<'n>, report: &'r mut Report<'s>) -> Self {
        // A rule has some twenty keys.
        let mut known = Vec::with_capacity(24);
        known.extend(["append", "override"]);
        Self {
            node,
            subject,
            report,
            known,
        }
    }

    /// Where the item begins.
    pub(super) fn place(&self) -> Place {
        super::first(self.node)
    }

    /// Where the value of a key begins, or else the item.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.node
            .get(key)
            .map_or_else(|| self.place(), super::first)
    }

    pub(super) fn fault(&mut self, place: Place, fault: Fault) {
        self.report.at(place, self.subject, fault);
    }

    pub(super) fn error(&mut self, message: impl Into<String>) {
        self.fault(self.place(), Fault::error(Code::ErrYamlValidate, message));
    }

    pub(super) fn error_at(&mut self, node: Node<'_>, message: impl Into<String>) {
        let fault = Fault::error(Code::ErrYamlValidate, message);
        self.fault(super::first(node), fault);
    }

    pub(super) fn warn(&mut self, code: Code, message: impl Into<String>) {
        self.fault(self.place(), Fault::warning(code, message));
    }

    /// The item's name: the value of its first key.
    pub(super) fn name(&mut self, kind: &'static str) -> Option<String> {
        let node = self.required(kind)?;
        match node.scalar() {
            Some(name) if !name.is_empty() => Some(name.to_owned()),
            _ => {
                self.error_at(node, format!("the name of a {kind} must be a string"));
                None
            }
        }
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<Node<'n>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.node.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.node.get(key).is_some()
    }

    pub(super) fn required(&mut self, key: &'static str) -> Option<Node<'n>> {
        let found = self.get(key);
        if found.is_none() {
            let keys: Vec<&str> = self.keys().map(|(name, _)| name).collect();
            let help = if keys.contains(&"<<") {
                Some("keys of other mappings (`<<`) are not taken over: write them here".to_owned())
            } else {
                suggestion(key, keys).map(|near| format!("is `{near}` meant to be `{key}`?"))
            };
            let message = format!("item has no mapping for key `{key}`");
            let fault = Fault::error(Code::ErrYamlValidate, message).help(help);
            self.fault(self.place(), fault);
        }
        found
    }

    pub(super) fn required_text(&mut self, key: &'static str) -> Option<Text> {
        let node = self.required(key)?;
        self.text_in(node, key)
    }

    /// A key's text; `Ok(None)` when it is not there.
    #[expect(clippy::option_option, reason = "outside: reported; inside: not there")]
    pub(super) fn text(&mut self, key: &'static str) -> Option<Option<Text>> {
        match self.get(key) {
            None => Some(None),
            Some(node) => self.text_in(node, key).map(Some),
        }
    }

    fn text_in(&mut self, node: Node<'_>, key: &str) -> Option<Text> {
        let text = text_of(node).filter(|text| !text.joined.is_empty());
        if text.is_none() {
            let message = match node.kind() {
                Kind::Null | Kind::Scalar(_) => format!("the value of `{key}` is empty"),
                Kind::Mapping(_) | Kind::Sequence(_) => {
                    format!("the value of `{key}` must be a string")
                }
            };
            self.error_at(node, message);
        }
        text
    }

    /// A key's boolean, in any of YAML's spellings.
    #[expect(clippy::option_option, reason = "outside: reported; inside: not there")]
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<Option<bool>> {
        let Some(node) = self.get(key) else {
            return Some(None);
        };
        let word = node.scalar().unwrap_or_default();
        let lower = word.to_ascii_lowercase();
        let value = match &*lower {
            "true" | "yes" | "on" | "y" => true,
            "false" | "no" | "off" | "n" => false,
            _ => {
                self.error_at(node, format!("the value of `{key}` must be true or false"));
                return None;
            }
        };
        Some(Some(value))
    }

    /// Several strings under a key.
    #[expect(clippy::option_option, reason = "outside: reported; inside: not there")]
    pub(super) fn strings(&mut self, key: &'static str) -> Option<Option<Vec<String>>> {
        let Some(node) = self.get(key) else {
            return Some(None);
        };
        let strings = node.sequence().and_then(|items| {
            items
                .iter()
                .map(|item| item.scalar().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        if strings.is_none() {
            self.error_at(
                node,
                format!("the value of `{key}` must be a list of strings"),
            );
        }
        strings.map(Some)
    }

    /// Whether the item defines, appends or overrides.
    pub(super) fn mode(&mut self, appendable: &[&str]) -> Option<Override> {
        let appends = self.boolean("append")?.unwrap_or(false);
        if appends {
            let example = appendable.first().copied().unwrap_or("condition");
            let message = format!(
                "`append` key is deprecated. Add an `append` entry (e.g. `{example}: append`) \
                 under `override` instead."
            );
            let place = self.place_of("append");
            self.fault(place, Fault::warning(Code::DeprecatedItem, message));
        }
        let node = self.get("override").filter(|node| {
            let is_empty = node.mapping().is_some_and(Nodes::is_empty);
            !node.is_null() && !is_empty
        });
        let Some(node) = node else {
            return Some(if appends {
                Override::Append
            } else {
                Override::None
            });
        };
        if appends {
            self.error(
                "keys `override` and `append: true` cannot be used together. Add an `append` \
                 entry (e.g. `condition: append`) under `override` instead.",
            );
            return None;
        }
        let Some(entries) = node.mapping() else {
            self.error_at(node, "the value of `override` must be a mapping");
            return None;
        };
        let mut keys = Vec::new();
        for (key, value) in entries.pairs() {
            let how = match value.scalar() {
                Some("append") => How::Append,
                Some("replace") => How::Replace,
                other => {
                    let other = other.unwrap_or_default();
                    self.error_at(
                        value,
                        format!("`{other}` is not an override: use `append` or `replace`"),
                    );
                    return None;
                }
            };
            keys.push((
                key.scalar().unwrap_or_default().to_owned(),
                how,
                key.place(),
            ));
        }
        Some(Override::Keys(keys))
    }

    /// Checks `override` against what may be overridden and against the item's other keys.
    pub(super) fn overridden(
        &mut self,
        keys: &[(String, How, Place)],
        appendable: &[&'static str],
        replaceable: &[&'static str],
    ) -> Option<Vec<(&'static str, How)>> {
        let mut checked = Vec::new();
        let mut is_sound = true;
        for (key, how, place) in keys {
            let known = |list: &[&'static str]| list.iter().copied().find(|known| known == key);
            let wrong = match (known(appendable), known(replaceable), how) {
                (None, None, _) => Some(format!("key `{key}` cannot be overridden")),
                (None, Some(_), How::Append) => Some(format!(
                    "key `{key}` cannot be appended to, use `replace` instead"
                )),
                (Some(_), None, How::Replace) => Some(format!("key `{key}` cannot be replaced")),
                _ if !self.has(key) => Some(format!(
                    "an {} override for `{key}` was specified but `{key}` is not defined",
                    how.as_str()
                )),
                _ => None,
            };
            if let Some(message) = wrong {
                is_sound = false;
                self.fault(*place, Fault::error(Code::ErrYamlValidate, message));
            } else if let Some(key) = known(appendable).or_else(|| known(replaceable)) {
                checked.push((key, *how));
            }
        }
        for (key, place) in self.keys() {
            // Keys that nobody knows are warned of, here as elsewhere.
            let is_known = appendable.contains(&key) || replaceable.contains(&key);
            if is_known && !keys.iter().any(|(overridden, ..)| *overridden == key) {
                is_sound = false;
                let message = format!(
                    "unexpected key `{key}`: no corresponding entry under `override` is defined"
                );
                self.fault(place, Fault::error(Code::ErrYamlValidate, message));
            }
        }
        is_sound.then_some(checked)
    }

    fn keys(&self) -> impl Iterator<Item = (&'n str, Place)> + use<'n> {
        let entries = self.node.mapping().into_iter();
        entries
            .flat_map(Nodes::pairs)
            .filter_map(|(key, _)| Some((key.scalar()?, key.place())))
    }

    /// Warns of keys that nobody asked for, and of those that stand twice.
    pub(super) fn warn_of_unknown_keys(&mut self) {
        // Few items have more keys than can be compared one by one.
        const FEW: usize = 16;
        let mut seen = HashSet::new();
        let is_long = self.keys().count() > FEW;
        for (number, (key, place)) in self.keys().enumerate() {
            let is_new = if is_long {
                seen.insert(key)
            } else {
                self.keys().take(number).all(|(other, _)| other != key)
            };
            if !is_new {
                let message = format!("key `{key}` stands here twice: the first one counts");
                self.fault(place, Fault::warning(Code::UnknownItem, message));
            }
        }
        for (key, place) in self.keys() {
            if self.known.contains(&key) {
                continue;
            }
            let help = suggestion(key, self.known.iter().copied())
                .map(|near| format!("a key with a similar name is `{near}`"));
            let message = format!("unknown key `{key}`");
            self.fault(place, Fault::warning(Code::UnknownItem, message).help(help));
        }
    }
}
