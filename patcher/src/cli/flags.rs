//! Flags that several commands share.

use clap::Args;

use crate::options::{Logging, Priority};

/// Settings of the agent and of what is wrapped.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Agent")]
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
    /// Ask no registry for entrypoints [env: `KILT_DISABLE_REPO_HINTS`].
    #[arg(long)]
    pub no_registry: bool,
    /// How long a registry may take to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub registry_timeout: u64,
    /// A registry that is asked without TLS. Those on this machine are if they offer none.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub insecure_registry: Vec<String>,
    /// Do not keep image configurations on disk.
    #[arg(long)]
    pub no_cache: bool,
    /// A container that is left alone, by name.
    #[arg(long, value_name = "NAME")]
    pub ignore_container: Vec<String>,
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
