//! Exceptions, put behind the condition of their rule as text: `(…) and not (…)`.

use crate::ast::Function;
use crate::definitions::{Entry, Exception, Rule};
use crate::diagnostic::Code;
use crate::lex::is_bare;
use crate::source::{Fault, Report, Text};

/// The condition with its exceptions.
pub(super) fn with_exceptions(rule: &Rule, report: &mut Report<'_>, subject: &str) -> Text {
    let mut after = String::new();
    for exception in &rule.exceptions {
        match condition(exception) {
            Ok(Some(text)) => {
                after.push_str(" and not ");
                after.push_str(&text);
            }
            Ok(None) => {}
            Err(message) => {
                let fault = Fault::error(Code::ErrYamlValidate, message);
                report.at(exception.place, subject, fault);
            }
        }
    }
    if after.is_empty() {
        rule.condition.clone()
    } else {
        rule.condition.wrap("(", &format!("){after}"))
    }
}

/// An exception as a condition; `None` when it has no values.
fn condition(exception: &Exception) -> Result<Option<String>, String> {
    let name = &exception.name;
    if exception.values.is_empty() {
        return Ok(None);
    }
    match &exception.fields {
        None => Ok(None),
        Some(Entry::Scalar(field)) => {
            let comp = match &exception.comps {
                Some(Entry::Scalar(comp)) => comp.trim(),
                _ => "in",
            };
            let mut values = Vec::new();
            for value in &exception.values {
                match value {
                    Entry::Scalar(value) => values.push(quoted(value)),
                    Entry::List(_) => {
                        return Err(format!(
                            "exception `{name}`: fields is one field, so each value must be one \
                             value"
                        ));
                    }
                }
            }
            Ok(Some(format!("({field} {comp} ({}))", values.join(", "))))
        }
        Some(Entry::List(fields)) => {
            let mut alternatives = Vec::new();
            for value in &exception.values {
                alternatives.push(alternative(exception, fields, value)?);
            }
            Ok(Some(format!("({})", alternatives.join(" or "))))
        }
    }
}

/// One list of values: each field compared with its value.
fn alternative(exception: &Exception, fields: &[Entry], value: &Entry) -> Result<String, String> {
    let name = &exception.name;
    let Entry::List(values) = value else {
        return Err(format!(
            "exception `{name}`: fields is a list, so each value must be a list"
        ));
    };
    if values.len() != fields.len() {
        return Err(format!(
            "exception `{name}`: fields and values lists must have equal length"
        ));
    }
    let mut terms = Vec::new();
    for (number, (field, value)) in fields.iter().zip(values).enumerate() {
        let Entry::Scalar(field) = field else {
            return Err(format!("exception `{name}`: a field must be a string"));
        };
        let comp = match &exception.comps {
            Some(Entry::List(comps)) => match comps.get(number) {
                Some(Entry::Scalar(comp)) => comp.split_whitespace().collect::<Vec<_>>().join(" "),
                _ => "=".to_owned(),
            },
            _ => "=".to_owned(),
        };
        let takes_list = comp.contains(' ') || matches!(&*comp, "in" | "intersects" | "pmatch");
        let value = match value {
            Entry::List(items) => {
                let items = items.iter().filter_map(|item| match item {
                    Entry::Scalar(item) => Some(quoted(item)),
                    Entry::List(_) => None,
                });
                format!("({})", items.collect::<Vec<_>>().join(", "))
            }
            Entry::Scalar(value) if takes_list && !value.starts_with('(') => {
                format!("({})", quoted(value))
            }
            Entry::Scalar(value) if takes_list => value.clone(),
            Entry::Scalar(value) => quoted(value),
        };
        terms.push(format!("{field} {comp} {value}"));
    }
    Ok(format!("({})", terms.join(" and ")))
}

/// A value as it must stand in a condition. A transformer stays one when nothing in it would need
/// quotes.
fn quoted(value: &str) -> String {
    let is_quoted = value.len() > 1
        && value.starts_with(['"', '\''])
        && value.ends_with(value.chars().next().unwrap_or_default());
    let is_call = !value.contains(' ')
        && value
            .split_once('(')
            .is_some_and(|(name, _)| Function::parse(name).is_some());
    if is_quoted || is_call || !value.is_empty() && value.bytes().all(is_bare) {
        value.to_owned()
    } else {
        format!("\"{}\"", crate::escape::escape(value))
    }
}
