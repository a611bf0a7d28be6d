//! What a file requires of the engine and of plugins.

use super::first;
use crate::diagnostic::Code;
use crate::source::{Fault, Report};
use crate::yaml::{Node, Nodes};

/// Falco's engine version whose rule language this is.
const ENGINE: Version = Version(0, 63, 0);

/// Plugins whose fields are built in.
const PLUGINS: &[(&str, Version)] = &[("container", Version(0, 4, 0))];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u64, u64, u64);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.split(['-', '+']).next()?;
        let mut parts = text.split('.').map(|part| part.parse::<u64>().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }

    /// Whether what is there will do for what is required.
    fn satisfies(self, required: Self) -> bool {
        self.0 == required.0 && self >= required
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

pub(super) fn engine(node: Node<'_>, report: &mut Report<'_>) {
    let text = node.scalar().unwrap_or_default();
    let required = match text.parse::<u64>() {
        Ok(minor) => Some(Version(0, minor, 0)),
        Err(_) => Version::parse(text),
    };
    let message = match required {
        None => format!("unable to parse engine version `{text}`"),
        Some(required) if !ENGINE.satisfies(required) => {
            format!("rules require engine version {required}, but the engine version is {ENGINE}")
        }
        Some(_) => return,
    };
    report.at(node.place(), "", Fault::error(Code::ErrValidate, message));
}

pub(super) fn plugins(node: Node<'_>, report: &mut Report<'_>) {
    let Some(items) = node.sequence() else {
        let message = "the value of `required_plugin_versions` must be a list";
        report.at(
            first(node),
            "",
            Fault::error(Code::ErrYamlValidate, message),
        );
        return;
    };
    for item in items.iter() {
        let mut wanted = vec![item];
        let alternatives = item.get("alternatives").and_then(Node::sequence);
        wanted.extend(alternatives.into_iter().flat_map(Nodes::iter));
        let mut is_met = false;
        let mut is_readable = true;
        for plugin in &wanted {
            let name = plugin.get("name").and_then(Node::scalar);
            let version = plugin.get("version").and_then(Node::scalar);
            match (name, version.and_then(Version::parse)) {
                (Some(name), Some(version)) => {
                    is_met |= PLUGINS
                        .iter()
                        .any(|(known, ours)| *known == name && ours.satisfies(version));
                }
                _ => is_readable = false,
            }
        }
        let message = if !is_readable {
            "a required plugin needs a `name` and a `version` such as 0.4.0".to_owned()
        } else if is_met {
            continue;
        } else {
            let name = item.get("name").and_then(Node::scalar);
            let version = item.get("version").and_then(Node::scalar);
            format!(
                "plugin requirement not satisfied, must load: {}:{}",
                name.unwrap_or_default(),
                version.unwrap_or_default()
            )
        };
        report.at(first(item), "", Fault::error(Code::ErrValidate, message));
    }
}
