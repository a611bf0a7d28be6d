//! `patcher patch`.

use std::fs;
use std::path::Path;

use contract::exit;

use super::{PatchArgs, diff};
use crate::config::{self, Environment};
use crate::file;
use crate::image::{ImageConfig, Images};
use crate::output::Output;
use crate::patch::{Patched, patch};
use crate::plan::Problem;

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
    let options =
        config::options(environment, &arguments.agent).map_err(|error| error.to_string())?;
    let images = given_images(&arguments.agent.image_config)?;
    let text = file::read(&arguments.input).map_err(|error| error.to_string())?;
    let name = arguments.input.display().to_string();
    let patched = patch(&text, &options, &images).map_err(|error| format!("{name}: {error}"))?;
    if let Some(code) = problems(&name, &patched, output) {
        return Ok(code);
    }
    for warning in &patched.plan.warnings {
        output.warn(&format!("{name}: {warning}"));
    }
    for task in &patched.plan.tasks {
        if let Some(reason) = &task.skipped {
            output.note(&format!("{name}: {} skipped: {reason}", task.name));
        }
    }
    let new = patched.text.as_deref().unwrap_or(&text);
    if arguments.diff {
        diff::print(&name, &text, new, output);
    }
    if arguments.check {
        return Ok(if patched.text.is_some() {
            exit::CHANGE_NEEDED
        } else {
            exit::SUCCESS
        });
    }
    match &arguments.output {
        Some(path) if path == Path::new("-") => {
            output
                .document(new)
                .map_err(|error| format!("cannot write standard output: {error}"))?;
        }
        Some(path) => file::write(path, new).map_err(|error| error.to_string())?,
        None if arguments.diff => {}
        None => {
            if patched.text.is_some() {
                file::write(&arguments.input, new).map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(exit::SUCCESS)
}

fn problems(name: &str, patched: &Patched, output: &mut Output) -> Option<i32> {
    let problems = &patched.plan.problems;
    for problem in problems {
        output.error(&format!("{name}: {problem}"));
    }
    let unresolved = problems
        .iter()
        .all(|problem| matches!(problem, Problem::Unresolved { .. }));
    (!problems.is_empty()).then_some(if unresolved {
        exit::UNRESOLVED
    } else {
        exit::FAILURE
    })
}

fn given_images(given: &[(String, String)]) -> Result<Images, String> {
    let mut images = Images::default();
    for (image, path) in given {
        let bytes = fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let config = ImageConfig::from_json(&bytes).map_err(|error| format!("{path}: {error}"))?;
        images.give(image, config);
    }
    Ok(images)
}
