//! Agent settings as parameters of the template.

use contract::env;

use super::settings::Setting;
use super::{Kind, Planner, Task};
use crate::path::Path;
use crate::value::Value;

impl Planner<'_> {
    /// The value of a setting: itself, or a reference to a parameter that has it as default.
    pub(super) fn setting_value(&mut self, task: &Task<'_>, setting: &Setting) -> Value {
        if self.options.parameterize && task.kind == Kind::Template {
            Value::reference(self.parameter(setting))
        } else {
            Value::string(&setting.value)
        }
    }

    /// Returns the name of the parameter of a setting, and plans the parameter.
    fn parameter(&mut self, setting: &Setting) -> String {
        let key = (setting.name.clone(), setting.value.clone());
        if let Some(name) = self.parameters.get(&key) {
            return name.clone();
        }
        let path = Path::root().key("Parameters");
        let existing = self.root.get("Parameters");
        let base = parameter_name(&setting.name);
        let mut name = base.clone();
        let mut count = 2;
        loop {
            let taken = self.parameters.values().any(|planned| *planned == name);
            match existing.and_then(|existing| existing.get(&name)) {
                None if !taken => {
                    if existing.is_none() && self.parameters.is_empty() {
                        self.set(path.clone(), Value::map::<String>([]));
                    }
                    self.set(path.key(&name), parameter(setting));
                    break;
                }
                Some(found) if !taken && is_ours(found, setting) => {
                    let default = Value::string(&setting.value);
                    if found.get("Default") != Some(&default) {
                        self.set(path.key(&name).key("Default"), default);
                    }
                    break;
                }
                _ => {
                    name = format!("{base}{count}");
                    count += 1;
                }
            }
        }
        self.parameters.insert(key, name.clone());
        name
    }
}

/// What the descriptions of our parameters end with.
const SUFFIX: &str = " of the workload agent";

/// Says whether a parameter was made by the patcher.
pub(crate) fn is_our_parameter(parameter: &Value) -> bool {
    parameter
        .get("Description")
        .and_then(Value::as_str)
        .is_some_and(|text| text.ends_with(SUFFIX))
}

fn description(setting: &Setting) -> String {
    format!("{}{SUFFIX}", setting.name)
}

fn parameter(setting: &Setting) -> Value {
    let mut entries = vec![
        ("Type", Value::string("String")),
        ("Default", Value::string(&setting.value)),
        ("Description", Value::string(description(setting))),
    ];
    if setting.name == env::SYSDIG_ACCESS_KEY {
        entries.push(("NoEcho", Value::Bool(true)));
    }
    Value::map(entries)
}

/// Says whether a parameter was made by an earlier run for the same setting.
fn is_ours(found: &Value, setting: &Setting) -> bool {
    let text = |key| found.get(key).and_then(Value::as_str);
    text("Type") == Some("String") && text("Description") == Some(&description(setting))
}

/// `SYSDIG_ORCHESTRATOR_PORT` becomes `sysdigOrchestratorPort`: lower case, and the letter after
/// each separator upper. A name without separators stays as it is.
fn parameter_name(variable: &str) -> String {
    if variable.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return variable.to_owned();
    }
    let mut out = String::new();
    let mut raise = false;
    for c in variable.chars() {
        if !c.is_ascii_alphanumeric() {
            raise = true;
        } else if raise {
            out.push(c.to_ascii_uppercase());
            raise = false;
        } else {
            out.push(c.to_ascii_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        let table = [
            ("SYSDIG_ORCHESTRATOR", "sysdigOrchestrator"),
            ("SYSDIG_ORCHESTRATOR_PORT", "sysdigOrchestratorPort"),
            ("_A_b", "AB"),
            ("MODE", "MODE"),
            ("A__B", "aB"),
            ("a.b-c", "aBC"),
        ];
        for (variable, want) in table {
            assert_eq!(parameter_name(variable), want, "for {variable}");
        }
    }
}
