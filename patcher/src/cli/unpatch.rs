//! `patcher unpatch`.

use std::path::{Path, PathBuf};

use contract::exit;

use super::{UnpatchArgs, diff};
use crate::file;
use crate::output::Output;
use crate::unpatch::unpatch;

/// Runs the command.
pub(super) fn run(arguments: &UnpatchArgs, output: &mut Output) -> i32 {
    match attempt(arguments, output) {
        Ok(()) => exit::SUCCESS,
        Err(message) => {
            output.error(&message);
            exit::FAILURE
        }
    }
}

fn attempt(arguments: &UnpatchArgs, output: &mut Output) -> Result<(), String> {
    let name = arguments.input.display().to_string();
    let text = file::read(&arguments.input).map_err(|error| error.to_string())?;
    let found =
        unpatch(&text, &arguments.sidecar_name).map_err(|error| format!("{name}: {error}"))?;
    for warning in &found.warnings {
        output.warn(&format!("{name}: {warning}"));
    }
    let original = found.text.as_ref().map(|(original, _)| original.as_str());
    if original.is_none() {
        output.note(&format!("{name}: nothing is instrumented"));
    }
    let new = original.unwrap_or(&text);
    if arguments.diff {
        diff::print(&name, &text, new, output);
    }
    let target = match &arguments.output {
        Some(path) => path.clone(),
        None if arguments.diff => return Ok(()),
        None if original.is_none() && arguments.input != Path::new("-") => return Ok(()),
        None => PathBuf::from(&arguments.input),
    };
    if target == Path::new("-") {
        return output
            .document(new)
            .map_err(|error| format!("cannot write standard output: {error}"));
    }
    file::write(&target, new).map_err(|error| error.to_string())
}
