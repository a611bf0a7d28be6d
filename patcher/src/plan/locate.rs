//! Finds task definitions.

use super::{Problem, camel, property};
use crate::path::Path;
use crate::value::Value;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bare list of container definitions, as Terraform has it.
    Containers,
    /// What `describe-task-definition` prints.
    Described,
    /// What `register-task-definition` takes.
    TaskDefinition,
    /// A CloudFormation template.
    Template,
}

/// How keys are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `entryPoint`: the ECS API.
    Camel,
    /// `EntryPoint`: CloudFormation.
    Pascal,
}

impl Dialect {
    /// Spells a key that is given as CloudFormation spells it.
    pub fn key(self, name: &str) -> String {
        match self {
            Self::Camel => camel(name),
            Self::Pascal => name.to_owned(),
        }
    }

    /// Spells every key of a value, but not those of maps that users fill.
    pub fn spell(self, value: Value) -> Value {
        match value {
            Value::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let free = key == "DockerLabels" || key == "Options";
                        let value = if free || crate::value::is_function(&key) {
                            value
                        } else {
                            self.spell(value)
                        };
                        (self.key(&key), value)
                    })
                    .collect(),
            ),
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| self.spell(item)).collect())
            }
            scalar => scalar,
        }
    }
}

/// One task definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Task<'v> {
    /// Logical name or family.
    pub name: String,
    /// Where its value is.
    pub path: Path,
    /// The map that has `ContainerDefinitions`; for a bare list, the list itself. A resource may
    /// lack it.
    pub value: Option<&'v Value>,
    /// How its keys are spelt.
    pub dialect: Dialect,
    /// What the file is.
    pub kind: Kind,
}

/// Returns what kind of file a value is.
pub fn kind(root: &Value) -> Option<Kind> {
    let containers = |value| property(value, "ContainerDefinitions").is_some();
    if root
        .get("Resources")
        .is_some_and(|resources| resources.as_map().is_some())
    {
        Some(Kind::Template)
    } else if containers(root) {
        Some(Kind::TaskDefinition)
    } else if root.get("taskDefinition").is_some_and(containers) {
        Some(Kind::Described)
    } else if root
        .as_list()
        .is_some_and(|items| items.iter().any(is_container))
    {
        Some(Kind::Containers)
    } else {
        None
    }
}

fn is_container(value: &Value) -> bool {
    property(value, "Image").is_some() && property(value, "Name").is_some()
}

/// Returns every task definition of a file, in order.
pub fn locate(root: &Value) -> Result<Vec<Task<'_>>, Problem> {
    let single = |value, path: Path, kind| {
        let family = property(value, "Family").and_then(|(_, value)| value.as_str());
        let dialect = match property(value, "ContainerDefinitions") {
            Some(("ContainerDefinitions", _)) => Dialect::Pascal,
            _ => Dialect::Camel,
        };
        vec![Task {
            name: family.unwrap_or("task definition").to_owned(),
            path,
            value: Some(value),
            dialect,
            kind,
        }]
    };
    match kind(root) {
        Some(Kind::Template) => {
            let mut tasks = Vec::new();
            if let Some(resources) = root.get("Resources") {
                resources_of(resources, &Path::root().key("Resources"), &mut tasks);
            }
            Ok(tasks)
        }
        Some(kind @ Kind::TaskDefinition) => Ok(single(root, Path::root(), kind)),
        Some(kind @ Kind::Described) => {
            let inner = root.get("taskDefinition").unwrap_or(root);
            Ok(single(inner, Path::root().key("taskDefinition"), kind))
        }
        Some(kind @ Kind::Containers) => {
            let pascal = |item: &Value| item.get("Image").is_some();
            let pascal = root.as_list().is_some_and(|items| items.iter().all(pascal));
            let dialect = if pascal { Dialect::Pascal } else { Dialect::Camel };
            let name = "containers".to_owned();
            Ok(vec![Task { name, path: Path::root(), value: Some(root), dialect, kind }])
        }
        None => Err(Problem::Invalid {
            path: Path::root(),
            message: "expected a CloudFormation template (`Resources`), an ECS task definition (`containerDefinitions`) or a list of container definitions".to_owned(),
        }),
    }
}

fn resources_of<'v>(resources: &'v Value, path: &Path, tasks: &mut Vec<Task<'v>>) {
    for (name, resource) in resources.as_map().unwrap_or_default() {
        if name.starts_with("Fn::ForEach::") {
            if let Some(body) = resource.as_list().and_then(|arguments| arguments.get(2)) {
                resources_of(body, &path.key(name).index(2), tasks);
            }
        } else if resource.get("Type").and_then(Value::as_str) == Some("AWS::ECS::TaskDefinition") {
            tasks.push(Task {
                name: name.clone(),
                path: path.key(name).key("Properties"),
                value: resource.get("Properties"),
                dialect: Dialect::Pascal,
                kind: Kind::Template,
            });
        }
    }
}
