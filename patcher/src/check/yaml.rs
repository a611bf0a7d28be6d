//! YAML as `yaml_serde`, a libyaml, reads it: no code in common with our reader.

use yaml_serde::Value as Yaml;

use crate::value::Value;

/// Reads a whole text.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut yaml: Yaml = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    yaml.apply_merge().map_err(|error| error.to_string())?;
    convert(yaml)
}

fn convert(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Number(number) => Value::Number(number.to_string()),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => {
            Value::List(items.into_iter().map(convert).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Ok((key_text(key)?, convert(value)?)))
                .collect::<Result<_, String>>()?,
        ),
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let key = match name {
                "Ref" | "Condition" => name.to_owned(),
                _ => format!("Fn::{name}"),
            };
            Value::map([(key, convert(tagged.value)?)])
        }
    })
}

/// Keys that look like numbers or booleans are strings in a template.
fn key_text(key: Yaml) -> Result<String, String> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(value) => Ok(value.to_string()),
        _ => Err("a key that is no string".to_owned()),
    }
}
