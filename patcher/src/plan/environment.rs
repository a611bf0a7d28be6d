//! The `Environment` of a container.

use super::settings::Setting;
use super::task::Surroundings;
use super::{Planner, present, property};
use crate::path::Path;
use crate::value::Value;

impl Planner<'_> {
    /// Adds variables that the container does not have. Its own variables of the same name, and
    /// secrets, win unless they are forced.
    pub(super) fn variables(
        &mut self,
        around: &Surroundings<'_>,
        container: &Value,
        path: &Path,
        wanted: &[Setting],
    ) {
        let mut secrets = Vec::new();
        if let Some(list) = present(container, "Secrets") {
            names(list, &mut secrets);
        }
        let wanted: Vec<_> = wanted
            .iter()
            .filter(|setting| !secrets.contains(&setting.name))
            .collect();
        let items = |planner: &mut Self, settings: &[&Setting]| -> Vec<Value> {
            settings
                .iter()
                .map(|setting| planner.variable(around, setting))
                .collect()
        };
        match property(container, "Environment") {
            None => {
                if !wanted.is_empty() {
                    let items = items(self, &wanted);
                    let key = around.task.dialect.key("Environment");
                    self.set(path.key(&key), Value::List(items));
                }
            }
            Some((key, list)) => self.variable_list(around, list, &path.key(key), &wanted),
        }
    }

    fn variable_list(
        &mut self,
        around: &Surroundings<'_>,
        list: &Value,
        path: &Path,
        wanted: &[&Setting],
    ) {
        if let Some((_, yes, no)) = list.branches() {
            let path = path.key("Fn::If");
            self.variable_list(around, yes, &path.index(1), wanted);
            self.variable_list(around, no, &path.index(2), wanted);
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
            } else if self.options.force_env {
                for (at, item) in items.iter().enumerate() {
                    self.overwrite(around, item, &path.index(at), setting);
                }
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
pub(super) fn names(value: &Value, out: &mut Vec<String>) {
    if let Some((_, yes, no)) = value.branches() {
        names(yes, out);
        names(no, out);
    } else if let Some(items) = value.as_list() {
        for item in items {
            names(item, out);
        }
    } else if let Some(name) = property(value, "Name").and_then(|(_, name)| name.as_str()) {
        out.push(name.to_owned());
    }
}
