//! The sidecar container.

use contract::path::{self as paths};

use super::settings;
use super::task::Surroundings;
use super::{Planner, present, property};
use crate::edit::{Edit, Op};
use crate::options::AccessKey;
use crate::path::Path;
use crate::value::Value;

/// What the sidecar containers of the replaced product start.
const FORMER_PROGRAMS: [&str; 3] = [
    "/opt/draios/bin/logwriter",
    "/opt/draios/bin/waitforever",
    paths::SIDECAR,
];

/// MiB that are reserved where neither the task nor the user says how much memory there is: ECS
/// wants one of the three.
const RESERVATION: u32 = 64;

impl Planner<'_> {
    /// Returns the name that our sidecar has in a list of containers, when it shall have another.
    pub(super) fn former_name(&self, items: &[Value]) -> Option<String> {
        let wanted = &self.options.sidecar.name;
        let ours = |item: &&Value| program(item) == Some(paths::SIDECAR);
        let name = |item| property(item, "Name").and_then(|(_, name)| name.as_str());
        let mut names = items.iter().filter(ours).filter_map(name);
        let former = names.next().filter(|former| former != wanted)?;
        // Two of them are not one that was renamed.
        let taken = items.iter().any(|item| name(item) == Some(wanted));
        (!taken && names.next().is_none()).then(|| former.to_owned())
    }

    /// Makes sure that a list of containers has the sidecar as it shall be.
    pub(super) fn sidecar(&mut self, around: &Surroundings<'_>, items: &[Value], path: &Path) {
        let name = self.options.sidecar.name.clone();
        let present = self.renamed.clone().unwrap_or_else(|| name.clone());
        let same = |item: &Value| {
            property(item, "Name").and_then(|(_, found)| found.as_str()) == Some(&present)
        };
        let wanted = self.wanted(around);
        match items.iter().position(same) {
            None => {
                self.plan.sidecars.push(path.index(items.len()));
                self.append(path.clone(), wanted);
            }
            Some(at) if is_agent(&items[at]) => {
                self.plan.sidecars.push(path.index(at));
                self.update_sidecar(&items[at], &path.index(at), &wanted);
            }
            Some(at) => self.invalid(
                path.index(at),
                format!("a container named `{name}` is not the agent's; choose another name with --sidecar-name"),
            ),
        }
    }

    /// Sets what differs from the wanted sidecar and keeps what the user added to it.
    fn update_sidecar(&mut self, found: &Value, path: &Path, wanted: &Value) {
        for (key, value) in wanted.as_map().unwrap_or_default() {
            let old = property(found, key);
            match (key.as_str(), old) {
                (_, Some((_, old))) if old == value => {}
                ("Environment" | "environment", Some((key, Value::List(old)))) => {
                    let wanted = value.as_list().unwrap_or_default();
                    self.update_variables(old, &path.key(key), wanted);
                }
                (_, Some((key, _))) => self.set(path.key(key), value.clone()),
                (_, None) => self.set(path.key(key), value.clone()),
            }
        }
    }

    /// Brings the sidecar's variables up to date; those that are not ours stay.
    fn update_variables(&mut self, old: &[Value], path: &Path, wanted: &[Value]) {
        let name = |item: &Value| {
            property(item, "Name")
                .and_then(|(_, name)| name.as_str())
                .map(str::to_owned)
        };
        for item in wanted {
            match old.iter().position(|found| name(found) == name(item)) {
                Some(at) if old[at] == *item => {}
                Some(at) => self.set(path.index(at), item.clone()),
                None => self.append(path.clone(), item.clone()),
            }
        }
        for (at, item) in old.iter().enumerate().rev() {
            let wanted = wanted.iter().any(|wanted| name(wanted) == name(item));
            if !wanted && name(item).is_some_and(|name| settings::is_ours(&name)) {
                self.plan.edits.push(Edit {
                    path: path.index(at),
                    op: Op::Remove,
                });
            }
        }
    }

    fn wanted(&mut self, around: &Surroundings<'_>) -> Value {
        let dialect = around.task.dialect;
        let sidecar = self.options.sidecar.clone();
        let essential = self.options.essential();
        let mut entries = vec![
            ("Name", Value::string(sidecar.name)),
            ("Image", Value::string(sidecar.image)),
            ("EntryPoint", Value::strings([paths::SIDECAR])),
            ("Essential", Value::Bool(essential)),
        ];
        let number = |value: u32| Value::Number(value.to_string());
        entries.extend(sidecar.cpu.map(|value| ("Cpu", number(value))));
        entries.extend(sidecar.memory.map(|value| ("Memory", number(value))));
        let unlimited = sidecar.memory.is_none()
            && around.task.kind != super::Kind::Containers
            && present(around.properties, "Memory").is_none();
        let reservation = sidecar
            .memory_reservation
            .or(unlimited.then_some(RESERVATION));
        entries.extend(reservation.map(|value| ("MemoryReservation", number(value))));
        entries.extend(sidecar.image_auth_secret.map(|secret| {
            (
                "RepositoryCredentials",
                Value::map([("CredentialsParameter", Value::string(secret))]),
            )
        }));
        let settings = settings::sidecar(self.options);
        let variables = settings
            .iter()
            .map(|setting| self.variable(around, setting))
            .collect();
        entries.push(("Environment", Value::List(variables)));
        if let Some(AccessKey::Secret(arn)) = &self.options.agent.access_key {
            let secret = Value::map([
                ("Name", Value::string(contract::env::SYSDIG_ACCESS_KEY)),
                ("ValueFrom", Value::string(arn)),
            ]);
            entries.push(("Secrets", Value::List(vec![secret])));
        }
        if let Some(group) = sidecar.log_group {
            let configuration = self.log_configuration(around, &group);
            entries.push(("LogConfiguration", configuration));
        }
        dialect.spell(Value::map(entries))
    }

    fn log_configuration(&mut self, around: &Surroundings<'_>, group: &str) -> Value {
        let region = if around.task.kind == super::Kind::Template {
            Value::reference("AWS::Region")
        } else if let Some(region) = &self.options.region {
            Value::string(region)
        } else {
            self.invalid(
                around.task.path.clone(),
                "a log group in a task definition needs a region: use --region",
            );
            Value::Null
        };
        Value::map([
            ("LogDriver", Value::string("awslogs")),
            (
                "Options",
                Value::map([
                    ("awslogs-group", Value::string(group)),
                    ("awslogs-region", region),
                    ("awslogs-stream-prefix", Value::string(&around.task.name)),
                ]),
            ),
        ])
    }
}

/// Says whether a container is an agent's sidecar: ours, or one of the product that ours
/// replaces.
pub(crate) fn is_agent(container: &Value) -> bool {
    program(container).is_some_and(|program| FORMER_PROGRAMS.contains(&program))
}

/// The program that a container's entrypoint starts.
fn program(container: &Value) -> Option<&str> {
    property(container, "EntryPoint")
        .and_then(|(_, entry)| entry.as_list())
        .and_then(<[Value]>::first)
        .and_then(Value::as_str)
}
