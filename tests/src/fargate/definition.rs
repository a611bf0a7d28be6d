//! Reads a task definition: a template's `AWS::ECS::TaskDefinition` or the JSON of
//! `register-task-definition`, with names in either case.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::container::{Condition, Container, Dependency, HealthCheck, VolumesFrom};
use super::intrinsics::{IntrinsicError, Names, text};

/// Why a definition cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// A value that only a deployment would know.
    #[error("cannot resolve the template")]
    Intrinsic(#[from] IntrinsicError),
    /// The text is not JSON.
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    /// Something that every definition has is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A word that ECS does not know either.
    #[error("`{field}` is `{value}`")]
    Value {
        /// Where it stands.
        field: &'static str,
        /// What it says.
        value: String,
    },
}

/// A task definition that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinition {
    /// `Family`.
    pub family: String,
    /// Whether all containers see each other's processes (`PidMode` `task`).
    pub shares_processes: bool,
    /// In the order in which they were written.
    pub containers: Vec<Container>,
}

impl TaskDefinition {
    /// Reads a template (its first task definition) or a task definition.
    pub fn parse(json: &str) -> Result<Self, DefinitionError> {
        let document: Value = serde_json::from_str(json)?;
        let resources = document["Resources"].as_object();
        let properties = match resources {
            None => &document,
            Some(resources) => resources
                .values()
                .find(|resource| resource["Type"] == "AWS::ECS::TaskDefinition")
                .map(|resource| &resource["Properties"])
                .ok_or(DefinitionError::Missing("AWS::ECS::TaskDefinition"))?,
        };
        let properties = Names::of(&document).resolve(properties)?;
        let list = member(&properties, "ContainerDefinitions").as_array();
        let list = list.ok_or(DefinitionError::Missing("ContainerDefinitions"))?;
        Ok(Self {
            family: string(&properties, "Family").unwrap_or_else(|| "task".to_owned()),
            shares_processes: member(&properties, "PidMode") == "task",
            containers: list.iter().map(container).collect::<Result<_, _>>()?,
        })
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers
            .iter()
            .find(|container| container.name == name)
    }
}

fn container(value: &Value) -> Result<Container, DefinitionError> {
    let linux = member(value, "LinuxParameters");
    let capabilities = member(linux, "Capabilities");
    Ok(Container {
        name: string(value, "Name").ok_or(DefinitionError::Missing("Name"))?,
        image: string(value, "Image").ok_or(DefinitionError::Missing("Image"))?,
        essential: flag(value, "Essential").unwrap_or(true),
        entry_point: strings(value, "EntryPoint"),
        command: strings(value, "Command"),
        environment: environment(value),
        user: string(value, "User"),
        working_directory: string(value, "WorkingDirectory"),
        readonly_root: flag(value, "ReadonlyRootFilesystem").unwrap_or(false),
        init: flag(linux, "InitProcessEnabled").unwrap_or(false),
        pseudo_terminal: flag(value, "PseudoTerminal").unwrap_or(false),
        add: strings(capabilities, "Add"),
        drop: strings(capabilities, "Drop"),
        depends_on: items(value, "DependsOn")
            .iter()
            .map(dependency)
            .collect::<Result<_, _>>()?,
        health_check: health_check(member(value, "HealthCheck"))?,
        stop_timeout: seconds(value, "StopTimeout", 30),
        volumes_from: items(value, "VolumesFrom")
            .iter()
            .map(volumes_from)
            .collect::<Result<_, _>>()?,
        ports: items(value, "PortMappings")
            .iter()
            .filter_map(|mapping| number(mapping, "ContainerPort"))
            .filter_map(|port| u16::try_from(port).ok())
            .collect(),
    })
}

fn dependency(value: &Value) -> Result<Dependency, DefinitionError> {
    let word = string(value, "Condition").ok_or(DefinitionError::Missing("Condition"))?;
    let condition = Condition::parse(&word).ok_or(DefinitionError::Value {
        field: "Condition",
        value: word,
    })?;
    let container = string(value, "ContainerName");
    let container = container.ok_or(DefinitionError::Missing("ContainerName"))?;
    Ok(Dependency {
        container,
        condition,
    })
}

fn volumes_from(value: &Value) -> Result<VolumesFrom, DefinitionError> {
    let source = string(value, "SourceContainer");
    let source = source.ok_or(DefinitionError::Missing("SourceContainer"))?;
    Ok(VolumesFrom {
        source,
        read_only: flag(value, "ReadOnly").unwrap_or(false),
    })
}

