//! Decides what changes: pure, from a value and options to a list of edits and a report.
//!
//! Nothing here reads a file, a registry or the environment. What must be looked up is listed in
//! [`Plan::needs`]; the caller looks, and plans again.

mod container;
mod environment;
mod launch;
mod locate;
mod parameters;
mod property;
mod rename;
mod resolve;
mod select;
mod settings;
mod sidecar;
mod task;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use thiserror::Error;

use crate::edit::{Edit, Op};
use crate::image::{ImageRequest, Images};
use crate::options::Options;
use crate::path::Path;
use crate::record::{Keys, Record, Undo};
use crate::value::Value;

pub use locate::{Dialect, Kind, Task, kind, locate};

pub(crate) use launch::is_wrapped;
pub(crate) use parameters::is_our_parameter;
pub(crate) use settings::is_ours as is_our_setting;
pub(crate) use sidecar::is_agent;

/// What a run would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The changes, in order.
    pub edits: Vec<Edit>,
    /// Each task definition, in order.
    pub tasks: Vec<TaskReport>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// What stands in the way; if not empty, nothing may be written.
    pub problems: Vec<Problem>,
    /// Images whose configuration is needed and nobody has looked up.
    pub needs: BTreeSet<ImageRequest>,
    /// Where the sidecar containers are, once the edits are made.
    pub sidecars: Vec<Path>,
    /// What undoes the changes of each container, by its key in the record; what an earlier run
    /// noted included.
    pub undo: BTreeMap<String, Undo>,
}

/// What happens to a task definition.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskReport {
    /// Its logical name or family.
    pub name: String,
    /// Where its properties are.
    pub path: Path,
    /// Why nothing of it is wrapped.
    pub skipped: Option<String>,
    /// Its containers.
    pub containers: Vec<ContainerReport>,
}

/// What happens to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerReport {
    /// Its name, or its place when the name is an intrinsic.
    pub name: String,
    /// What happens.
    pub outcome: Outcome,
}

/// What happens to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It cannot be wrapped; the problem says why.
    Failed,
    /// It stays as it is.
    Skipped(String),
    /// It starts through `instrument` already.
    Wrapped,
    /// It will start through `instrument`.
    Wrap(String),
}

/// Something that only the user can resolve.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum Problem {
    /// The template is not what CloudFormation or ECS would take.
    #[error("{path}: {message}")]
    Invalid {
        /// The node.
        path: Path,
        /// What is wrong with it, and the way out.
        message: String,
    },
    /// The entrypoint of an image is needed.
    #[error(
        "container `{container}`: the entrypoint of its image is unknown ({reason}); write EntryPoint and Command into the template, or use --image-config, --parameter or --allow-unresolved"
    )]
    Unresolved {
        /// The container.
        container: String,
        /// Why it is unknown.
        reason: String,
    },
}

/// Plans the instrumentation of every task definition of a template; `record` is what an earlier
/// run noted in it.
pub fn plan(root: &Value, record: Option<&Record>, options: &Options, images: &Images) -> Plan {
    let noted = record.map(|record| record.containers().clone());
    plan_with(root, (None, noted.unwrap_or_default()), options, images)
}

/// Plans the instrumentation of an original that is instrumented as `patched` already. What a
/// container starts there stands in for an image that is not known.
pub(crate) fn plan_again(
    root: &Value,
    patched: &Value,
    options: &Options,
    images: &Images,
) -> Plan {
    plan_with(root, (Some(patched), BTreeMap::new()), options, images)
}

fn plan_with(
    root: &Value,
    (patched, undo): (Option<&Value>, BTreeMap<String, Undo>),
    options: &Options,
    images: &Images,
) -> Plan {
    let mut planner = Planner {
        root,
        renamed: None,
        sidecar_variables: Vec::new(),
        keys: Keys::default(),
        options,
        images,
        plan: Plan {
            undo,
            ..Plan::default()
        },
        parameters: BTreeMap::new(),
    };
    match locate(root) {
        Ok(tasks) => {
            if let Some(resources) = root.get("Resources") {
                planner.unseen(resources, "Resources");
            }
            let earlier = patched.map(|patched| locate(patched).unwrap_or_default());
            let earlier: HashMap<_, _> = earlier
                .iter()
                .flatten()
                .filter_map(|task| Some((&task.path, task.value?)))
                .collect();
            for task in &tasks {
                planner.task(task, earlier.get(&task.path).copied());
            }
        }
        Err(problem) => planner.plan.problems.push(problem),
    }
    planner.plan
}

struct Planner<'a> {
    root: &'a Value,
    /// The sidecar's former name in the list of containers at hand, when it gets another.
    renamed: Option<String>,
    /// The variables of the sidecar in that list, as an earlier run left them.
    sidecar_variables: Vec<Value>,
    /// The containers of the task definition at hand in the record.
    keys: Keys,
    options: &'a Options,
    images: &'a Images,
    plan: Plan,
    /// The parameter of each setting and value.
    parameters: BTreeMap<(String, String), String>,
}

impl Planner<'_> {
    fn set(&mut self, path: Path, value: Value) {
        self.plan.edits.push(Edit {
            path,
            op: Op::Set(value),
        });
    }

    fn remove(&mut self, path: Path) {
        let op = Op::Remove;
        self.plan.edits.push(Edit { path, op });
    }

    fn append(&mut self, path: Path, value: Value) {
        self.plan.edits.push(Edit {
            path,
            op: Op::Append(value),
        });
    }

    fn invalid(&mut self, path: Path, message: impl Into<String>) {
        self.plan.problems.push(Problem::Invalid {
            path,
            message: message.into(),
        });
    }

    /// Warns of what only CloudFormation can put into a map.
    fn unseen(&mut self, map: &Value, name: &str) {
        if map.get("Fn::Transform").is_some() {
            self.plan.warnings.push(format!(
                "{name}: what its Fn::Transform brings cannot be seen here and is not wrapped; the macro sees it"
            ));
        }
    }

    /// Reports a property that has the wrong type.
    fn wrong_type(&mut self, path: Path, expected: &str, found: &Value) {
        self.invalid(path, format!("expected {expected}, found {}", found.kind()));
    }
}

/// Finds a property of a map under its name in either dialect, `EntryPoint` or `entryPoint`, and
/// returns the key that is used.
pub(crate) fn property<'v>(map: &'v Value, name: &str) -> Option<(&'v str, &'v Value)> {
    let entries = map.as_map()?;
    let find = |same: &dyn Fn(&str) -> bool| entries.iter().find(|(key, _)| same(key));
    find(&|key| key == name)
        .or_else(|| find(&|key| is_camel(key, name)))
        .map(|(key, value)| (key.as_str(), value))
}

/// Returns a property's value unless it is absent.
pub(crate) fn present<'v>(map: &'v Value, name: &str) -> Option<&'v Value> {
    property(map, name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_absent())
}

/// Says whether a key is a name in either dialect.
pub(crate) fn is_key(key: &str, name: &str) -> bool {
    key == name || is_camel(key, name)
}

fn is_camel(key: &str, name: &str) -> bool {
    let (mut key, mut name) = (key.bytes(), name.bytes());
    key.next() == name.next().map(|first| first.to_ascii_lowercase()) && key.eq(name)
}

/// `EntryPoint` as the ECS API spells it: `entryPoint`.
pub(crate) fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(chars)
        .collect()
}
