//! Local mode: one template, everything by environment variables, as the replaced image has it.

use std::path::Path;

use contract::exit;

use super::inputs::Input;
use super::patch::plan_all;
use super::{AgentFlags, summary};
use crate::config::Environment;
use crate::file;
use crate::output::Output;
use crate::report::{self, Report, Status};

/// Patches `source` into `out`. As documented for the replaced image, a container whose entrypoint
/// stays unknown is wrapped all the same, with a warning.
pub fn run(source: &Path, out: &Path, environment: &Environment, output: &mut Output) -> i32 {
    match attempt(source, out, environment, output) {
        Ok(code) => code,
        Err(message) => {
            output.error(&message);
            exit::FAILURE
        }
    }
}

fn attempt(
    source: &Path,
    out: &Path,
    environment: &Environment,
    output: &mut Output,
) -> Result<i32, String> {
    let flags = AgentFlags {
        allow_unresolved: true,
        registry_timeout: 10,
        ..AgentFlags::default()
    };
    let inputs = [Input {
        path: source.to_owned(),
        found: None,
    }];
    let run = plan_all(&inputs, &flags, environment)?;
    let mut code = exit::SUCCESS;
    let mut files = Vec::new();
    for job in run.jobs {
        if matches!(job.report.status, Status::Failed | Status::Unresolved) {
            code = exit::FAILURE;
        } else if let Some(text) = job.patched.or(job.text) {
            file::write(out, &text).map_err(|error| error.to_string())?;
        }
        files.push(job.report);
    }
    let task_role_statements = report::statements(&run.options);
    let report = Report {
        version: report::VERSION,
        files,
        task_role_statements,
    };
    summary::print(&report, false, output);
    Ok(code)
}
