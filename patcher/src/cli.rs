//! The command line.

pub mod diff;
mod patch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Environment;
use crate::options::{Logging, Priority};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  patcher patch template.yaml -o patched.yaml --agent-image IMAGE
  patcher patch template.json --diff --agent-image IMAGE

Exit codes:
  0  done, or nothing to do
  1  a file cannot be read, is not a template, or cannot be written
  2  --check: a change is needed; or the command line cannot be understood
  4  the entrypoint of an image is unknown; nothing was written";

/// Rewrites CloudFormation templates and ECS task definitions so that containers start through
/// the workload agent.
#[derive(Debug, Parser)]
#[command(name = "patcher", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Instrument the containers of templates and task definitions.
    Patch(PatchArgs),
}

/// Arguments of `patcher patch`.
#[derive(Debug, Args)]
pub struct PatchArgs {
    /// Template or task definition.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where the result goes; without it the input is replaced.
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Show what would change and write nothing (unless -o is given).
    #[arg(long)]
    pub diff: bool,
    /// Write nothing; exit with 2 if a change is needed.
    #[arg(long)]
    pub check: bool,
    /// Settings of the agent.
    #[command(flatten)]
    pub agent: AgentFlags,
}

/// Settings of the agent and of what is wrapped.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub struct AgentFlags {
    /// Image of the sidecar container [env: `SYSDIG_WORKLOAD_AGENT_IMAGE`].
    #[arg(long, value_name = "IMAGE")]
    pub agent_image: Option<String>,
    /// Configuration of an image that no registry shall be asked for: what `docker inspect` or a
    /// registry prints.
    #[arg(long, value_name = "IMAGE=FILE", value_parser = pair)]
    pub image_config: Vec<(String, String)>,
    /// Value of a template parameter, to resolve image names.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub parameter: Vec<(String, String)>,
    /// Wrap containers whose entrypoint is unknown; they will not start unless you add it.
    #[arg(long)]
    pub allow_unresolved: bool,
    /// Wrap only what the tags kilt-include and kilt-include-containers name [env: `KILT_OPT_IN`].
    #[arg(long)]
    pub opt_in: bool,
    /// Turn agent settings into template parameters [env: `KILT_PARAMETERIZE_ENVARS`].
    #[arg(long)]
    pub parameterize: bool,
    /// Overwrite variables of the workload that have the name of one of ours.
    #[arg(long)]
    pub force_env: bool,
    /// Wrap task definitions that list only EC2 or EXTERNAL too.
    #[arg(long)]
    pub all_launch_types: bool,
    /// Do not remember in the file what it was; unpatch cannot give it back exactly then.
    #[arg(long)]
    pub no_record: bool,
    /// Name of the sidecar container [default: `SysdigInstrumentation`].
    #[arg(long, value_name = "NAME")]
    pub sidecar_name: Option<String>,
    /// Whether the task ends with the sidecar [default: only with priority security].
    #[arg(long, value_name = "BOOL")]
    pub sidecar_essential: Option<bool>,
    /// CPU units of the sidecar.
    #[arg(long, value_name = "UNITS")]
    pub sidecar_cpu: Option<u32>,
    /// Memory limit of the sidecar, MiB.
    #[arg(long, value_name = "MIB")]
    pub sidecar_memory: Option<u32>,
    /// Memory reservation of the sidecar, MiB.
    #[arg(long, value_name = "MIB")]
    pub sidecar_memory_reservation: Option<u32>,
    /// Secret with the credentials of the agent image's repository.
    #[arg(long, value_name = "ARN")]
    pub image_auth_secret: Option<String>,
    /// Log group of the sidecar and of the alerts [env: `KILT_LOG_GROUP`].
    #[arg(long, value_name = "GROUP")]
    pub log_group: Option<String>,
    /// Region, where a task definition must name one [env: `AWS_REGION`].
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Log level of the agent [env: `SYSDIG_LOGGING`] [default: info].
    #[arg(long, value_name = "LEVEL")]
    pub logging: Option<Logging>,
    /// `availability`: start untraced if tracing is impossible; `security`: do not start
    /// [env: `SYSDIG_PRIORITY`].
    #[arg(long, value_name = "PRIORITY")]
    pub priority: Option<Priority>,
    /// Orchestrator [env: `SYSDIG_ORCHESTRATOR_HOST`, `SYSDIG_ORCHESTRATOR_PORT`].
    #[arg(long, value_name = "HOST[:PORT]")]
    pub orchestrator: Option<String>,
    /// Collector [env: `SYSDIG_COLLECTOR_HOST`, `SYSDIG_COLLECTOR_PORT`].
    #[arg(long, value_name = "HOST[:PORT]")]
    pub collector: Option<String>,
    /// Secret that holds the access key [env: `SYSDIG_ACCESS_KEY`, the key itself].
    #[arg(long, value_name = "ARN")]
    pub access_key_secret: Option<String>,
    /// One more variable for every wrapped container.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,
    /// One more variable for the sidecar.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub sidecar_env: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl Cli {
    /// Does what was asked and returns the exit code.
    pub fn run(self, environment: &Environment, output: &mut Output) -> i32 {
        match self.command {
            Command::Patch(arguments) => patch::run(&arguments, environment, output),
        }
    }
}
