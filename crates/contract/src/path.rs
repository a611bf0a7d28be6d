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

/// The sidecar's own socket for status and health; not on the volume.
pub const ADMIN: &str = "/run/workload-agent/admin.sock";

/// Where the sidecar keeps what it cannot store yet; not on the volume.
pub const SPOOL: &str = "/var/lib/workload-agent/spool";
