//! Takes instrumentation out of a value, by its shape.

use contract::path::INSTRUMENT;
use contract::sidecar::CAPABILITY;

use crate::edit::{self, Edit, EditError, Op};
use crate::path::Path;
use crate::plan::{is_agent, is_our_parameter, is_our_setting, is_wrapped, locate, property};
use crate::record::{Keys, Record, Undo};
use crate::value::Value;

/// Returns the value without instrumentation.
pub(super) fn undo(
    root: &Value,
    record: Option<&Record>,
    sidecar: &str,
    warnings: &mut Vec<String>,
) -> Result<Value, EditError> {
    let mut edits = Vec::new();
    let mut undoer = Undoer {
        record,
        keys: Keys::default(),
        sidecar,
        warnings,
    };
    for task in locate(root).unwrap_or_default() {
        let Some(properties) = task.value else {
            continue;
        };
        let (path, list) = match property(properties, "ContainerDefinitions") {
            Some((key, list)) => (task.path.key(key), list),
            None => (task.path.clone(), properties),
        };
        undoer.keys = Keys::of(&task);
        let mut undone = list.clone();
        undoer.list(&mut undone, &path);
        if undone != *list {
            let op = Op::Set(undone);
            edits.push(Edit { path, op });
        }
    }
    let mut out = root.clone();
    edit::apply(&mut out, &edits)?;
    if let Value::Map(entries) = &mut out {
        let emptied = entries.iter_mut().any(|(key, value)| match value {
            Value::Map(parameters) if key == "Parameters" => {
                let before = parameters.len();
                parameters.retain(|(_, parameter)| !is_our_parameter(parameter));
                parameters.is_empty() && before > 0
            }
            _ => false,
        });
        entries.retain(|(key, _)| !(emptied && key == "Parameters"));
    }
    Ok(out)
}

struct Undoer<'a> {
    record: Option<&'a Record>,
    keys: Keys,
    sidecar: &'a str,
    warnings: &'a mut Vec<String>,
}

/// Calls `each` for a value, or for both branches of a condition.
fn branches(value: &mut Value, path: &Path, each: &mut dyn FnMut(&mut Value, &Path)) {
    if value.branches().is_none() {
        return each(value, path);
    }
    if let Some(Value::List(arguments)) = value.get_mut("Fn::If") {
        for (at, branch) in arguments.iter_mut().enumerate().skip(1) {
            branches(branch, &path.key("Fn::If").index(at), each);
        }
    }
}

