//! The words in which scenarios are written.

use std::time::Duration;

use e2e::alerts::{self, Alert, Line};
use e2e::fargate::task::Task;
use e2e::lab::BUSYBOX;
use e2e::pace::Deadline;
use serde_json::{Value, json};

/// The sidecar's container.
pub(crate) const SIDECAR: &str = contract::sidecar::CONTAINER_NAME;

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn deadline() -> Deadline {
    Deadline::after(PATIENCE)
}

/// A container that runs a line of shell.
pub(crate) fn shell(name: &str, script: &str) -> Value {
    json!({
        "name": name, "image": BUSYBOX, "entryPoint": ["/bin/sh", "-c"], "command": [script],
        "stopTimeout": 2
    })
}

pub(crate) fn task(containers: &[Value]) -> Value {
    json!({"family": "t", "containerDefinitions": containers})
}

/// Adds members to a container.
pub(crate) fn with(mut container: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        container[name] = value.clone();
    }
    container
}

/// Waits for an alert in the sidecar's output.
pub(crate) fn wait_for_alert(task: &Task, what: &str, accepts: impl Fn(&Alert) -> bool) -> Alert {
    task.wait_for_output(SIDECAR, what, deadline(), |output| {
        output.lines().find_map(|line| match alerts::read(line) {
            Line::Alert(alert) if accepts(&alert) => Some(alert),
            _ => None,
        })
    })
    .expect("the alert arrives")
}

/// Sets variables of a container of a definition.
pub(crate) fn set_environment(definition: &mut Value, container: &str, variables: &[(&str, &str)]) {
    let containers = definition["containerDefinitions"]
        .as_array_mut()
        .expect("containers");
    let container = containers
        .iter_mut()
        .find(|one| one["name"] == container)
        .expect("a container");
    if container["environment"].is_null() {
        container["environment"] = json!([]);
    }
    let list = container["environment"].as_array_mut().expect("a list");
    list.extend(
        variables
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value})),
    );
}
