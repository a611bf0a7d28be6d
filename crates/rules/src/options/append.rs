//! What is appended to the outputs of rules: Falco's `append_output`.

use crate::output::Format;
use crate::ruleset::read_format;
use crate::yaml::{self, Node};

/// What is appended to the outputs of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendOutput {
    rule: Option<String>,
    source: Option<String>,
    tags: Vec<String>,
    pub(super) output: Option<Format>,
    pub(super) fields: Vec<(String, Format)>,
}

/// An output that cannot be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("appended output: {0}")]
pub struct AppendError(String);

impl AppendError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl AppendOutput {
    /// Reads one entry of the list `append_output` of Falco's configuration, or the whole list, as
    /// YAML or JSON: `{match: {rule: …, tags: […], source: …}, extra_output: "…", extra_fields:
    /// [FIELD, {NAME: FORMAT}]}`.
    ///
    /// # Errors
    /// One line that says what is wrong and what may be there.
    pub fn read(text: &str) -> Result<Vec<Self>, AppendError> {
        let (documents, error) = yaml::read(text, 0);
        if let Some(error) = error {
            return Err(AppendError(error.message));
        }
        let mut documents = documents.documents().iter();
        let (Some(document), None) = (documents.next(), documents.next()) else {
            return Err(AppendError::new("one list or one mapping is needed"));
        };
        match document.sequence() {
            Some(items) => items.iter().map(Self::entry).collect(),
            None => Ok(vec![Self::entry(document)?]),
        }
    }

    fn entry(node: Node<'_>) -> Result<Self, AppendError> {
        let mut append = Self::to_all();
        for (key, value) in entries(node, "an entry")? {
            append = match key {
                "match" => append.matching(value)?,
                "extra_output" => append.output(text(value, key)?)?,
                "extra_fields" => append.extra_fields(value)?,
                _ => return Err(unknown(key, "match, extra_output or extra_fields")),
            };
        }
        if append.output.is_none() && append.fields.is_empty() {
            return Err(AppendError::new(
                "an entry needs extra_output or extra_fields",
            ));
        }
        Ok(append)
    }

    fn matching(mut self, node: Node<'_>) -> Result<Self, AppendError> {
        for (key, value) in entries(node, "`match`")? {
            self = match key {
                "rule" => self.rule(text(value, key)?),
                "source" => self.source(text(value, key)?),
                "tags" => {
                    let tags = value.sequence();
                    let tags = tags.ok_or_else(|| AppendError::new("`tags` must be a list"))?;
                    for tag in tags.iter() {
                        self = self.tag(text(tag, key)?);
                    }
                    self
                }
                _ => return Err(unknown(key, "rule, source or tags")),
            };
        }
        Ok(self)
    }

    fn extra_fields(mut self, node: Node<'_>) -> Result<Self, AppendError> {
        let fields = node.sequence();
        let fields = fields.ok_or_else(|| AppendError::new("`extra_fields` must be a list"))?;
        for field in fields.iter() {
            if let Some(name) = field.scalar() {
                self = self.field(name, &format!("%{name}"))?;
                continue;
            }
            for (name, format) in entries(field, "a field of `extra_fields`")? {
                self = self.field(name, text(format, name)?)?;
            }
        }
        Ok(self)
    }

    /// Appends to every rule.
    pub fn to_all() -> Self {
        Self::default()
    }

    /// Only to the rule of this name.
    #[must_use]
    pub fn rule(mut self, name: &str) -> Self {
        self.rule = Some(name.to_owned());
        self
    }

    /// Only to rules of this source.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Only to rules that have this tag, and all others that were asked for.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Text with `%field` in it, put behind the message.
    ///
    /// # Errors
    /// When it names a field that does not exist.
    pub fn output(mut self, text: &str) -> Result<Self, AppendError> {
        self.output = Some(read_format(text).map_err(AppendError)?);
        Ok(self)
    }

    /// An entry of `output_fields`: a field, or text with `%field` in it under a name.
    ///
    /// # Errors
    /// When it names a field that does not exist.
    pub fn field(mut self, name: &str, format: &str) -> Result<Self, AppendError> {
        let format = read_format(format).map_err(AppendError)?;
        self.fields.push((name.to_owned(), format));
        Ok(self)
    }

    pub(super) fn is_for(&self, rule: &str, source: &str, tags: &[String]) -> bool {
        self.rule.as_ref().is_none_or(|wanted| wanted == rule)
            && self.source.as_ref().is_none_or(|wanted| wanted == source)
            && self.tags.iter().all(|wanted| tags.contains(wanted))
    }
}

/// The entries of a mapping.
fn entries<'n>(node: Node<'n>, what: &str) -> Result<Vec<(&'n str, Node<'n>)>, AppendError> {
    let wrong = || AppendError(format!("{what} must be a mapping"));
    let pair = |(key, value): (Node<'n>, Node<'n>)| Some((key.scalar()?, value));
    let pairs = node.mapping().ok_or_else(wrong)?.pairs().map(pair);
    pairs.collect::<Option<_>>().ok_or_else(wrong)
}

fn text<'n>(node: Node<'n>, key: &str) -> Result<&'n str, AppendError> {
    let text = node.scalar().filter(|text| !text.is_empty());
    text.ok_or_else(|| AppendError(format!("`{key}` must be text")))
}

fn unknown(key: &str, known: &str) -> AppendError {
    AppendError(format!("unknown key `{key}`: it may be {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_falcos_configuration_are_read() {
        let text = "
- match: {source: syscall, tags: [a, b], rule: R}
  extra_output: on CPU %evt.cpu
  extra_fields:
  - home: fixed
  - evt.hostname
- extra_output: \"%proc.name\"
";
        let read = AppendOutput::read(text).unwrap();
        let first = AppendOutput::to_all()
            .rule("R")
            .source("syscall")
            .tag("a")
            .tag("b");
        let first = first.output("on CPU %evt.cpu").unwrap();
        let first = first.field("home", "fixed").unwrap();
        let first = first.field("evt.hostname", "%evt.hostname").unwrap();
        let second = AppendOutput::to_all().output("%proc.name").unwrap();
        assert_eq!(read, [first.clone(), second]);
        let json = r#"{"match":{"rule":"R","source":"syscall","tags":["a","b"]},
            "extra_fields":[{"home":"fixed"},"evt.hostname"],"extra_output":"on CPU %evt.cpu"}"#;
        assert_eq!(AppendOutput::read(json).unwrap(), [first]);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (text, message) in [
            ("{", "not valid YAML"),
            ("", "one list or one mapping"),
            ("[x]", "must be a mapping"),
            ("{extra: x}", "`extra`: it may be match,"),
            (
                "{match: {tag: x}, extra_output: y}",
                "`tag`: it may be rule,",
            ),
            (
                "{match: {tags: x}, extra_output: y}",
                "`tags` must be a list",
            ),
            ("{match: {rule: x}}", "needs extra_output or extra_fields"),
            ("{extra_output: '%proc.nmae'}", "unknown field `proc.nmae`"),
            ("{extra_fields: [proc.nmae]}", "unknown field `proc.nmae`"),
            ("{extra_fields: [{a: [b]}]}", "`a` must be text"),
        ] {
            let error = AppendOutput::read(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
