//! What a run did, for people and for machines.

use serde::Serialize;

use crate::options::Options;
use crate::plan::{Outcome, Plan, Problem, TaskReport};

/// The form of `--format json`.
pub const VERSION: u32 = 1;

/// CloudFormation takes a template of this size inline.
const INLINE_BYTES: usize = 51_200;

/// CloudFormation takes a template of this size from S3.
const MAX_BYTES: usize = 1_048_576;

/// A whole run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Each file, in order.
    pub files: Vec<FileReport>,
    /// IAM statements that the task role needs.
    pub task_role_statements: Vec<Statement>,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// Its name, `-` for standard input.
    pub file: String,
    /// What happened.
    pub status: Status,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// Why it failed.
    pub errors: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Its task definitions.
    pub tasks: Vec<TaskEntry>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing was written, because of an error.
    Failed,
    /// It was patched, or would be.
    Patched,
    /// There is nothing in it to wrap.
    Skipped,
    /// It is as it shall be.
    Unchanged,
    /// An entrypoint is unknown; nothing was written.
    Unresolved,
}

/// One task definition.
#[derive(Debug, Clone, Serialize)]
pub struct TaskEntry {
    /// Logical name or family.
    pub name: String,
    /// Why it was skipped.
    pub skipped: Option<String>,
    /// Its containers.
    pub containers: Vec<ContainerEntry>,
}

/// One container.
#[derive(Debug, Clone, Serialize)]
pub struct ContainerEntry {
    /// Its name.
    pub name: String,
    /// `wrap`, `wrapped`, `skipped` or `failed`.
    pub action: &'static str,
    /// Why, or from where.
    pub reason: Option<String>,
}

/// An IAM policy statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Always `Allow`.
    pub effect: &'static str,
    /// API actions.
    pub action: Vec<&'static str>,
    /// What they act on.
    pub resource: Vec<String>,
}

impl FileReport {
    /// Makes the report of a file that could not even be read.
    pub fn failed(file: &str, error: String) -> Self {
        Self {
            file: file.to_owned(),
            status: Status::Failed,
            reason: None,
            errors: vec![error],
            warnings: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Makes the report of a plan.
    pub fn of(file: &str, plan: &Plan, text: Option<&str>) -> Self {
        let unresolved = plan
            .problems
            .iter()
            .all(|problem| matches!(problem, Problem::Unresolved { .. }));
        let wrapped = plan
            .tasks
            .iter()
            .flat_map(|task| &task.containers)
            .any(|container| matches!(container.outcome, Outcome::Wrap(_) | Outcome::Wrapped));
        let status = match (plan.problems.is_empty(), unresolved, text) {
            (false, true, _) => Status::Unresolved,
            (false, false, _) => Status::Failed,
            (true, _, Some(_)) => Status::Patched,
            (true, _, None) if wrapped => Status::Unchanged,
            (true, _, None) => Status::Skipped,
        };
        let mut warnings = plan.warnings.clone();
        warnings.extend(text.and_then(size_warning));
        Self {
            file: file.to_owned(),
            status,
            reason: (status == Status::Skipped).then(|| why_skipped(&plan.tasks)),
            errors: plan.problems.iter().map(ToString::to_string).collect(),
            warnings,
            tasks: plan.tasks.iter().map(task_entry).collect(),
        }
    }
}

fn size_warning(text: &str) -> Option<String> {
    let size = text.len();
    if size > MAX_BYTES {
        Some(format!(
            "{size} bytes: CloudFormation takes at most {MAX_BYTES}"
        ))
    } else if size > INLINE_BYTES {
        Some(format!(
            "{size} bytes: CloudFormation takes more than {INLINE_BYTES} only from S3 (--template-url)"
        ))
    } else {
        None
    }
}

fn why_skipped(tasks: &[TaskReport]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for task in tasks {
        if let Some(reason) = &task.skipped {
            reasons.push(format!("{}: {reason}", task.name));
        }
        for container in &task.containers {
            if let Outcome::Skipped(reason) = &container.outcome {
                reasons.push(format!("{}: {reason}", container.name));
            }
        }
    }
    if reasons.is_empty() {
        "no task definition".to_owned()
    } else {
        reasons.join("; ")
    }
}

fn task_entry(task: &TaskReport) -> TaskEntry {
    let containers = task.containers.iter().map(|container| {
        let (action, reason) = match &container.outcome {
            Outcome::Failed => ("failed", None),
            Outcome::Skipped(reason) => ("skipped", Some(reason.clone())),
            Outcome::Wrap(how) => ("wrap", Some(how.clone())),
            Outcome::Wrapped => ("wrapped", None),
        };
        ContainerEntry {
            name: container.name.clone(),
            action,
            reason,
        }
    });
    TaskEntry {
        name: task.name.clone(),
        skipped: task.skipped.clone(),
        containers: containers.collect(),
    }
}

/// What the task role must allow, so that the sidecar can store alerts.
pub fn statements(options: &Options) -> Vec<Statement> {
    let Some(group) = &options.sidecar.log_group else {
        return Vec::new();
    };
    let region = options.region.as_deref().unwrap_or("*");
    vec![Statement {
        effect: "Allow",
        action: vec![
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ],
        resource: vec![
            format!("arn:aws:logs:{region}:*:log-group:{group}"),
            format!("arn:aws:logs:{region}:*:log-group:{group}:*"),
        ],
    }]
}
