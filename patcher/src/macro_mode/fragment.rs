//! The part of a template that a macro is given.
//!
//! A macro named in `Transform` gets the whole template. One that stands in `Fn::Transform` gets
//! what stands beside it: the properties of a resource, a resource, all resources, or a list.

use crate::plan::kind;
use crate::value::Value;

/// A part of a template, and what must stand around it to make a template.
pub(super) struct Fragment {
    value: Value,
    around: Around,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    /// It can be planned as it is.
    Nothing,
    /// It is one resource.
    Resource,
    /// It is the `Resources` section.
    Resources,
}

/// The name of a resource that has none here.
const NAME: &str = "Task";

impl Fragment {
    /// Recognises a fragment.
    pub(super) fn of(value: &Value) -> Result<Self, String> {
        let typed = |value: &Value| value.get("Type").and_then(Value::as_str).is_some();
        let resources = value.as_map().is_some_and(|entries| {
            !entries.is_empty() && entries.iter().all(|(_, resource)| typed(resource))
        });
        let around = if kind(value).is_some() {
            Around::Nothing
        } else if typed(value) {
            Around::Resource
        } else if resources {
            Around::Resources
        } else {
            return Err(
                "this part of a template has no task definition: put the transform on the template, a task definition or its ContainerDefinitions".to_owned(),
            );
        };
        Ok(Self {
            value: value.clone(),
            around,
        })
    }

    /// The template around the fragment.
    pub(super) fn template(&self) -> Value {
        let value = self.value.clone();
        match self.around {
            Around::Nothing => value,
            Around::Resource => Value::map([("Resources", Value::map([(NAME, value)]))]),
            Around::Resources => Value::map([("Resources", value)]),
        }
    }

    /// Takes the fragment out of the template around it.
    pub(super) fn part(&self, template: Value) -> Value {
        let inside = |value: Value, name: &str| match value {
            Value::Map(entries) => entries
                .into_iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        };
        match self.around {
            Around::Nothing => template,
            Around::Resource => inside(template, "Resources")
                .and_then(|resources| inside(resources, NAME))
                .unwrap_or(Value::Null),
            Around::Resources => inside(template, "Resources").unwrap_or(Value::Null),
        }
    }
}
