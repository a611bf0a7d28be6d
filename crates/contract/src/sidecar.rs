//! The sidecar container as the patcher writes it and everyone else finds it.

/// Default name of the sidecar container.
pub const CONTAINER_NAME: &str = "SysdigInstrumentation";

/// Default port of an orchestrator.
pub const ORCHESTRATOR_PORT: u16 = 6667;

/// The capability that every wrapped container needs, without the `CAP_` prefix, as ECS spells it.
pub const CAPABILITY: &str = "SYS_PTRACE";

/// Docker label of the sidecar container in which the patcher remembers what it changed.
pub const RECORD_LABEL: &str = "workload-agent.record";
