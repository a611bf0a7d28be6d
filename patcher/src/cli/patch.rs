//! `patcher patch`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use contract::exit;

use super::inputs::{Input, expand};
use super::{AgentFlags, Format, PatchArgs, diff, lookup, summary};
use crate::config::{self, Environment};
use crate::describe;
use crate::file;
use crate::image::{ImageRequest, Images};
use crate::options::Options;
use crate::output::Output;
use crate::patch::{Patched, patch};
use crate::plan::kind;
use crate::report::{self, FileReport, Report, Status};
use crate::source::Document;

/// Runs the command.
pub(super) fn run(arguments: &PatchArgs, environment: &Environment, output: &mut Output) -> i32 {
    match attempt(arguments, environment, output) {
        Ok(code) => code,
        Err(message) => {
            output.error(&message);
            exit::FAILURE
        }
    }
}

fn attempt(
    arguments: &PatchArgs,
    environment: &Environment,
    output: &mut Output,
) -> Result<i32, String> {
    let inputs = expand(&arguments.inputs)?;
    let run = plan_all(&inputs, &arguments.agent, environment)?;
    let mut reports = Vec::new();
    for (input, job) in inputs.iter().zip(run.jobs) {
        let mut report = job.report;
        if let (Some(old), new) = (&job.text, &job.patched) {
            if arguments.diff && arguments.format == Format::Text {
                diff::print(&report.file, old, new.as_deref().unwrap_or(old), output);
            }
            let fine = matches!(
                report.status,
                Status::Patched | Status::Skipped | Status::Unchanged
            );
            let writes =
                fine && !arguments.check && (!arguments.diff || arguments.output.is_some());
            if writes && let Err(error) = write(input, arguments, old, new.as_deref(), output) {
                report.status = Status::Failed;
                report.errors.push(error);
            }
        }
        reports.push(report);
    }
    let report = Report {
        version: report::VERSION,
        files: reports,
        task_role_statements: report::statements(&run.options),
    };
    match arguments.format {
        Format::Json => output.line_document(&report)?,
        Format::Text => summary::print(&report, arguments.check, output),
    }
    Ok(code(&report, arguments.check))
}

/// One file of a run.
pub(super) struct Job {
    /// The text as it is; of a described task definition, what can be registered.
    pub(super) text: Option<String>,
    /// The text as it shall be.
    pub(super) patched: Option<String>,
    /// What is said about it.
    pub(super) report: FileReport,
}

/// All files of a run.
pub(super) struct Run {
    pub(super) options: Options,
    pub(super) jobs: Vec<Job>,
}

/// Plans every file, looks up the images that they need, each once, and plans those files again.
pub(super) fn plan_all(
    inputs: &[Input],
    flags: &AgentFlags,
    environment: &Environment,
) -> Result<Run, String> {
    let options = config::options(environment, flags).map_err(|error| error.to_string())?;
    let mut images = lookup::given(flags)?;
    let bar = lookup::progress(inputs.len(), "files");
    let mut needs = BTreeSet::new();
    let mut jobs = Vec::new();
    for input in inputs {
        bar.set_message(input.name());
        let (job, needed) = one(input, None, &options, &images);
        needs.extend(needed.iter().cloned());
        jobs.push((job, !needed.is_empty()));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(settings) = config::registry(environment, flags) {
        lookup::look(needs, &settings, &mut images)?;
        for (input, (job, needy)) in inputs.iter().zip(&mut jobs) {
            if *needy {
                *job = one(input, job.text.take(), &options, &images).0;
            }
        }
    }
    Ok(Run {
        options,
        jobs: jobs.into_iter().map(|(job, _)| job).collect(),
    })
}

fn one(
    input: &Input,
    text: Option<String>,
    options: &Options,
    images: &Images,
) -> (Job, BTreeSet<ImageRequest>) {
    let name = input.name();
    let fail = |error: String| {
        let report = FileReport::failed(&name, error);
        (
            Job {
                text: None,
                patched: None,
                report,
            },
            BTreeSet::new(),
        )
    };
    let text = match text.map_or_else(|| file::read(&input.path), Ok) {
        Ok(text) => text,
        Err(error) => return fail(error.to_string()),
    };
    if input.found.is_some() && !is_template(&text) {
        let report = FileReport {
            status: Status::Skipped,
            reason: Some("not a template".into()),
            errors: Vec::new(),
            ..FileReport::failed(&name, String::new())
        };
        return (
            Job {
                text: None,
                patched: None,
                report,
            },
            BTreeSet::new(),
        );
    }
    let registrable = match describe::registrable(&text) {
        Ok(registrable) => registrable,
        Err(error) => return fail(format!("{name}: {error}")),
    };
    let stripped = registrable.is_some();
    let text = registrable.unwrap_or(text);
    match patch(&text, options, images) {
        Ok(Patched {
            text: patched,
            plan,
        }) => {
            let patched = patched.or_else(|| stripped.then(|| text.clone()));
            let report = FileReport::of(&name, &plan, patched.as_deref());
            (
                Job {
                    text: Some(text),
                    patched,
                    report,
                },
                plan.needs,
            )
        }
        Err(error) => fail(format!("{name}: {error}")),
    }
}

/// A file that a directory holds may be anything; one that cannot be read is worth an error.
fn is_template(text: &str) -> bool {
    match Document::read(text) {
        Ok(document) => kind(&document.value()).is_some(),
        Err(_) => {
            text.contains("AWS::ECS::TaskDefinition") || text.contains("containerDefinitions")
        }
    }
}

fn write(
    input: &Input,
    arguments: &PatchArgs,
    old: &str,
    new: Option<&str>,
    output: &mut Output,
) -> Result<(), String> {
    let several = arguments.inputs.len() > 1 || input.found.is_some();
    let target = match &arguments.output {
        Some(path) if path == Path::new("-") => PathBuf::from("-"),
        Some(path) if several || path.is_dir() => {
            let name = input
                .found
                .clone()
                .or_else(|| input.path.file_name().map(PathBuf::from));
            path.join(name.unwrap_or_default())
        }
        Some(path) => path.clone(),
        None if new.is_none() && !input.is_stdin() => return Ok(()),
        None => input.path.clone(),
    };
    let text = new.unwrap_or(old);
    if target == Path::new("-") {
        return output
            .document(text)
            .map_err(|error| format!("cannot write standard output: {error}"));
    }
    if several && let Some(parent) = target.parent() {
        fs::create_dir_all(parent)
            .map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
    }
    file::write(&target, text).map_err(|error| error.to_string())
}

/// The exit code of a run: what stands in the way first, then what is to be done.
fn code(report: &Report, check: bool) -> i32 {
    let any = |status| report.files.iter().any(|file| file.status == status);
    if any(Status::Failed) {
        exit::FAILURE
    } else if any(Status::Unresolved) {
        exit::UNRESOLVED
    } else if check && any(Status::Patched) {
        exit::CHANGE_NEEDED
    } else {
        exit::SUCCESS
    }
}
