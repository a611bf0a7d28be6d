//! One container: whether it is wrapped, and its five changes.

use contract::sidecar::CAPABILITY;

use super::launch::{Launch, Obstacle, Wrapped, is_wrapped, starts_with};
use super::property::At;
use super::select::rival;
use super::task::Surroundings;
use super::{ContainerReport, Outcome, Planner, Problem, present, property, settings};
use crate::image::{ImageConfig, ImageFacts};
use crate::path::Path;
use crate::value::Value;

impl Planner<'_> {
    pub(super) fn container(
        &mut self,
        around: &Surroundings<'_>,
        container: &Value,
        path: &Path,
    ) -> ContainerReport {
        let name = property(container, "Name")
            .and_then(|(_, name)| name.as_str())
            .map_or_else(|| path.to_string(), str::to_owned);
        let key = self.keys.next(&name);
        self.unseen(container, &name);
        let problems = self.plan.problems.len();
        let outcome = match self.skips(around, container, &name) {
            Some(reason) => Outcome::Skipped(reason),
            None => self.wrap(around, container, path, (&name, &key)),
        };
        let failed = self.plan.problems.len() > problems;
        ContainerReport {
            name,
            outcome: if failed { Outcome::Failed } else { outcome },
        }
    }

    fn skips(&self, around: &Surroundings<'_>, container: &Value, name: &str) -> Option<String> {
        if let Some(reason) = around.tags.skips_container(name, self.options) {
            return Some(reason);
        }
        if self.options.ignored.iter().any(|ignored| ignored == name) {
            return Some("named by --ignore-container".to_owned());
        }
        if present(container, "FirelensConfiguration").is_some() {
            return Some("it is a FireLens log router".to_owned());
        }
        let start = [
            present(container, "EntryPoint"),
            present(container, "Command"),
        ];
        let other = |program: &str| rival(program).is_some();
        start
            .into_iter()
            .flatten()
            .find(|value| starts_with(value, &other))
            .map(|value| {
                let name = value
                    .as_list()
                    .and_then(<[Value]>::first)
                    .and_then(Value::as_str);
                let name = name.and_then(rival).unwrap_or("another agent");
                format!("{name} wraps it already")
            })
    }

    fn wrap(
        &mut self,
        around: &Surroundings<'_>,
        container: &Value,
        path: &Path,
        (name, key): (&str, &str),
    ) -> Outcome {
        let entry = self.list_property(container, "EntryPoint", path);
        let command = self.list_property(container, "Command", path);
        let wrapped = entry.is_some_and(is_wrapped) || command.is_some_and(is_wrapped);
        let outcome = if wrapped {
            Outcome::Wrapped
        } else {
            match self.launch(around, container, path, name) {
                Some(how) => {
                    let undo = self.plan.undo.entry(key.to_owned()).or_default();
                    undo.wrapped = true;
                    undo.entry = property(container, "EntryPoint").map(|(_, value)| value.clone());
                    undo.command = property(container, "Command").map(|(_, value)| value.clone());
                    if earlier(around, path).is_some() {
                        Outcome::Wrapped
                    } else {
                        Outcome::Wrap(how)
                    }
                }
                None => Outcome::Failed,
            }
        };
        let wanted = settings::workload(self.options);
        let ours = self.earlier_variables(container, key, wrapped);
        let added = self.variables(around, (container, path), &wanted, &ours);
        let still = |name: &String| wanted.iter().any(|setting| setting.name == *name);
        let env: Vec<_> = ours.into_iter().filter(still).chain(added).collect();
        if !env.is_empty() {
            self.plan.undo.entry(key.to_owned()).or_default().env = env;
        }
        let at = At {
            value: container,
            path,
            dialect: around.task.dialect,
        };
        self.volumes(at);
        self.capability(at, key, !wrapped);
        self.depends_on(at);
        outcome
    }

    /// Returns a property that is a list or an intrinsic that gives one.
    fn list_property<'v>(
        &mut self,
        container: &'v Value,
        name: &str,
        path: &Path,
    ) -> Option<&'v Value> {
        let (key, value) = property(container, name)?;
        if value.is_absent() {
            return None;
        }
        if value.as_list().is_none() && value.intrinsic().is_none() {
            self.wrong_type(path.key(key), "a list of strings", value);
        }
        Some(value)
    }

    fn launch(
        &mut self,
        around: &Surroundings<'_>,
        container: &Value,
        path: &Path,
        name: &str,
    ) -> Option<String> {
        let entry = present(container, "EntryPoint");
        let command = present(container, "Command");
        let launch = Launch::new(entry, command);
        let unknown = ImageFacts::Unknown(String::new());
        let mut wrapped = launch.wrap(&unknown);
        let mut source = "from the template";
        if matches!(wrapped, Err(Obstacle::Unknown(_) | Obstacle::Nothing)) {
            let needs = std::mem::take(&mut self.plan.needs);
            let facts = self.image_facts(around, container);
            wrapped = launch.wrap(&facts);
            source = "the image's entrypoint";
            if matches!(wrapped, Err(Obstacle::Unknown(_) | Obstacle::Nothing))
                && let Some(earlier) = earlier(around, path)
                && let Some(entry) = present(earlier, "EntryPoint").cloned()
            {
                // An earlier run knew, and nobody has edited the container since.
                let command = present(earlier, "Command").cloned();
                wrapped = Ok(Wrapped { entry, command });
                self.plan.needs.clear();
            }
            self.plan.needs.extend(needs);
        }
        if self.options.allow_unresolved
            && let Err(Obstacle::Unknown(reason)) = &wrapped
        {
            self.plan.warnings.push(format!(
                "container `{name}`: the entrypoint of its image is unknown ({reason}); without one it will not start"
            ));
            let nothing = ImageFacts::Known(ImageConfig::default());
            source = "without the image's entrypoint";
            wrapped = match launch.wrap(&nothing) {
                Err(Obstacle::Nothing) => Ok(Wrapped::empty()),
                other => other,
            };
        }
        match wrapped {
            Ok(wrapped) => {
                let key = around.task.dialect;
                let spelt = |name: &str| {
                    property(container, name).map_or_else(|| key.key(name), |(k, _)| k.to_owned())
                };
                self.set(path.key(&spelt("EntryPoint")), wrapped.entry);
                if let Some(command) = wrapped.command {
                    self.set(path.key(&spelt("Command")), command);
                }
                Some(source.to_owned())
            }
            Err(Obstacle::Unknown(reason)) => {
                let container = name.to_owned();
                self.plan
                    .problems
                    .push(Problem::Unresolved { container, reason });
                None
            }
            Err(Obstacle::Nothing) => {
                let reason = "the image names neither an entrypoint nor a command".to_owned();
                let container = name.to_owned();
                self.plan
                    .problems
                    .push(Problem::Unresolved { container, reason });
                None
            }
            Err(Obstacle::NotAList) => {
                self.invalid(
                    path.clone(),
                    "EntryPoint and Command cannot be read as lists",
                );
                None
            }
        }
    }

    fn volumes(&mut self, at: At<'_>) {
        let sidecar = &self.options.sidecar.name;
        let item = Value::map([
            ("SourceContainer", Value::string(sidecar)),
            ("ReadOnly", Value::Bool(true)),
        ]);
        self.extend(
            at,
            "VolumesFrom",
            item,
            &self.names_sidecar("SourceContainer"),
        );
    }

    fn depends_on(&mut self, at: At<'_>) {
        let sidecar = &self.options.sidecar.name;
        let item = Value::map([
            ("ContainerName", Value::string(sidecar)),
            ("Condition", Value::string("START")),
        ]);
        self.extend(at, "DependsOn", item, &self.names_sidecar("ContainerName"));
    }

    /// Recognises an item that names the sidecar, by its former name too.
    fn names_sidecar(&self, key: &'static str) -> impl Fn(&Value) -> bool + use<> {
        let sidecar = self.options.sidecar.name.clone();
        let former = self.renamed.clone();
        move |item| {
            let name = property(item, key).and_then(|(_, name)| name.as_str());
            name.is_some_and(|name| name == sidecar || Some(name) == former.as_deref())
        }
    }

    /// Adds `SYS_PTRACE`, and makes the maps that it stands in where they are missing.
    fn capability(&mut self, at: At<'_>, key: &str, first: bool) {
        let item = Value::string(CAPABILITY);
        let inner = Value::map([("Add", Value::List(vec![item.clone()]))]);
        let outer = Value::map([("Capabilities", inner.clone())]);
        let held =
            |item: &Value| matches!(item.as_str(), Some("SYS_PTRACE" | "CAP_SYS_PTRACE" | "ALL"));
        let linux = present(at.value, "LinuxParameters");
        let traced = linux
            .and_then(|linux| present(linux, "Capabilities"))
            .and_then(|capabilities| present(capabilities, "Add"))
            .and_then(Value::as_list)
            .is_some_and(|added| added.iter().any(held));
        if traced
            && let Some(undo) = self.plan.undo.get_mut(key)
            && first
        {
            undo.traced = true;
        }
        self.inside(at, "LinuxParameters", &outer, &mut |planner, linux| {
            planner.inside(
                linux,
                "Capabilities",
                &inner,
                &mut |planner, capabilities| {
                    planner.extend(capabilities, "Add", item.clone(), &held);
                },
            );
        });
    }
}

/// The container as an earlier run left it, if that wrapped it.
fn earlier<'v>(around: &Surroundings<'v>, path: &Path) -> Option<&'v Value> {
    let container = path.find_below(&around.task.path, around.earlier?)?;
    let wrapped = present(container, "EntryPoint").is_some_and(is_wrapped);
    wrapped.then_some(container)
}
