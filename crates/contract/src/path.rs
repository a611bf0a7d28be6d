//! Paths inside every container of a patched task.

/// The volume that the sidecar exports and every workload container mounts read-only.
pub const VOLUME: &str = "/opt/draios";

/// The launcher: the first element of a patched `EntryPoint`.
pub const INSTRUMENT: &str = "/opt/draios/bin/instrument";

/// The program of the sidecar container.
pub const SIDECAR: &str = "/opt/draios/bin/sidecar";

/// Rule files, read in order of their names.
pub const RULES_DIR: &str = "/opt/draios/etc/rules.d";

/// The unix stream socket on which the sidecar listens.
pub const SOCKET: &str = "/opt/draios/run/agent.sock";
