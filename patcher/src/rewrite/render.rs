//! Values as text, in the style of the text that they join.

use super::style::Style;
use crate::source::Format;
use crate::value::{Value, is_function};

/// A list of scalars up to this width stays on one line.
const LINE: usize = 76;

impl Style {
    /// Renders a whole template.
    pub(super) fn document(&self, value: &Value) -> String {
        match self.format {
            Format::Json => self.flow(value, ""),
            Format::Yaml => match (self.inline(value), value) {
                (Some(text), _) => text,
                (None, Value::List(items)) => self.block_list(items, 0),
                (None, Value::Map(entries)) if short(value).is_none() => self.block_map(entries, 0),
                (None, other) => self.below(other, 0, false).trim_start().to_owned(),
            },
        }
    }

    /// Renders a value in brackets; `base` is the indentation of the line that it starts on.
    pub(super) fn flow(&self, value: &Value, base: &str) -> String {
        let yaml = self.format == Format::Yaml;
        match value {
            Value::List(items) if items.is_empty() => "[]".to_owned(),
            Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Value::List(items) => {
                let inner = format!("{base}{}", self.step.text());
                let parts: Vec<_> = items.iter().map(|item| self.flow(item, &inner)).collect();
                let width: usize = parts.iter().map(|part| part.len() + 2).sum();
                let scalars = items.iter().all(|item| item.scalar_text().is_some());
                self.join("[]", &parts, base, yaml || scalars && width <= LINE)
            }
            Value::Map(entries) => {
                if yaml && let Some((tag, argument)) = short(value) {
                    return format!("{tag} {}", self.flow(argument, base));
                }
                let inner = format!("{base}{}", self.step.text());
                let parts: Vec<_> = entries
                    .iter()
                    .map(|(key, v)| self.flow_entry(key, v, &inner))
                    .collect();
                let reference = entries.len() == 1 && entries[0].0 == "Ref";
                self.join("{}", &parts, base, yaml || reference)
            }
            scalar if yaml => yaml_scalar(scalar),
            scalar => json_scalar(scalar),
        }
    }

    /// Renders one entry of a map in brackets.
    pub(super) fn flow_entry(&self, key: &str, value: &Value, base: &str) -> String {
        match self.format {
            Format::Json => {
                format!("{}:{}{}", quoted(key), self.colon, self.flow(value, base))
            }
            Format::Yaml => format!("{}: {}", yaml_key(key), self.flow(value, base)),
        }
    }

    fn join(&self, brackets: &str, parts: &[String], base: &str, one_line: bool) -> String {
        let (open, close) = brackets.split_at(1);
        if one_line || !self.spread {
            return format!("{open}{}{close}", parts.join(&format!(",{}", self.comma)));
        }
        let line = format!("{}{base}{}", self.newline, self.step.text());
        let body = parts.join(&format!(",{line}"));
        format!("{open}{line}{body}{}{base}{close}", self.newline)
    }

    /// Renders a YAML value that fits on the line of its key, or nothing.
    pub(super) fn inline(&self, value: &Value) -> Option<String> {
        match value {
            Value::List(items) => {
                let flat = |item: &Value| {
                    item.scalar_text().is_some()
                        || short(item).is_some_and(|(_, argument)| argument.scalar_text().is_some())
                };
                let text = self.flow(value, "");
                (items.iter().all(flat) && text.len() <= LINE).then_some(text)
            }
            Value::Map(entries) if entries.is_empty() => Some("{}".to_owned()),
            Value::Map(_) => {
                let (tag, argument) = short(value)?;
                Some(format!("{tag} {}", self.inline(argument)?))
            }
            scalar => Some(yaml_scalar(scalar)),
        }
    }

    /// Renders a YAML value after a colon or, for an item, a dash at column `indent`; starts with
    /// a space or a line end.
    pub(super) fn below(&self, value: &Value, indent: usize, item: bool) -> String {
        if let Some(text) = self.inline(value) {
            return format!(" {text}");
        }
        let dash = if item { 2 } else { self.dash };
        let line = |column: usize| format!("{}{}", self.newline, " ".repeat(column));
        match value {
            Value::List(items) if item => format!(" {}", self.block_list(items, indent + 2)),
            Value::List(items) => {
                format!(
                    "{}{}",
                    line(indent + dash),
                    self.block_list(items, indent + dash)
                )
            }
            Value::Map(entries) => {
                if let Some((tag, argument)) = short(value) {
                    let body = match argument {
                        Value::List(items) => {
                            let at = indent + dash.max(usize::from(item) * 2);
                            format!("{}{}", line(at), self.block_list(items, at))
                        }
                        other => self.below(other, indent + usize::from(item) * 2, false),
                    };
                    return format!(" {tag}{body}");
                }
                if item {
                    format!(" {}", self.block_map(entries, indent + 2))
                } else {
                    let at = indent + self.step.width();
                    format!("{}{}", line(at), self.block_map(entries, at))
                }
            }
            _ => String::new(),
        }
    }

    /// Renders one entry of an indented map, without the indentation of its first line.
    pub(super) fn entry(&self, key: &str, value: &Value, indent: usize) -> String {
        format!("{}:{}", yaml_key(key), self.below(value, indent, false))
    }

    /// Renders the items of an indented list, without the indentation of the first line.
    pub(super) fn block_list(&self, items: &[Value], indent: usize) -> String {
        let line = format!("{}{}", self.newline, " ".repeat(indent));
        let parts: Vec<_> = items
            .iter()
            .map(|item| format!("-{}", self.below(item, indent, true)))
            .collect();
        parts.join(&line)
    }

    fn block_map(&self, entries: &[(String, Value)], indent: usize) -> String {
        let line = format!("{}{}", self.newline, " ".repeat(indent));
        let parts: Vec<_> = entries
            .iter()
            .map(|(key, v)| self.entry(key, v, indent))
            .collect();
        parts.join(&line)
    }
}

/// Renders a string.
pub(super) fn string(text: &str, format: Format) -> String {
    match format {
        Format::Json => quoted(text),
        Format::Yaml => yaml_scalar(&Value::string(text)),
    }
}

/// Returns the tag and argument of an intrinsic that YAML can write short. A tag cannot stand in
/// front of another tag, so a function of a function stays long.
fn short(value: &Value) -> Option<(String, &Value)> {
    let (name, argument) = value.intrinsic()?;
    if argument.intrinsic().is_some() {
        return None;
    }
    let name = name.strip_prefix("Fn::").unwrap_or(name);
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| (format!("!{name}"), argument))
}

fn yaml_key(key: &str) -> String {
    let function = is_function(key) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':');
    if function {
        key.to_owned()
    } else {
        yaml_scalar(&Value::string(key))
    }
}

fn yaml_scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bare(text) => text.clone(),
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) if text.chars().all(is_single_quotable) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        other => json_scalar(other),
    }
}

fn is_single_quotable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Text that every YAML version reads as itself, in block and in flow.
fn is_plain(text: &str) -> bool {
    const RESERVED: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let first = text.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/' || byte == b'_')
        && !text.ends_with(':')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_.-:+@=".contains(&byte))
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn json_scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.clone(),
        Value::String(text) | Value::Bare(text) => quoted(text),
        Value::List(_) | Value::Map(_) => String::new(),
    }
}

/// Quotes a string as JSON does; the same text is a YAML double-quoted scalar.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // YAML forbids these unescaped; JSON allows the escape.
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let code = u32::from(c);
                for shift in [12, 8, 4, 0] {
                    out.extend(char::from_digit((code >> shift) & 0xf, 16));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
