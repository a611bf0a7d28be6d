//! The sidecar's former name, when it gets another.

use contract::path as paths;

use super::Planner;
use super::sidecar::{named, program};
use crate::path::Path;
use crate::value::Value;

impl Planner<'_> {
    /// Returns the name that our sidecar has in a list of containers, when it shall have another.
    pub(super) fn former_name(&self, items: &[Value]) -> Option<String> {
        let wanted = &self.options.sidecar.name;
        let ours = |item: &&Value| program(item) == Some(paths::SIDECAR);
        let mut names = items.iter().filter(ours).filter_map(named);
        let former = names.next().filter(|former| former != wanted)?;
        // Two of them are not one that was renamed.
        let taken = items.iter().any(|item| named(item) == Some(wanted));
        (!taken && names.next().is_none()).then(|| former.to_owned())
    }

    /// Renames the sidecar wherever a container names it, also one that is left alone, in all
    /// branches of conditions.
    pub(super) fn rename(&mut self, items: &[Value], path: &Path) {
        if let Some(former) = self.renamed.clone() {
            for (at, item) in items.iter().enumerate() {
                self.rename_in(item, &path.index(at), &former);
            }
        }
    }

    fn rename_in(&mut self, value: &Value, path: &Path, former: &str) {
        for (at, item) in value.as_list().unwrap_or_default().iter().enumerate() {
            self.rename_in(item, &path.index(at), former);
        }
        for (key, value) in value.as_map().unwrap_or_default() {
            match key.as_str() {
                "DependsOn" | "Fn::If" | "VolumesFrom" | "dependsOn" | "volumesFrom" => {
                    self.rename_in(value, &path.key(key), former);
                }
                "ContainerName" | "SourceContainer" | "containerName" | "sourceContainer"
                    if value.as_str() == Some(former) =>
                {
                    let name = Value::string(&self.options.sidecar.name);
                    self.set(path.key(key), name);
                }
                _ => {}
            }
        }
    }
}
