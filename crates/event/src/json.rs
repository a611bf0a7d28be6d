//! An alert as Falco's JSON line.

use std::fmt::Write as _;

use crate::clock::{Shape, time_string};
use crate::{Alert, FieldValue};

/// What an alert's line holds, by Falco's settings of the same names.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each named as users know it"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// `time_format_iso_8601`: date and time, not only the time of day, in front of the message.
    pub time_format_iso_8601: bool,
    /// `json_include_message_property`: the message on its own, without time and priority.
    pub json_include_message_property: bool,
    /// `json_include_output_fields_property`.
    pub json_include_output_fields_property: bool,
    /// `json_include_output_property`.
    pub json_include_output_property: bool,
    /// `json_include_tags_property`.
    pub json_include_tags_property: bool,
}

impl Form {
    /// What Falco does unless told otherwise.
    pub const USUAL: Self = Self {
        time_format_iso_8601: false,
        json_include_message_property: false,
        json_include_output_fields_property: true,
        json_include_output_property: true,
        json_include_tags_property: true,
    };
}

impl Default for Form {
    fn default() -> Self {
        Self::USUAL
    }
}

impl Alert {
    /// The line that Falco prints with `json_output`: the same keys in the same order, the same
    /// types, the same formats of time; without a line break.
    pub fn to_json(&self) -> String {
        self.to_json_as(&Form::USUAL)
    }

    /// The same with some keys more or less.
    pub fn to_json_as(&self, form: &Form) -> String {
        let mut out = String::with_capacity(512);
        out.push_str("{\"hostname\":");
        push_string(&self.hostname, &mut out);
        if form.json_include_message_property {
            out.push_str(",\"message\":");
            push_string(&self.message, &mut out);
        }
        if form.json_include_output_property {
            out.push_str(",\"output\":");
            push_string(&self.to_text_as(form), &mut out);
        }
        if form.json_include_output_fields_property {
            out.push_str(",\"output_fields\":{");
            for (number, (name, value)) in self.output_fields.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                push_string(name, &mut out);
                out.push(':');
                push_value(value, &mut out);
            }
            out.push('}');
        }
        out.push_str(",\"priority\":");
        push_string(self.priority.as_str(), &mut out);
        out.push_str(",\"rule\":");
        push_string(&self.rule, &mut out);
        out.push_str(",\"source\":");
        push_string(&self.source, &mut out);
        if form.json_include_tags_property {
            out.push_str(",\"tags\":[");
            for (number, tag) in self.tags.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                push_string(tag, &mut out);
            }
            out.push(']');
        }
        out.push_str(",\"time\":");
        push_string(&time_string(self.time, Shape::Iso8601), &mut out);
        out.push('}');
        out
    }

    /// The line that Falco prints without `json_output`: time, priority and message.
    pub fn to_text(&self) -> String {
        self.to_text_as(&Form::USUAL)
    }

    /// The same with the time in this form.
    pub fn to_text_as(&self, form: &Form) -> String {
        let shape = if form.time_format_iso_8601 {
            Shape::Iso8601Offset
        } else {
            Shape::TimeOfDayNanos
        };
        let time = time_string(self.time, shape);
        format!("{time}: {} {}", self.priority.as_str(), self.message)
    }
}

fn push_value(value: &FieldValue, out: &mut String) {
    let written = match value {
        FieldValue::Bool(value) => write!(out, "{value}"),
        FieldValue::Int(value) => write!(out, "{value}"),
        FieldValue::Null => out.write_str("null"),
        FieldValue::Text(value) => {
            push_string(value, out);
            Ok(())
        }
        FieldValue::Uint(value) => write!(out, "{value}"),
    };
    written.expect("writing to memory does not fail");
}

/// Quotes and escapes a string, as JSON wants it.
fn push_string(string: &str, out: &mut String) {
    out.push('"');
    for character in string.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                write!(out, "\\u{:04x}", u32::from(control))
                    .expect("writing to memory does not fail");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use crate::{Alert, FieldValue, Form, Priority};

    fn alert() -> Alert {
        Alert {
            time: 1_709_209_845_000_000_042,
            rule: "Shell \"x\"".to_owned(),
            priority: Priority::Informational,
            source: "syscall".to_owned(),
            tags: vec!["container".to_owned(), "shell".to_owned()],
            hostname: "web".to_owned(),
            message: "a\tb\u{1}".to_owned(),
            output_fields: vec![
                ("evt.time".to_owned(), FieldValue::Uint(1)),
                ("proc.tty".to_owned(), FieldValue::Null),
            ],
        }
    }

    #[test]
    fn settings_change_the_form() {
        let form = Form {
            time_format_iso_8601: true,
            json_include_message_property: true,
            json_include_output_fields_property: false,
            json_include_output_property: true,
            json_include_tags_property: false,
        };
        assert_eq!(
            alert().to_json_as(&form),
            concat!(
                r#"{"hostname":"web","message":"a\tb\u0001","#,
                r#""output":"2024-02-29T12:30:45.000000042+0000: Informational a\tb\u0001","#,
                r#""priority":"Informational","rule":"Shell \"x\"","source":"syscall","#,
                r#""time":"2024-02-29T12:30:45.000000042Z"}"#
            )
        );
    }

    #[test]
    fn an_alert_is_falcos_line() {
        assert_eq!(
            alert().to_json(),
            concat!(
                r#"{"hostname":"web","output":"12:30:45.000000042: Informational a\tb\u0001","#,
                r#""output_fields":{"evt.time":1,"proc.tty":null},"priority":"Informational","#,
                r#""rule":"Shell \"x\"","source":"syscall","tags":["container","shell"],"#,
                r#""time":"2024-02-29T12:30:45.000000042Z"}"#
            )
        );
    }
}
