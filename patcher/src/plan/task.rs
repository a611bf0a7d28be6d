//! One task definition.

use super::select::{Tags, unsuitable};
use super::sidecar::is_agent;
use super::{ContainerReport, Kind, Outcome, Planner, Task, TaskReport, property};
use crate::path::Path;
use crate::record::Keys;
use crate::value::Value;

/// What a container needs to know of its task.
pub(super) struct Surroundings<'a> {
    pub(super) task: &'a Task<'a>,
    pub(super) properties: &'a Value,
    /// The same as an earlier run left it.
    pub(super) earlier: Option<&'a Value>,
    pub(super) tags: Tags,
}

impl Planner<'_> {
    /// Plans a task definition; `earlier` is how an earlier run left it.
    pub(super) fn task(&mut self, task: &Task<'_>, earlier: Option<&Value>) {
        self.keys = Keys::of(task);
        let report = |skipped| TaskReport {
            name: task.name.clone(),
            path: task.path.clone(),
            skipped,
            containers: Vec::new(),
        };
        let Some(properties) = task.value else {
            self.plan
                .tasks
                .push(report(Some("it has no properties".to_owned())));
            return;
        };
        self.unseen(properties, &task.name);
        let tags = Tags::read(properties);
        let skipped =
            unsuitable(task, properties, self.options).or_else(|| tags.skips_task(self.options));
        if skipped.is_some() {
            self.plan.tasks.push(report(skipped));
            return;
        }
        let (path, containers) = if task.kind == Kind::Containers {
            (task.path.clone(), properties)
        } else {
            let Some((key, containers)) = property(properties, "ContainerDefinitions") else {
                let reason = "it has no ContainerDefinitions".to_owned();
                self.plan.tasks.push(report(Some(reason)));
                return;
            };
            (task.path.key(key), containers)
        };
        let around = Surroundings {
            task,
            properties,
            earlier,
            tags,
        };
        let mut reports = Vec::new();
        self.container_list(&around, containers, &path, &mut reports);
        self.plan.tasks.push(TaskReport {
            containers: reports,
            ..report(None)
        });
    }

    /// A list of containers, or one list per branch of a condition.
    fn container_list(
        &mut self,
        around: &Surroundings<'_>,
        list: &Value,
        path: &Path,
        reports: &mut Vec<ContainerReport>,
    ) {
        if list.is_absent() {
            return;
        }
        if let Some((_, yes, no)) = list.branches() {
            let path = path.key("Fn::If");
            self.container_list(around, yes, &path.index(1), reports);
            self.container_list(around, no, &path.index(2), reports);
            return;
        }
        let Some(items) = list.as_list() else {
            self.unreadable(path, "a list of containers", list);
            return;
        };
        self.renamed = self.former_name(items);
        self.rename(items, path);
        self.sidecar_variables = items
            .iter()
            .filter(|item| is_agent(item))
            .filter_map(|item| property(item, "Environment")?.1.as_list())
            .flatten()
            .cloned()
            .collect();
        let first = reports.len();
        for (at, item) in items.iter().enumerate() {
            self.container_item(around, item, &path.index(at), reports);
        }
        let wrapped = reports
            .iter()
            .skip(first)
            .any(|report| matches!(report.outcome, Outcome::Wrap(_) | Outcome::Wrapped));
        if wrapped {
            self.sidecar(around, items, path);
        }
    }

    /// Reports what has no containers in it, or hides them.
    fn unreadable(&mut self, path: &Path, expected: &str, found: &Value) {
        let way_out = match found.intrinsic() {
            Some(_) => "; write it out, or give the task definition the tag `kilt-ignore`",
            None => "",
        };
        let kind = found.kind();
        self.invalid(
            path.clone(),
            format!("expected {expected}, found {kind}{way_out}"),
        );
    }

    /// A container, or one per branch of a condition.
    fn container_item(
        &mut self,
        around: &Surroundings<'_>,
        item: &Value,
        path: &Path,
        reports: &mut Vec<ContainerReport>,
    ) {
        if item.is_absent() {
            return;
        }
        if let Some((_, yes, no)) = item.branches() {
            let path = path.key("Fn::If");
            self.container_item(around, yes, &path.index(1), reports);
            self.container_item(around, no, &path.index(2), reports);
            return;
        }
        if item.as_map().is_none() || item.intrinsic().is_some() {
            self.unreadable(path, "a container definition", item);
            return;
        }
        if is_agent(item) {
            return;
        }
        let report = self.container(around, item, path);
        reports.push(report);
    }
}