impl Undoer<'_> {
    fn list(&mut self, list: &mut Value, path: &Path) {
        branches(list, path, &mut |list, path| {
            let Value::List(items) = list else { return };
            for (at, item) in items.iter_mut().enumerate() {
                branches(item, &path.index(at), &mut |item, path| {
                    self.container(item, path);
                });
            }
            items.retain(|item| !is_agent(item));
        });
    }

    fn container(&mut self, container: &mut Value, path: &Path) {
        if container.as_map().is_none() || is_agent(container) {
            return;
        }
        let name = property(container, "Name")
            .and_then(|(_, name)| name.as_str())
            .map_or_else(|| path.to_string(), str::to_owned);
        let key = self.keys.next(&name);
        let known = self.record.and_then(|record| record.undo(&key)).cloned();
        if !self.is_instrumented(container) && known.is_none() {
            return;
        }
        self.launch(container, &name, known.as_ref());
        let sidecar = self.sidecar;
        let names = |key: &'static str| {
            move |item: &Value| {
                property(item, key).and_then(|(_, name)| name.as_str()) == Some(sidecar)
            }
        };
        drop_items(container, "VolumesFrom", &names("SourceContainer"));
        drop_items(container, "DependsOn", &names("ContainerName"));
        let added = |item: &Value| {
            let name = property(item, "Name").and_then(|(_, name)| name.as_str());
            name.is_some_and(|name| match (&known, self.record) {
                (Some(undo), _) => undo.env.iter().any(|added| added == name),
                (None, Some(_)) => false,
                (None, None) => is_our_setting(name),
            })
        };
        drop_items(container, "Environment", &added);
        if !known.is_some_and(|undo| undo.traced) {
            drop_capability(container);
        }
    }

    fn is_instrumented(&self, container: &Value) -> bool {
        let wrapped = |name| property(container, name).is_some_and(|(_, value)| is_wrapped(value));
        let mounted = property(container, "VolumesFrom").is_some_and(|(_, volumes)| {
            volumes.as_list().unwrap_or_default().iter().any(|item| {
                property(item, "SourceContainer").and_then(|(_, name)| name.as_str())
                    == Some(self.sidecar)
            })
        });
        wrapped("EntryPoint") || wrapped("Command") || mounted
    }

    fn launch(&mut self, container: &mut Value, name: &str, known: Option<&Undo>) {
        if let Some(undo) = known.filter(|undo| undo.wrapped) {
            put(container, "EntryPoint", undo.entry.clone());
            put(container, "Command", undo.command.clone());
            return;
        }
        let list = |name| {
            property(container, name)
                .and_then(|(_, value)| value.as_list())
                .map(<[Value]>::to_vec)
        };
        let starts = |items: &Option<Vec<Value>>| {
            let first = items.as_ref().and_then(|items| items.first());
            first.and_then(Value::as_str) == Some(INSTRUMENT)
        };
        let (entry, command) = (list("EntryPoint"), list("Command"));
        let tail = |items: Option<Vec<Value>>| {
            let rest: Vec<_> = items.unwrap_or_default().into_iter().skip(1).collect();
            (!rest.is_empty()).then_some(Value::List(rest))
        };
        if starts(&entry) {
            if let Some(rest) = tail(entry) {
                put(container, "EntryPoint", Some(rest));
            } else {
                // Where the entrypoint ends and the command starts is lost; it runs the same.
                put(container, "EntryPoint", command.map(Value::List));
                put(container, "Command", None);
            }
        } else if starts(&command) {
            put(container, "Command", tail(command));
        } else {
            let wrapped = |name| property(container, name).is_some_and(|(_, v)| is_wrapped(v));
            if wrapped("EntryPoint") || wrapped("Command") {
                self.warnings.push(format!(
                    "container `{name}`: its entrypoint is an intrinsic that nothing is remembered of; take {INSTRUMENT} out by hand"
                ));
            }
        }
    }
}

/// Sets or removes a property.
fn put(container: &mut Value, name: &str, value: Option<Value>) {
    let Some((key, _)) = property(container, name) else {
        if let (Some(value), Value::Map(entries)) = (value, container) {
            let camel = entries.iter().any(|(key, _)| key == "name");
            let key = if camel {
                crate::plan::camel(name)
            } else {
                name.to_owned()
            };
            entries.push((key, value));
        }
        return;
    };
    let key = key.to_owned();
    if let Value::Map(entries) = container {
        match value {
            Some(value) => {
                if let Some((_, old)) = entries.iter_mut().find(|(name, _)| *name == key) {
                    *old = value;
                }
            }
            None => entries.retain(|(name, _)| *name != key),
        }
    }
}

/// Removes items of a list property, and the property when that empties it.
fn drop_items(container: &mut Value, name: &str, gone: &dyn Fn(&Value) -> bool) {
    let Some((key, _)) = property(container, name) else {
        return;
    };
    let key = key.to_owned();
    let mut emptied = false;
    if let Some(value) = container.get_mut(&key) {
        branches(value, &Path::root(), &mut |list, _| {
            if let Value::List(items) = list {
                let before = items.len();
                items.retain(|item| !gone(item));
                emptied |= items.is_empty() && before > 0;
            }
        });
        emptied &= value.as_list().is_some();
    }
    if emptied {
        put(container, name, None);
    }
}

/// Removes `SYS_PTRACE`, and the maps that this leaves empty.
fn drop_capability(container: &mut Value) {
    fn inside(map: &mut Value, names: &[&str], gone: &dyn Fn(&Value) -> bool) {
        let [name, rest @ ..] = names else { return };
        if rest.is_empty() {
            return drop_items(map, name, gone);
        }
        let Some((key, _)) = property(map, name) else {
            return;
        };
        let key = key.to_owned();
        let mut emptied = false;
        if let Some(value) = map.get_mut(&key) {
            let before = value.as_map().map_or(0, <[_]>::len);
            branches(value, &Path::root(), &mut |value, _| {
                inside(value, rest, gone);
            });
            emptied = before > 0 && value.as_map().is_some_and(<[_]>::is_empty);
        }
        if emptied {
            put(map, name, None);
        }
    }
    let gone = |item: &Value| item.as_str() == Some(CAPABILITY);
    inside(
        container,
        &["LinuxParameters", "Capabilities", "Add"],
        &gone,
    );
}