fn health_check(value: &Value) -> Result<Option<HealthCheck>, DefinitionError> {
    if value.is_null() {
        return Ok(None);
    }
    let words = strings(value, "Command");
    let command = match words.split_first() {
        Some((kind, rest)) if kind == "CMD" => rest.to_vec(),
        Some((kind, rest)) if kind == "CMD-SHELL" => {
            vec!["/bin/sh".to_owned(), "-c".to_owned(), rest.join(" ")]
        }
        Some((kind, _)) => {
            return Err(DefinitionError::Value {
                field: "HealthCheck.Command",
                value: kind.clone(),
            });
        }
        None => return Err(DefinitionError::Missing("HealthCheck.Command")),
    };
    Ok(Some(HealthCheck {
        command,
        interval: seconds(value, "Interval", 30),
        retries: number(value, "Retries")
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(3),
        start_period: seconds(value, "StartPeriod", 0),
    }))
}

fn environment(value: &Value) -> BTreeMap<String, String> {
    items(value, "Environment")
        .iter()
        .filter_map(|entry| Some((string(entry, "Name")?, string(entry, "Value")?)))
        .collect()
}

/// A member by its CloudFormation name or, with a small first letter, by its ECS name.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    let mut small = name.to_owned();
    if let Some(first) = small.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    match &value[name] {
        Value::Null => &value[small],
        found => found,
    }
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    member(value, name).as_array().map_or(&[], Vec::as_slice)
}

fn string(value: &Value, name: &str) -> Option<String> {
    let found = member(value, name);
    (!found.is_null()).then(|| text(found))
}

fn strings(value: &Value, name: &str) -> Vec<String> {
    items(value, name).iter().map(text).collect()
}

/// Templates may write booleans and numbers as text.
fn flag(value: &Value, name: &str) -> Option<bool> {
    string(value, name).map(|word| word == "true")
}

fn number(value: &Value, name: &str) -> Option<u64> {
    string(value, name)?.parse().ok()
}

fn seconds(value: &Value, name: &str, default: u64) -> Duration {
    Duration::from_secs(number(value, name).unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"{
        "Parameters": {"Tag": {"Type": "String", "Default": "v2"}},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
                "Family": "f", "PidMode": "task",
                "ContainerDefinitions": [{
                    "Name": "a", "Image": {"Fn::Sub": "repo:${Tag}"}, "Essential": "false",
                    "EntryPoint": ["/x"], "Command": ["y", "z"],
                    "Environment": [{"Name": "N", "Value": {"Ref": "Tag"}}],
                    "LinuxParameters": {"InitProcessEnabled": true, "Capabilities": {"Add": ["SYS_PTRACE"]}},
                    "DependsOn": [{"ContainerName": "b", "Condition": "HEALTHY"}],
                    "VolumesFrom": [{"SourceContainer": "b", "ReadOnly": true}],
                    "PortMappings": [{"ContainerPort": 8080}], "StopTimeout": 7
                }]
            }}
        }
    }"#;

    #[test]
    fn a_template_is_read() {
        let task = TaskDefinition::parse(TEMPLATE).unwrap();
        assert!(task.shares_processes);
        let a = task.container("a").unwrap();
        assert_eq!(a.image, "repo:v2");
        assert!(!a.essential && a.init && !a.readonly_root);
        assert_eq!(a.command, ["y", "z"]);
        assert_eq!(a.environment["N"], "v2");
        assert_eq!(a.add, ["SYS_PTRACE"]);
        assert_eq!(a.depends_on[0].condition, Condition::Healthy);
        assert!(a.volumes_from[0].read_only);
        assert_eq!(
            (a.ports.as_slice(), a.stop_timeout),
            (&[8080][..], Duration::from_secs(7))
        );
    }

    #[test]
    fn a_task_definition_is_read() {
        let task = TaskDefinition::parse(
            r#"{"family": "g", "containerDefinitions": [{"name": "a", "image": "i",
                "user": "1000", "readonlyRootFilesystem": true,
                "healthCheck": {"command": ["CMD-SHELL", "exit 0"], "interval": 5}}]}"#,
        )
        .unwrap();
        let a = task.container("a").unwrap();
        assert!(a.essential && a.readonly_root);
        assert_eq!(a.user.as_deref(), Some("1000"));
        let check = a.health_check.as_ref().unwrap();
        assert_eq!(check.command, ["/bin/sh", "-c", "exit 0"]);
        assert_eq!((check.interval, check.retries), (Duration::from_secs(5), 3));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let error = |json: &str| TaskDefinition::parse(json).unwrap_err().to_string();
        assert_eq!(error("{}"), "`ContainerDefinitions` is missing");
        assert_eq!(
            error(r#"{"Resources": {}}"#),
            "`AWS::ECS::TaskDefinition` is missing"
        );
        assert_eq!(
            error(
                r#"{"containerDefinitions": [{"name": "a", "image": "i",
                "dependsOn": [{"containerName": "b", "condition": "SOON"}]}]}"#
            ),
            "`Condition` is `SOON`"
        );
        assert_eq!(error("{"), "not JSON");
    }
}
