//! The command line.

mod diff;
mod explain;
mod flags;
mod generate;
mod inputs;
mod local;
mod lookup;
mod patch;
mod summary;
mod terraform;
mod unpatch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::Environment;
use crate::output::Output;

pub use flags::AgentFlags;
pub use local::run as run_local;

const EXAMPLES: &str = "\
Examples:
  patcher patch template.yaml --agent-image IMAGE --diff     show what would change
  patcher patch template.yaml --agent-image IMAGE -o OUT     write the result to OUT
  patcher patch stacks/ --agent-image IMAGE                  patch every template in place
  patcher patch --check stacks/ --agent-image IMAGE          for CI: exit 2 if one is not patched
  aws ecs describe-task-definition --task-definition web | patcher patch - --agent-image IMAGE
  patcher unpatch template.yaml                              give the original back

Exit codes:
  0  done, or nothing to do
  1  a file cannot be read, is not a template, holds something that cannot be instrumented, or
     cannot be written; nothing was half-written
  2  --check: a change is needed; or the command line cannot be understood
  4  the entrypoint of an image is unknown; nothing was written for that file

Without a command line, KILT_MODE=local and KILT_MODE=lambda choose what to do; see the manual.";

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
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Say what would be done to each container, and why; write nothing.
    Explain(ExplainArgs),
    /// Print the manual page, in roff.
    Man,
    /// Instrument the containers of templates and task definitions.
    Patch(PatchArgs),
    /// Answer Terraform's external data source: a JSON object of strings in, one out.
    TerraformExternal,
    /// Take the instrumentation out again.
    Unpatch(UnpatchArgs),
}

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For machines.
    Json,
    /// For people.
    #[default]
    Text,
}

#[derive(Debug, Args)]
struct PatchArgs {
    /// Templates, task definitions, directories of them, or - for standard input.
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// Where the result goes: a file, a directory, or - for standard output. Without it the input
    /// is replaced; standard input goes to standard output.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Show what changes; write nothing unless -o is given.
    #[arg(long)]
    diff: bool,
    /// Write nothing; exit with 2 if a change is needed.
    #[arg(long)]
    check: bool,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    agent: AgentFlags,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// Templates, task definitions, directories of them, or - for standard input.
    #[arg(value_name = "FILE", required = true)]
    inputs: Vec<PathBuf>,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    agent: AgentFlags,
}

#[derive(Debug, Args)]
struct UnpatchArgs {
    /// A patched file, or - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Where the original goes. Without it the input is replaced.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Show what changes; write nothing unless -o is given.
    #[arg(long)]
    diff: bool,
    /// Name of the sidecar container, if it is not the usual one.
    #[arg(long, value_name = "NAME", default_value = contract::sidecar::CONTAINER_NAME)]
    sidecar_name: String,
}

impl Cli {
    /// Does what was asked and returns the exit code.
    pub fn run(self, environment: &Environment, output: &mut Output) -> i32 {
        match self.command {
            Command::Completions { shell } => generate::completions(shell, output),
            Command::Explain(arguments) => explain::run(&arguments, environment, output),
            Command::Man => generate::manual(output),
            Command::Patch(arguments) => patch::run(&arguments, environment, output),
            Command::TerraformExternal => terraform::run(environment, output),
            Command::Unpatch(arguments) => unpatch::run(&arguments, output),
        }
    }
}
