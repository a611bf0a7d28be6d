//! `patcher terraform-external`: Terraform's external data source. A JSON object of strings comes
//! in on standard input, one goes out; an error is a line on standard error and an exit code.

use std::collections::BTreeMap;
use std::path::Path;

use contract::exit;

use super::lookup;
use crate::config::{self, Environment, flags_of};
use crate::file;
use crate::output::Output;
use crate::patch::patch;

/// The key of what is patched, in both directions.
const CONTAINERS: &str = "container_definitions";

/// Runs the command.
pub(super) fn run(environment: &Environment, output: &mut Output) -> i32 {
    match attempt(environment, output) {
        Ok(code) => code,
        Err(message) => {
            output.error(&message);
            exit::FAILURE
        }
    }
}

fn attempt(environment: &Environment, output: &mut Output) -> Result<i32, String> {
    let text = file::read(Path::new("-")).map_err(|error| error.to_string())?;
    let mut query: BTreeMap<String, String> = serde_json::from_str(&text)
        .map_err(|error| format!("the query is not a JSON object of strings: {error}"))?;
    let containers = query
        .remove(CONTAINERS)
        .ok_or_else(|| format!("the query has no `{CONTAINERS}`"))?;
    let flags = flags_of(query)?;
    let options = config::options(environment, &flags).map_err(|error| error.to_string())?;
    let mut images = lookup::given(&flags)?;
    let mut patched =
        patch(&containers, &options, &images).map_err(|error| format!("{CONTAINERS}: {error}"))?;
    if !patched.plan.needs.is_empty()
        && let Some(settings) = config::registry(environment, &flags)
    {
        lookup::look(patched.plan.needs, &settings, &mut images)?;
        patched = patch(&containers, &options, &images)
            .map_err(|error| format!("{CONTAINERS}: {error}"))?;
    }
    for warning in &patched.plan.warnings {
        output.warn(warning);
    }
    if !patched.plan.problems.is_empty() {
        for problem in &patched.plan.problems {
            output.error(&problem.to_string());
        }
        return Ok(exit::UNRESOLVED);
    }
    let answer = BTreeMap::from([(CONTAINERS, patched.text.unwrap_or(containers))]);
    let json = serde_json::to_string(&answer).map_err(|error| error.to_string())?;
    output
        .document(&json)
        .map_err(|error| format!("cannot write standard output: {error}"))?;
    Ok(exit::SUCCESS)
}
