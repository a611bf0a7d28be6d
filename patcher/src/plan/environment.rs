//! The `Environment` of a container.

use super::settings::{self, Setting};
use super::sidecar::named;
use super::task::Surroundings;
use super::{Planner, present, property};
use crate::path::Path;
use crate::value::Value;

impl Planner<'_> {
    /// Adds variables that the container does not have, and returns their names. Its own
    /// variables of the same name, and secrets, win unless they are forced; those that an earlier
    /// run added (`ours`) are brought up to date.
    pub(super) fn variables(
        &mut self,
        around: &Surroundings<'_>,
        (container, path): (&Value, &Path),
        wanted: &[Setting],
        ours: &[String],
    ) -> Vec<String> {
        let mut taken = Vec::new();
        if let Some(list) = present(container, "Secrets") {
            names(list, &mut taken);
        }
        let wanted: Vec<_> = wanted
            .iter()
            .filter(|setting| !taken.contains(&setting.name))
            .collect();
        let found = property(container, "Environment");
        taken.clear();
        if let Some((_, list)) = found {
            names(list, &mut taken);
        }
        let name = |setting: &&&Setting| !taken.contains(&setting.name);
        let added = wanted
            .iter()
            .filter(name)
            .map(|setting| setting.name.clone())
            .collect();
        match found {
            Some((key, list)) => {
                self.variable_list(around, (list, &path.key(key)), &wanted, ours);
            }
            None if wanted.is_empty() => {}
            None => {
                let items = wanted
                    .iter()
                    .map(|setting| self.variable(around, setting))
                    .collect();
                let key = around.task.dialect.key("Environment");
                self.set(path.key(&key), Value::List(items));
            }
        }
        added
    }

    /// The variables of a container that an earlier run added: those that the record names. A
    /// `wrapped` container that no record tells of has those that it shares with the sidecar.
    pub(super) fn earlier_variables(
        &self,
        container: &Value,
        key: &str,
        wrapped: bool,
    ) -> Vec<String> {
        if let Some(undo) = self.plan.undo.get(key) {
            return undo.env.clone();
        }
        let mut found = Vec::new();
        if let Some((_, list)) = property(container, "Environment").filter(|_| wrapped) {
            let shared = |item: &Value| self.sidecar_variables.contains(item);
            names_of(list, &shared, &mut found);
        }
        found.retain(|name| settings::is_ours(name));
        found
    }

    fn variable_list(
        &mut self,
        around: &Surroundings<'_>,
        (list, path): (&Value, &Path),
        wanted: &[&Setting],
        ours: &[String],
    ) {
        if let Some((_, yes, no)) = list.branches() {
            let path = path.key("Fn::If");
            self.variable_list(around, (yes, &path.index(1)), wanted, ours);
            self.variable_list(around, (no, &path.index(2)), wanted, ours);
            return;
        }
        if list.is_absent() {
            let items = wanted
                .iter()
                .map(|setting| self.variable(around, setting))
                .collect();
            self.set(path.clone(), Value::List(items));
            return;
        }
        let Some(items) = list.as_list() else {
            self.wrong_type(path.clone(), "a list of variables", list);
            return;
        };
        for (at, item) in items.iter().enumerate() {
            if item.as_map().is_none() && !item.is_absent() {
                self.wrong_type(path.index(at), "a variable with Name and Value", item);
                return;
            }
        }
        let mut taken = Vec::new();
        names(list, &mut taken);
        for setting in wanted {
            if !taken.contains(&setting.name) {
                let item = self.variable(around, setting);
                self.append(path.clone(), item);
            } else if self.options.force_env || ours.contains(&setting.name) {
                for (at, item) in items.iter().enumerate() {
                    self.overwrite(around, item, &path.index(at), setting);
                }
            }
        }
        let stale = |name: &str| {
            ours.iter().any(|ours| ours == name) && wanted.iter().all(|new| new.name != name)
        };
        for (at, item) in items.iter().enumerate().rev() {
            if named(item).is_some_and(stale) {
                self.remove(path.index(at));
            }
        }
    }

    pub(super) fn overwrite(
        &mut self,
        around: &Surroundings<'_>,
        item: &Value,
        path: &Path,
        setting: &Setting,
    ) {
        if let Some((_, yes, no)) = item.branches() {
            let path = path.key("Fn::If");
            self.overwrite(around, yes, &path.index(1), setting);
            self.overwrite(around, no, &path.index(2), setting);
        } else if property(item, "Name").and_then(|(_, name)| name.as_str()) == Some(&setting.name)
        {
            let value = self.setting_value(around.task, setting);
            match property(item, "Value") {
                Some((_, old)) if *old == value => {}
                Some((key, _)) => self.set(path.key(key), value),
                None => self.set(path.key(&around.task.dialect.key("Value")), value),
            }
        }
    }

    /// One item of `Environment`.
    pub(super) fn variable(&mut self, around: &Surroundings<'_>, setting: &Setting) -> Value {
        let value = self.setting_value(around.task, setting);
        let item = Value::map([("Name", Value::string(&setting.name))]);
        let Value::Map(mut entries) = around.task.dialect.spell(item) else {
            return Value::Null;
        };
        entries.push((around.task.dialect.key("Value"), value));
        Value::Map(entries)
    }
}

/// Collects the names in a list of variables or secrets, in all branches.
fn names(value: &Value, out: &mut Vec<String>) {
    names_of(value, &|_| true, out);
}

/// Collects the names of those items that satisfy `test`.
fn names_of(value: &Value, test: &dyn Fn(&Value) -> bool, out: &mut Vec<String>) {
    if let Some((_, yes, no)) = value.branches() {
        names_of(yes, test, out);
        names_of(no, test, out);
    } else if let Some(items) = value.as_list() {
        for item in items {
            names_of(item, test, out);
        }
    } else if let Some(name) = named(value).filter(|_| test(value)) {
        out.push(name.to_owned());
    }
}
