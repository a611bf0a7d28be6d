//! The sidecar container.

use contract::env;
use contract::path::{self as paths};

use super::settings;
use super::task::Surroundings;
use super::{Planner, is_key, present, property};
use crate::options::AccessKey;
use crate::path::Path;
use crate::record::Undo;
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

/// Properties of a sidecar that only some settings make.
const OPTIONAL: [&str; 5] = [
    "Cpu",
    "LogConfiguration",
    "Memory",
    "MemoryReservation",
    "RepositoryCredentials",
];

impl Planner<'_> {
    /// Makes sure that a list of containers has the sidecar as it shall be.
    pub(super) fn sidecar(&mut self, around: &Surroundings<'_>, items: &[Value], path: &Path) {
        let name = self.options.sidecar.name.clone();
        let present = self.renamed.clone().unwrap_or_else(|| name.clone());
        let wanted = self.wanted(around);
        let key = self.keys.next(&name);
        let before = match &self.renamed {
            Some(former) => self.plan.undo.remove(&self.keys.next(former)),
            None => self.plan.undo.remove(&key),
        };
        match items.iter().position(|item| named(item) == Some(&present)) {
            None => {
                self.plan.sidecars.push(path.index(items.len()));
                self.append(path.clone(), wanted.clone());
            }
            Some(at) if is_agent(&items[at]) => {
                self.plan.sidecars.push(path.index(at));
                let before = before.unwrap_or_else(|| by_shape(around, &items[at]));
                self.update_sidecar((&items[at], &path.index(at)), &wanted, &before);
            }
            Some(at) => self.invalid(
                path.index(at),
                format!("a container named `{name}` is not the agent's; choose another name with --sidecar-name"),
            ),
        }
        let undo = self.made(&wanted);
        if undo != Undo::default() {
            self.plan.undo.insert(key, undo);
        }
    }

    /// What the record has to say of a sidecar, so that settings which are not given again can go.
    fn made(&self, wanted: &Value) -> Undo {
        let entries = wanted.as_map().unwrap_or_default().iter();
        let optional = |(key, _): &&(String, Value)| OPTIONAL.iter().any(|name| is_key(key, name));
        let env = self.options.agent.sidecar_env.iter();
        Undo {
            made: entries.filter(optional).cloned().collect(),
            env: env.map(|(name, _)| name.clone()).collect(),
            ..Undo::default()
        }
    }

    /// Sets what differs from the wanted sidecar, takes away what an earlier run made and this one
    /// does not, and keeps what the user changed or added.
    fn update_sidecar(&mut self, (found, path): (&Value, &Path), wanted: &Value, before: &Undo) {
        for (key, value) in wanted.as_map().unwrap_or_default() {
            match property(found, key) {
                Some((_, old)) if old == value => {}
                Some((key, Value::List(_)))
                    if is_key(key, "Environment") || is_key(key, "Secrets") => {}
                Some((key, _)) => self.set(path.key(key), value.clone()),
                None => self.set(path.key(key), value.clone()),
            }
        }
        for (key, old) in found.as_map().unwrap_or_default() {
            let value = property(wanted, key).map(|(_, value)| value);
            if let Value::List(items) = old
                && (is_key(key, "Environment") || is_key(key, "Secrets"))
            {
                let wanted = value.and_then(Value::as_list).unwrap_or_default();
                self.update_named(items, &path.key(key), wanted, &before.env);
            } else if value.is_none() && before.made.get(key) == Some(old) {
                self.remove(path.key(key));
            }
        }
    }

    /// Brings the sidecar's variables or secrets up to date; those that are not ours stay.
    fn update_named(&mut self, old: &[Value], path: &Path, wanted: &[Value], made: &[String]) {
        let stale = |item: &Value| {
            let ours = |name: &str| settings::is_ours(name) || made.iter().any(|made| made == name);
            named(item).is_some_and(ours) && wanted.iter().all(|new| named(new) != named(item))
        };
        if wanted.is_empty() && !old.is_empty() && old.iter().all(stale) {
            return self.remove(path.clone());
        }
        for item in wanted {
            match old.iter().position(|found| named(found) == named(item)) {
                Some(at) if old[at] == *item => {}
                Some(at) => self.set(path.index(at), item.clone()),
                None => self.append(path.clone(), item.clone()),
            }
        }
        for (at, item) in old.iter().enumerate().rev() {
            if stale(item) {
                self.remove(path.index(at));
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
                ("Name", Value::string(env::SYSDIG_ACCESS_KEY)),
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

/// What an earlier run made of a sidecar that no record tells of: a log configuration as only a run
/// makes it. Sizes could be anybody's.
fn by_shape(around: &Surroundings<'_>, found: &Value) -> Undo {
    let mut undo = Undo::default();
    let delivers = property(found, "Environment")
        .and_then(|(_, items)| items.as_list())
        .unwrap_or_default()
        .iter()
        .any(|item| named(item) == Some(env::WORKLOAD_AGENT_LOG_GROUP));
    if let Some((key, configuration)) = property(found, "LogConfiguration")
        && let Some((_, options)) = property(configuration, "Options")
        && let Some(prefix) = options.get("awslogs-stream-prefix")
        && delivers
        && prefix.as_str() == Some(&around.task.name)
    {
        undo.made.insert(key.to_owned(), configuration.clone());
    }
    undo
}

/// The name of a container, variable or secret.
pub(super) fn named(item: &Value) -> Option<&str> {
    property(item, "Name").and_then(|(_, name)| name.as_str())
}

/// Says whether a container is an agent's sidecar: ours, or one of the product that ours
/// replaces.
pub(crate) fn is_agent(container: &Value) -> bool {
    program(container).is_some_and(|program| FORMER_PROGRAMS.contains(&program))
}

/// The program that a container's entrypoint starts.
pub(super) fn program(container: &Value) -> Option<&str> {
    property(container, "EntryPoint")
        .and_then(|(_, entry)| entry.as_list())
        .and_then(<[Value]>::first)
        .and_then(Value::as_str)
}
