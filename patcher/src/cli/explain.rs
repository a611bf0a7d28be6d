//! `patcher explain`.

use contract::exit;

use super::inputs::expand;
use super::patch::plan_all;
use super::{ExplainArgs, Format};
use crate::config::Environment;
use crate::output::{Output, Tone};
use crate::report::{self, FileReport, Report, Status, TaskEntry};

/// Runs the command.
pub(super) fn run(arguments: &ExplainArgs, environment: &Environment, output: &mut Output) -> i32 {
    match attempt(arguments, environment, output) {
        Ok(code) => code,
        Err(message) => {
            output.error(&message);
            exit::FAILURE
        }
    }
}

fn attempt(
    arguments: &ExplainArgs,
    environment: &Environment,
    output: &mut Output,
) -> Result<i32, String> {
    let inputs = expand(&arguments.inputs)?;
    let run = plan_all(&inputs, &arguments.agent, environment)?;
    let report = Report {
        version: report::VERSION,
        files: run.jobs.into_iter().map(|job| job.report).collect(),
        task_role_statements: report::statements(&run.options),
    };
    match arguments.format {
        Format::Json => output.line_document(&report)?,
        Format::Text => report.files.iter().for_each(|file| explain(file, output)),
    }
    let failed = report
        .files
        .iter()
        .any(|file| file.status == Status::Failed);
    Ok(if failed { exit::FAILURE } else { exit::SUCCESS })
}

fn explain(file: &FileReport, output: &mut Output) {
    output.line(Tone::Plain, &file.file);
    if let (Some(reason), true) = (&file.reason, file.tasks.is_empty()) {
        output.line(Tone::Faint, &format!("  skipped: {reason}"));
    }
    for task in &file.tasks {
        explain_task(task, output);
    }
    for error in &file.errors {
        output.line(Tone::Bad, &format!("  {error}"));
    }
    for warning in &file.warnings {
        output.line(Tone::Warn, &format!("  {warning}"));
    }
}

fn explain_task(task: &TaskEntry, output: &mut Output) {
    match &task.skipped {
        Some(reason) => {
            output.line(Tone::Faint, &format!("  {}: skipped, {reason}", task.name));
        }
        None => output.line(Tone::Plain, &format!("  {}", task.name)),
    }
    for container in &task.containers {
        let reason = container.reason.as_deref().unwrap_or_default();
        let (tone, text) = match container.action {
            "wrap" => (Tone::Good, format!("starts through instrument, {reason}")),
            "wrapped" => (Tone::Faint, "starts through instrument already".to_owned()),
            "skipped" => (Tone::Faint, format!("stays as it is: {reason}")),
            _ => (Tone::Bad, "cannot be wrapped, see below".to_owned()),
        };
        output.line(tone, &format!("    {}: {text}", container.name));
    }
}
