//! Exceptions of rules: `fields`, `comps` and `values` that take events out of a rule.

use super::item::Item;
use crate::ast::{Modifier, Op};
use crate::definitions::{Entry, Exception};
use crate::diagnostic::Code;
use crate::source::{Fault, Text};
use crate::suggest::suggestion;
use crate::yaml::{Kind, Node};

/// Whether exceptions are defined or added to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Append,
    Define,
}

/// Reads `exceptions`; none when the key is not there.
pub(super) fn read(item: &mut Item<'_, '_, '_>, mode: Mode) -> Option<Vec<Exception>> {
    let Some(node) = item.get("exceptions").filter(|node| !node.is_null()) else {
        return Some(Vec::new());
    };
    let Some(entries) = node.sequence() else {
        item.error_at(node, "rule exceptions must be a sequence");
        return None;
    };
    let mut exceptions = Vec::new();
    // All are read before giving up, so that all that is wrong is told.
    for entry in entries.iter() {
        exceptions.push(read_one(entry, item, mode));
    }
    exceptions.into_iter().collect()
}

fn read_one(node: Node<'_>, item: &mut Item<'_, '_, '_>, mode: Mode) -> Option<Exception> {
    let Some(name) = node.get("name").and_then(Node::scalar) else {
        item.error_at(node, "rule exception item must have name property");
        return None;
    };
    let fields = node.get("fields").map(entry);
    let comps = node.get("comps").map(entry);
    if fields.is_none() && mode == Mode::Define {
        item.error_at(node, "item has no mapping for key `fields`");
        return None;
    }
    let values = match node.get("values") {
        None => {
            if mode == Mode::Append {
                let message = format!("overriding/appending exception with no values: `{name}`");
                let fault = Fault::warning(Code::AppendNoValues, message);
                item.fault(super::first(node), fault);
            }
            Vec::new()
        }
        Some(values) => {
            let Some(values) = values.sequence() else {
                item.error_at(values, "the values of an exception must be a list");
                return None;
            };
            values.iter().map(entry).collect()
        }
    };
    let exception = Exception {
        name: name.to_owned(),
        place: super::first(node),
        fields,
        comps,
        values,
    };
    if exception.fields.is_some() {
        check(&exception, node, item)?;
    }
    Some(exception)
}

fn entry(node: Node<'_>) -> Entry {
    match node.kind() {
        Kind::Scalar(text) => Entry::Scalar(Text::new(text.to_owned(), node.place())),
        Kind::Sequence(items) => Entry::List(items.iter().map(entry).collect()),
        Kind::Mapping(_) | Kind::Null => Entry::List(Vec::new()),
    }
}

/// Whether `comp` compares one field: an operator, or a string operator with a modifier.
fn is_comparison(comp: &str) -> bool {
    let mut words = comp.split_whitespace();
    let op = words.next().and_then(|word| match word {
        "==" => Some(Op::Equal),
        word => Op::parse(word),
    });
    match (op, words.next(), words.next()) {
        (Some(op), None, None) => op != Op::Exists,
        (Some(op), Some(modifier), None) => {
            Modifier::parse(modifier).is_some()
                && !op.takes_list()
                && !op.takes_number()
                && op != Op::Exists
        }
        _ => false,
    }
}

/// Checks what can be checked without knowing the fields.
fn check(exception: &Exception, node: Node<'_>, item: &mut Item<'_, '_, '_>) -> Option<()> {
    let name = &exception.name;
    match &exception.fields {
        Some(Entry::List(fields)) => {
            if let Some(Entry::Scalar(_)) = exception.comps {
                item.error_at(
                    node,
                    format!("exception `{name}`: fields is a list, so comps must be a list too"),
                );
                return None;
            }
            let Some(Entry::List(comps)) = &exception.comps else {
                return Some(());
            };
            if comps.len() != fields.len() {
                let message =
                    format!("exception `{name}`: fields and comps lists must have equal length");
                item.error_at(node, message);
                return None;
            }
            for comp in comps {
                let Entry::Scalar(comp) = comp else {
                    item.error_at(node, "a comparison operator must be a string");
                    return None;
                };
                if !is_comparison(&comp.joined) {
                    let word = comp.joined.trim();
                    let message = format!(
                        "exception `{name}`: `{word}` is not a supported comparison operator"
                    );
                    let near = suggestion(word, Op::ALL.iter().map(|op| op.as_str()))
                        .map(|near| format!("is `{near}` meant?"));
                    let fault = Fault::error(Code::ErrYamlValidate, message).help(near);
                    item.fault(comp.place(), fault);
                    return None;
                }
            }
        }
        Some(Entry::Scalar(_)) => match &exception.comps {
            None => {}
            Some(Entry::Scalar(comp))
                if Op::parse(comp.joined.trim()).is_some_and(Op::takes_list) => {}
            Some(_) => {
                let message = format!(
                    "exception `{name}`: fields is one field, so comps must be one of (in, \
                     pmatch, intersects)"
                );
                item.error_at(node, message);
                return None;
            }
        },
        None => {}
    }
    Some(())
}

/// Adds to the exceptions of a rule that is there: values to the known ones, and new ones.
pub(super) fn append(
    known: &mut Vec<Exception>,
    more: Vec<Exception>,
    item: &mut Item<'_, '_, '_>,
) -> Option<()> {
    for exception in more {
        let name = exception.name.clone();
        let Some(target) = known.iter_mut().find(|target| target.name == name) else {
            if exception.fields.is_none() {
                item.error(format!(
                    "rule exception `{name}` must have fields property with a list of fields"
                ));
                return None;
            }
            if exception.values.is_empty() {
                item.error(format!(
                    "rule exception `{name}` must have values property with a list of values"
                ));
                return None;
            }
            known.push(exception);
            continue;
        };
        if exception.fields.is_some() {
            item.error(format!(
                "can not append exception fields to existing exception `{name}`, only values"
            ));
            return None;
        }
        if exception.comps.is_some() {
            item.error(format!(
                "can not append exception comps to existing exception `{name}`, only values"
            ));
            return None;
        }
        target.values.extend(exception.values);
    }
    Some(())
}

/// Warns when two exceptions of one definition have the same name.
pub(super) fn warn_of_repeated_names(exceptions: &[Exception], item: &mut Item<'_, '_, '_>) {
    let mut names: Vec<&str> = exceptions.iter().map(|e| &*e.name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() == exceptions.len() {
        return;
    }
    for name in names {
        if exceptions.iter().filter(|e| e.name == name).count() > 1 {
            item.warn(
                Code::ExceptionNameNotUnique,
                format!("multiple definitions of exception `{name}` in the same rule"),
            );
        }
    }
}
