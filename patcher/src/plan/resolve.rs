//! Resolves intrinsics as far as a template, given parameters and pseudo parameters allow: enough
//! to know which image a container runs.

use super::task::Surroundings;
use super::{Planner, present};
use crate::image::{ImageFacts, ImageRequest};
use crate::value::Value;

/// Intrinsics nested deeper than this are not resolved.
const MAX_DEPTH: usize = 32;

impl Planner<'_> {
    /// What is known of a container's image. An image that nobody has looked up is noted in
    /// `needs` and counts as unknown.
    pub(super) fn image_facts(
        &mut self,
        around: &Surroundings<'_>,
        container: &Value,
    ) -> ImageFacts {
        let Some(image) = present(container, "Image") else {
            return ImageFacts::Unknown("the container has no Image".to_owned());
        };
        let architecture = present(around.properties, "RuntimePlatform")
            .and_then(|platform| present(platform, "CpuArchitecture"))
            .and_then(|value| self.text(value, 0).ok());
        let arm = architecture.is_some_and(|name| name.eq_ignore_ascii_case("ARM64"));
        self.facts_of(image, if arm { "arm64" } else { "amd64" })
    }

    fn facts_of(&mut self, image: &Value, architecture: &str) -> ImageFacts {
        if let Some(condition) = first_condition(image) {
            let yes = self.facts_of(&assume(image, &condition, true), architecture);
            let no = self.facts_of(&assume(image, &condition, false), architecture);
            return if yes == no {
                yes
            } else {
                ImageFacts::If(condition, yes.into(), no.into())
            };
        }
        let name = match self.text(image, 0) {
            Ok(name) => name,
            Err(reason) => return ImageFacts::Unknown(reason),
        };
        let request = ImageRequest {
            image: name,
            architecture: architecture.to_owned(),
        };
        match self.images.find(&request) {
            Some(Ok(config)) => ImageFacts::Known(config.clone()),
            Some(Err(reason)) => ImageFacts::Unknown(reason.to_owned()),
            None => {
                let reason = format!("`{}` was not looked up", request.image);
                self.plan.needs.insert(request);
                ImageFacts::Unknown(reason)
            }
        }
    }

    /// Returns the text that a value resolves to, or why it does not.
    fn text(&self, value: &Value, depth: usize) -> Result<String, String> {
        if depth > MAX_DEPTH {
            return Err("its name is nested too deep".to_owned());
        }
        if let Some(text) = value.scalar_text() {
            return Ok(text);
        }
        match value.intrinsic() {
            Some(("Ref", name)) => self.reference(name.as_str().unwrap_or_default()),
            Some(("Fn::Sub", argument)) => self.substitute(argument, depth),
            Some(("Fn::Join", Value::List(arguments))) => match arguments.as_slice() {
                [delimiter, items] => {
                    let delimiter = self.text(delimiter, depth + 1)?;
                    Ok(self.texts(items, depth + 1)?.join(&delimiter))
                }
                _ => Err("`Fn::Join` needs a delimiter and a list".to_owned()),
            },
            Some(("Fn::Select", Value::List(arguments))) => match arguments.as_slice() {
                [index, items] => {
                    let index = self.text(index, depth + 1)?;
                    let items = self.texts(items, depth + 1)?;
                    let index = index
                        .parse::<usize>()
                        .map_err(|_| "`Fn::Select` needs an index")?;
                    items
                        .get(index)
                        .cloned()
                        .ok_or_else(|| "`Fn::Select` finds nothing".to_owned())
                }
                _ => Err("`Fn::Select` needs an index and a list".to_owned()),
            },
            Some(("Fn::FindInMap", Value::List(keys))) => self.in_map(keys, depth),
            Some((name, _)) => Err(format!("`{name}` is known only to CloudFormation")),
            None => Err(format!("its name is {}", value.kind())),
        }
    }

    fn texts(&self, value: &Value, depth: usize) -> Result<Vec<String>, String> {
        match (value, value.intrinsic()) {
            (Value::List(items), _) => items
                .iter()
                .map(|item| self.text(item, depth + 1))
                .collect(),
            (_, Some(("Fn::Split", Value::List(arguments)))) => match arguments.as_slice() {
                [delimiter, source] => {
                    let delimiter = self.text(delimiter, depth + 1)?;
                    let source = self.text(source, depth + 1)?;
                    Ok(source.split(&delimiter).map(str::to_owned).collect())
                }
                _ => Err("`Fn::Split` needs a delimiter and a string".to_owned()),
            },
            (_, Some(("Ref", name))) => {
                let text = self.reference(name.as_str().unwrap_or_default())?;
                Ok(text.split(',').map(|item| item.trim().to_owned()).collect())
            }
            _ => Err(format!("expected a list, found {}", value.kind())),
        }
    }

    fn reference(&self, name: &str) -> Result<String, String> {
        let given = self.options.parameters.iter().find(|(key, _)| key == name);
        if let Some((_, value)) = given {
            return Ok(value.clone());
        }
        let pseudo = match name {
            "AWS::Region" => self.options.region.clone(),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            _ => None,
        };
        let default = || {
            let parameter = self.root.get("Parameters")?.get(name)?;
            let from_store = parameter.get("Type")?.as_str()?.starts_with("AWS::SSM::");
            if from_store {
                None
            } else {
                parameter.get("Default")?.scalar_text()
            }
        };
        pseudo
            .or_else(default)
            .ok_or_else(|| format!("`{name}` has no value; give one with --parameter {name}=…"))
    }

    fn substitute(&self, argument: &Value, depth: usize) -> Result<String, String> {
        let (template, local) = match argument {
            Value::List(arguments) => match arguments.as_slice() {
                [template, local] => (template.as_str(), Some(local)),
                _ => (None, None),
            },
            other => (other.as_str(), None),
        };
        let template = template.ok_or_else(|| "`Fn::Sub` needs a string".to_owned())?;
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| "`${` is not closed".to_owned())?;
            out.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => {
                    out.push_str("${");
                    out.push_str(literal);
                    out.push('}');
                }
                None => match local.and_then(|local| local.get(name.trim())) {
                    Some(value) => out.push_str(&self.text(value, depth + 1)?),
                    None => out.push_str(&self.reference(name.trim())?),
                },
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn in_map(&self, keys: &[Value], depth: usize) -> Result<String, String> {
        let found = keys
            .iter()
            .try_fold(self.root.get("Mappings"), |map, key| {
                let key = self.text(key, depth + 1)?;
                Ok::<_, String>(map.and_then(|map| map.get(&key)))
            })?;
        let found = found.ok_or_else(|| "`Fn::FindInMap` finds nothing".to_owned())?;
        self.text(found, depth + 1)
    }
}

/// The condition of the first `Fn::If` in a value.
fn first_condition(value: &Value) -> Option<Value> {
    if let Some((condition, _, _)) = value.branches() {
        return Some(condition.clone());
    }
    match value {
        Value::List(items) => items.iter().find_map(first_condition),
        Value::Map(entries) => entries.iter().find_map(|(_, value)| first_condition(value)),
        _ => None,
    }
}

/// The value under a condition that is known.
fn assume(value: &Value, condition: &Value, holds: bool) -> Value {
    if let Some((found, yes, no)) = value.branches()
        && found == condition
    {
        return assume(if holds { yes } else { no }, condition, holds);
    }
    match value {
        Value::List(items) => Value::List(
            items
                .iter()
                .map(|item| assume(item, condition, holds))
                .collect(),
        ),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), assume(value, condition, holds)))
                .collect(),
        ),
        scalar => scalar.clone(),
    }
}
