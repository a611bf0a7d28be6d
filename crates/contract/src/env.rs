//! Names of environment variables.

/// `patcher`: `local` or `lambda`.
pub const KILT_MODE: &str = "KILT_MODE";
/// `patcher`, local mode: the template to read.
pub const KILT_SRC_TEMPLATE: &str = "KILT_SRC_TEMPLATE";
/// `patcher`, local mode: the template to write.
pub const KILT_OUT_TEMPLATE: &str = "KILT_OUT_TEMPLATE";
/// `patcher`: `true` wraps only what a tag includes.
pub const KILT_OPT_IN: &str = "KILT_OPT_IN";
/// `patcher`: `true` turns agent settings into template parameters.
pub const KILT_PARAMETERIZE_ENVARS: &str = "KILT_PARAMETERIZE_ENVARS";
/// `patcher`: log group of the sidecar.
pub const KILT_LOG_GROUP: &str = "KILT_LOG_GROUP";
/// `patcher`: not empty: no registry is asked for entrypoints.
pub const KILT_DISABLE_REPO_HINTS: &str = "KILT_DISABLE_REPO_HINTS";
/// `patcher`: secret with the credentials of the agent image's repository.
pub const KILT_IMAGE_AUTH_SECRET: &str = "KILT_IMAGE_AUTH_SECRET";
/// `patcher`: `Essential` of the sidecar container.
pub const KILT_SIDECAR_ESSENTIAL: &str = "KILT_SIDECAR_ESSENTIAL";
/// `patcher`: `Cpu` of the sidecar container.
pub const KILT_SIDECAR_CPU: &str = "KILT_SIDECAR_CPU";
/// `patcher`: `Memory` of the sidecar container, MiB.
pub const KILT_SIDECAR_MEMORY_LIMIT: &str = "KILT_SIDECAR_MEMORY_LIMIT";
/// `patcher`: `MemoryReservation` of the sidecar container, MiB.
pub const KILT_SIDECAR_MEMORY_RESERVATION: &str = "KILT_SIDECAR_MEMORY_RESERVATION";
/// Set by Lambda in a function's environment; its presence selects the macro mode.
pub const AWS_LAMBDA_RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// `patcher`: orchestrator host.
pub const SYSDIG_ORCHESTRATOR_HOST: &str = "SYSDIG_ORCHESTRATOR_HOST";
/// Workload and sidecar: orchestrator host.
pub const SYSDIG_ORCHESTRATOR: &str = "SYSDIG_ORCHESTRATOR";
/// Patcher, workload and sidecar: orchestrator port.
pub const SYSDIG_ORCHESTRATOR_PORT: &str = "SYSDIG_ORCHESTRATOR_PORT";
/// `patcher`: image of the sidecar container.
pub const SYSDIG_WORKLOAD_AGENT_IMAGE: &str = "SYSDIG_WORKLOAD_AGENT_IMAGE";
/// Log level: silent, fatal, critical, error, warning, info, debug or trace.
pub const SYSDIG_LOGGING: &str = "SYSDIG_LOGGING";
/// `availability` or `security`.
pub const SYSDIG_PRIORITY: &str = "SYSDIG_PRIORITY";
/// Access key of a hosted collector. Never reaches the workload.
pub const SYSDIG_ACCESS_KEY: &str = "SYSDIG_ACCESS_KEY";
/// `patcher`: collector host.
pub const SYSDIG_COLLECTOR_HOST: &str = "SYSDIG_COLLECTOR_HOST";
/// Workload and sidecar: collector host.
pub const SYSDIG_COLLECTOR: &str = "SYSDIG_COLLECTOR";
/// Patcher, workload and sidecar: collector port.
pub const SYSDIG_COLLECTOR_PORT: &str = "SYSDIG_COLLECTOR_PORT";

/// `instrument`: `seccomp`, `full` or `off`.
pub const WORKLOAD_AGENT_MODE: &str = "WORKLOAD_AGENT_MODE";
/// `instrument`: `allow` or `deny`.
pub const WORKLOAD_AGENT_IO_URING: &str = "WORKLOAD_AGENT_IO_URING";
/// `instrument`: rule files, comma-separated.
pub const WORKLOAD_AGENT_RULES: &str = "WORKLOAD_AGENT_RULES";
/// `instrument`: settings of the rules and of alerts, one `KEY=VALUE` per line or semicolon.
pub const WORKLOAD_AGENT_SET: &str = "WORKLOAD_AGENT_SET";
/// `instrument`: a file for alerts, instead of the sidecar. `sidecar`: the sinks.
pub const WORKLOAD_AGENT_OUTPUT: &str = "WORKLOAD_AGENT_OUTPUT";
/// `instrument` and `sidecar`: the socket, when not at its usual place.
pub const WORKLOAD_AGENT_SOCKET: &str = "WORKLOAD_AGENT_SOCKET";
/// `sidecar`: log group in CloudWatch Logs.
pub const WORKLOAD_AGENT_LOG_GROUP: &str = "WORKLOAD_AGENT_LOG_GROUP";
/// `sidecar`: log stream in CloudWatch Logs.
pub const WORKLOAD_AGENT_LOG_STREAM: &str = "WORKLOAD_AGENT_LOG_STREAM";

/// Set by ECS in every container: the task metadata endpoint, version 4.
pub const ECS_CONTAINER_METADATA_URI_V4: &str = "ECS_CONTAINER_METADATA_URI_V4";

/// `sidecar`: the unix socket for status, health and metrics.
pub const WORKLOAD_AGENT_ADMIN: &str = "WORKLOAD_AGENT_ADMIN";
/// `sidecar`: `address:port` for `/metrics` and `/healthz` over TCP.
pub const WORKLOAD_AGENT_HTTP: &str = "WORKLOAD_AGENT_HTTP";
/// `sidecar`: folder of the spool, or `off`.
pub const WORKLOAD_AGENT_SPOOL: &str = "WORKLOAD_AGENT_SPOOL";
/// `sidecar`: the most bytes that the spool may take.
pub const WORKLOAD_AGENT_SPOOL_BYTES: &str = "WORKLOAD_AGENT_SPOOL_BYTES";
/// `sidecar`: `batch`, `interval` or `never`.
pub const WORKLOAD_AGENT_SPOOL_SYNC: &str = "WORKLOAD_AGENT_SPOOL_SYNC";
/// `sidecar`: seconds from SIGTERM to its end.
pub const WORKLOAD_AGENT_DRAIN: &str = "WORKLOAD_AGENT_DRAIN";
/// `sidecar`: seconds between heartbeat records.
pub const WORKLOAD_AGENT_HEARTBEAT: &str = "WORKLOAD_AGENT_HEARTBEAT";
/// `sidecar`: the longest message that a sink is given, bytes.
pub const WORKLOAD_AGENT_MESSAGE_BYTES: &str = "WORKLOAD_AGENT_MESSAGE_BYTES";
/// `sidecar`: alerts alike that are sent one by one before the rest is folded; 0 never folds.
pub const WORKLOAD_AGENT_FOLD: &str = "WORKLOAD_AGENT_FOLD";
/// `sidecar`: frames a second that one session may send.
pub const WORKLOAD_AGENT_RATE: &str = "WORKLOAD_AGENT_RATE";

/// The region: set by Lambda and ECS, and by users of the AWS command line.
pub const AWS_REGION: &str = "AWS_REGION";
/// The region, as older tools spell it.
pub const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
