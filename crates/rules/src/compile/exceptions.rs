//! Exceptions of rules, put behind the condition of their rule as text: `(…) and not (…)`.

use crate::ast::Function;
use crate::check::check_left;
use crate::definitions::{Entry, Exception, Rule};
use crate::diagnostic::Code;
use crate::lex::is_bare;
use crate::parse::{parse_operand, parses};
use crate::source::{Fault, Place, Report, Subject, Text};

/// The condition with its exceptions.
pub(super) fn with_exceptions(rule: &Rule, report: &mut Report<'_>, subject: Subject<'_>) -> Text {
    let mut conditions = Vec::new();
    for exception in &rule.exceptions {
        if exception.values.is_empty() {
            check_fields(exception, report, subject);
            continue;
        }
        match condition(exception) {
            Ok(text) => conditions.push((exception.place, text)),
            Err((message, place)) => {
                let message = format!("exception `{}`: {message}", exception.name);
                let fault = Fault::error(Code::ErrYamlValidate, message);
                report.at(place, subject, fault);
            }
        }
    }
    if conditions.is_empty() {
        return rule.condition.clone();
    }
    let mut whole = Text::default();
    let place = rule.condition.place();
    whole.glue("(", place);
    whole.push(&rule.condition);
    whole.glue(")", place);
    for (place, text) in conditions {
        whole.glue(" and not ", place);
        whole.push(&text);
    }
    whole
}

/// Without values nothing is compared, but a field that does not exist is wrong all the same.
fn check_fields(exception: &Exception, report: &mut Report<'_>, subject: Subject<'_>) {
    let fields = match &exception.fields {
        Some(Entry::List(fields)) => fields.as_slice(),
        Some(field) => std::slice::from_ref(field),
        None => &[],
    };
    for field in fields {
        let Entry::Scalar(field) = field else {
            continue;
        };
        let (message, help) = match parse_operand(&field.joined) {
            Ok(operand) => match check_left(&operand) {
                Ok(()) => continue,
                Err(fault) => (fault.message, fault.help),
            },
            Err(error) => (error.message, None),
        };
        let fault = Fault::error(Code::ErrValidate, message).help(help);
        report.at(field.place(), subject, fault);
    }
}

/// What is wrong, and where.
type Refused = (String, Place);

fn refuse<T>(message: &str, place: Place) -> Result<T, Refused> {
    Err((message.to_owned(), place))
}

/// An exception that has values, as a condition.
fn condition(exception: &Exception) -> Result<Text, Refused> {
    let place = exception.place;
    let mut text = Text::default();
    text.glue("(", place);
    match &exception.fields {
        None => return refuse("it has values, but no fields", place),
        Some(Entry::Scalar(field)) => {
            text.push(field);
            text.glue(" ", place);
            match &exception.comps {
                Some(Entry::Scalar(comp)) => text.push(comp),
                _ => text.glue("in", place),
            }
            text.glue(" (", place);
            let mut values = exception.values.iter();
            let wrong = "fields is one field, so each value must be one value";
            put_values(&mut values, wrong, place, &mut text)?;
            text.glue(")", place);
        }
        Some(Entry::List(fields)) => {
            for (number, value) in exception.values.iter().enumerate() {
                text.glue(if number > 0 { " or (" } else { "(" }, place);
                alternative(exception, fields, value, &mut text)?;
                text.glue(")", place);
            }
        }
    }
    text.glue(")", place);
    Ok(text)
}

/// One list of values: each field compared with its value.
fn alternative(
    exception: &Exception,
    fields: &[Entry],
    value: &Entry,
    text: &mut Text,
) -> Result<(), Refused> {
    let place = exception.place;
    let values = match value {
        Entry::List(values) => values,
        Entry::Scalar(value) => {
            return refuse(
                "fields is a list, so each value must be a list",
                value.place(),
            );
        }
    };
    let place = values.iter().find_map(place_of).unwrap_or(place);
    if values.len() != fields.len() {
        return refuse("fields and values lists must have equal length", place);
    }
    for (number, (field, value)) in fields.iter().zip(values).enumerate() {
        let Entry::Scalar(field) = field else {
            return refuse("a field must be a string", place);
        };
        if number > 0 {
            text.glue(" and ", place);
        }
        text.push(field);
        let comp = match &exception.comps {
            Some(Entry::List(comps)) => comps.get(number).and_then(|comp| match comp {
                Entry::Scalar(comp) => Some(comp),
                Entry::List(_) => None,
            }),
            _ => None,
        };
        text.glue(" ", place);
        match comp {
            Some(comp) => text.push(comp),
            None => text.glue("=", place),
        }
        text.glue(" ", place);
        let comp = comp.map_or("=", |comp| comp.joined.trim());
        let takes_list =
            comp.contains(char::is_whitespace) || matches!(comp, "in" | "intersects" | "pmatch");
        match value {
            Entry::List(items) => {
                text.glue("(", place);
                put_values(&mut items.iter(), "a value cannot hold lists", place, text)?;
                text.glue(")", place);
            }
            Entry::Scalar(value) if takes_list => put_list(value, text),
            Entry::Scalar(value) => put_value(value, text),
        }
    }
    Ok(())
}

fn place_of(entry: &Entry) -> Option<Place> {
    match entry {
        Entry::List(items) => items.iter().find_map(place_of),
        Entry::Scalar(text) => Some(text.place()),
    }
}

/// Values with commas between.
fn put_values(
    values: &mut dyn Iterator<Item = &Entry>,
    wrong: &str,
    place: Place,
    text: &mut Text,
) -> Result<(), Refused> {
    for (number, value) in values.enumerate() {
        let Entry::Scalar(value) = value else {
            return refuse(wrong, place_of(value).unwrap_or(place));
        };
        if number > 0 {
            text.glue(", ", place);
        }
        put_value(value, text);
    }
    Ok(())
}

/// One value where several may stand: `a, b` are two, as for Falco.
fn put_list(value: &Text, text: &mut Text) {
    if value.joined.starts_with('(') {
        text.push(value);
        return;
    }
    text.glue("(", value.place());
    let is_plain = !value.joined.contains(['(', ')']);
    if is_plain && parses(&format!("a.b in ({})", value.joined)) {
        text.push(value);
    } else {
        put_value(value, text);
    }
    text.glue(")", value.place());
}

/// A value as it must stand in a condition. A transformer stays one when nothing in it would need
/// quotes.
fn put_value(value: &Text, text: &mut Text) {
    let word = &*value.joined;
    let is_quoted = word.len() > 1
        && word.starts_with(['"', '\''])
        && word.ends_with(word.chars().next().unwrap_or_default());
    let is_call = !word.contains(' ')
        && word
            .split_once('(')
            .is_some_and(|(name, _)| Function::parse(name).is_some());
    if is_quoted || is_call || !word.is_empty() && word.bytes().all(is_bare) {
        text.push(value);
        return;
    }
    text.glue("\"", value.place());
    match crate::escape::escape(word) {
        std::borrow::Cow::Borrowed(_) => text.push(value),
        std::borrow::Cow::Owned(escaped) => text.glue(&escaped, value.place()),
    }
    text.glue("\"", value.place());
}
