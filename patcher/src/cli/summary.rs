//! The end of a run, for people.

use crate::output::{Output, Tone};
use crate::report::{FileReport, Report, Status};

/// Says what went wrong, what should be known, and what was done.
pub(super) fn print(report: &Report, check: bool, output: &mut Output) {
    for file in &report.files {
        for error in &file.errors {
            let named = error.starts_with(&file.file) || error.contains(&file.file);
            let text = if named {
                error.clone()
            } else {
                format!("{}: {error}", file.file)
            };
            output.error(&text);
        }
        for warning in &file.warnings {
            output.warn(&format!("{}: {warning}", file.file));
        }
    }
    for file in &report.files {
        let (mark, tone) = match file.status {
            Status::Failed => ("failed", Tone::Bad),
            Status::Patched if check => ("needs a change", Tone::Warn),
            Status::Patched => ("patched", Tone::Good),
            Status::Skipped => ("skipped", Tone::Faint),
            Status::Unchanged => ("unchanged", Tone::Faint),
            Status::Unresolved => ("unresolved", Tone::Bad),
        };
        output.status(tone, mark, &detail(file));
        if matches!(file.status, Status::Patched | Status::Unchanged) {
            for left_alone in left_alone(file) {
                output.status(Tone::Faint, "left alone", &left_alone);
            }
        }
    }
    if report.files.len() > 1 {
        let count = |status| {
            report
                .files
                .iter()
                .filter(|file| file.status == status)
                .count()
        };
        output.note(&format!(
            "{} files: {} patched, {} unchanged, {} skipped, {} unresolved, {} failed",
            report.files.len(),
            count(Status::Patched),
            count(Status::Unchanged),
            count(Status::Skipped),
            count(Status::Unresolved),
            count(Status::Failed)
        ));
    }
    let patched = report
        .files
        .iter()
        .any(|file| file.status == Status::Patched);
    if patched && !check && !report.task_role_statements.is_empty() {
        output.note("the task role needs:");
        if let Ok(json) = serde_json::to_string_pretty(&report.task_role_statements) {
            output.note(&json);
        }
    }
}

/// What of a file that is instrumented is not, and why: nobody shall believe it watched.
fn left_alone(file: &FileReport) -> Vec<String> {
    let mut lines = Vec::new();
    for task in &file.tasks {
        if let Some(reason) = &task.skipped {
            lines.push(format!("{}: {}: {reason}", file.file, task.name));
        }
        for container in &task.containers {
            if let ("skipped", Some(reason)) = (container.action, &container.reason) {
                let name = &container.name;
                lines.push(format!("{}: {}: {name}: {reason}", file.file, task.name));
            }
        }
    }
    lines
}

fn detail(file: &FileReport) -> String {
    let wrapped: Vec<_> = file
        .tasks
        .iter()
        .flat_map(|task| &task.containers)
        .filter(|container| container.action == "wrap")
        .map(|container| container.name.as_str())
        .collect();
    match (&file.reason, wrapped.is_empty()) {
        (Some(reason), _) => format!("{}: {reason}", file.file),
        (None, true) => file.file.clone(),
        (None, false) => format!("{}: {}", file.file, wrapped.join(", ")),
    }
}
