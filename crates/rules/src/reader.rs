//! From YAML to definitions: what Falco calls reading and collecting.

use crate::definitions::{Definitions, List, Macro, Order};
use crate::diagnostic::Code;
use crate::source::{Fault, Place, Report, Subject, Text};
use crate::yaml::{Kind, Node, read};

mod exceptions;
mod item;
mod rule;
mod versions;

use item::{Item, Override};

/// Reads every file, in order.
pub(crate) fn collect(report: &mut Report<'_>) -> Definitions {
    let mut definitions = Definitions::default();
    for (file, source) in report.sources.iter().enumerate() {
        let (documents, error) = read(&source.text, file);
        for document in documents.documents().iter() {
            read_document(document, report, &mut definitions);
        }
        if let Some(error) = error {
            let fault = Fault::error(Code::ErrYamlParse, error.message);
            report.at(error.place, "", fault);
        }
    }
    definitions
}

fn read_document(document: Node<'_>, report: &mut Report<'_>, definitions: &mut Definitions) {
    let items = match document.kind() {
        Kind::Sequence(items) => items,
        Kind::Null => return,
        Kind::Mapping(_) | Kind::Scalar(_) => {
            let message = "rules content is not a YAML array of objects";
            report.at(
                first(document),
                "",
                Fault::error(Code::ErrYamlValidate, message),
            );
            return;
        }
    };
    for item in items.iter().filter(|item| !item.is_null()) {
        read_item(item, report, definitions);
    }
}

/// The beginning of a node, for faults that concern all of it.
fn first(node: Node<'_>) -> Place {
    Place {
        end: node.place().start + 1,
        ..node.place()
    }
}

fn read_item(node: Node<'_>, report: &mut Report<'_>, definitions: &mut Definitions) {
    if node.mapping().is_none() {
        let message = "unexpected element type: each element should be a YAML mapping";
        report.at(
            first(node),
            "",
            Fault::error(Code::ErrYamlValidate, message),
        );
        return;
    }
    let kinds = [
        "required_engine_version",
        "required_plugin_versions",
        "list",
        "macro",
        "rule",
    ];
    let Some((kind, name)) = kinds.iter().find_map(|kind| Some((*kind, node.get(kind)?))) else {
        let message = "unknown top level item";
        let help = "an item starts with `rule`, `macro`, `list`, `required_engine_version` or \
                    `required_plugin_versions`";
        let fault = Fault::warning(Code::UnknownItem, message).help(Some(help.to_owned()));
        report.at(first(node), "", fault);
        return;
    };
    match kind {
        "required_engine_version" => versions::engine(name, report),
        "required_plugin_versions" => versions::plugins(name, report),
        _ => {
            let name = name.scalar().unwrap_or_default();
            let subject = Subject { kind, name };
            let mut item = Item::new(node, subject, report);
            let Some(name) = item.name(kind) else {
                return;
            };
            let done = match kind {
                "list" => read_list(&name, &mut item, definitions),
                "macro" => read_macro(&name, &mut item, definitions),
                _ => rule::read(&name, &mut item, definitions),
            };
            // What made `done` empty has been reported.
            if done.is_some() {
                item.warn_of_unknown_keys();
            }
        }
    }
}

/// How the names of macros and lists must look to be used in conditions.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Lists may have dashes and dots too.
fn is_list_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
}

fn read_list(name: &str, item: &mut Item<'_, '_, '_>, definitions: &mut Definitions) -> Option<()> {
    if !is_list_name(name) {
        item.warn(
            Code::InvalidListName,
            "list has an invalid name. List names should match a regular expression: \
             ^[a-zA-Z0-9_./-]+$",
        );
    }
    let items = item.required("items")?;
    let Some(nodes) = items.sequence() else {
        item.error_at(items, "the value of `items` must be a list");
        return None;
    };
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes.iter() {
        let Some(value) = node.scalar() else {
            item.error_at(node, "an item of a list must be a plain value");
            return None;
        };
        values.push(value.to_owned());
    }
    let moment = definitions.next_moment();
    let is_append = match item.mode(&["items"])? {
        Override::None => false,
        Override::Append => true,
        Override::Keys(keys) => item
            .overridden(&keys, &["items"], &["items"])?
            .iter()
            .any(|(_, how)| how.is_append()),
    };
    if is_append {
        let Some(list) = definitions.lists.get_mut(name) else {
            item.error(
                "list uses `append` or `override.items: append` but no list by that name already \
                 exists",
            );
            return None;
        };
        list.items.extend(values);
        list.order.visibility = moment;
    } else {
        let list = List {
            name: name.to_owned(),
            place: item.place(),
            order: Order::default(),
            items: values,
        };
        definitions.lists.define(list, moment);
    }
    Some(())
}

fn read_macro(
    name: &str,
    item: &mut Item<'_, '_, '_>,
    definitions: &mut Definitions,
) -> Option<()> {
    if !is_identifier(name) {
        item.warn(
            Code::InvalidMacroName,
            "macro has an invalid name. Macro names should match a regular expression: \
             ^[a-zA-Z]+[a-zA-Z0-9_]*$",
        );
    }
    let condition = item.required_text("condition")?;
    let moment = definitions.next_moment();
    let is_append = match item.mode(&["condition"])? {
        Override::None => false,
        Override::Append => true,
        Override::Keys(keys) => item
            .overridden(&keys, &["condition"], &["condition"])?
            .iter()
            .any(|(_, how)| how.is_append()),
    };
    if is_append {
        let Some(known) = definitions.macros.get_mut(name) else {
            item.error(
                "macro uses `append` or `override.condition: append` but no macro by that name \
                 already exists",
            );
            return None;
        };
        known.condition.append(&condition);
        known.order.visibility = moment;
    } else {
        let known = Macro {
            name: name.to_owned(),
            place: item.place(),
            order: Order::default(),
            condition,
        };
        definitions.macros.define(known, moment);
    }
    Some(())
}

/// A scalar's text with its place.
fn text_of(node: Node<'_>) -> Option<Text> {
    node.scalar()
        .map(|text| Text::new(text.to_owned(), node.place()))
}
