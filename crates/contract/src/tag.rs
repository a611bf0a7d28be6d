//! Tags on a task definition that choose what the patcher wraps. Lists are colon-separated.

/// Opt-out: leave the whole task definition alone.
pub const IGNORE: &str = "kilt-ignore";

/// Opt-in: take every container of the task definition.
pub const INCLUDE: &str = "kilt-include";

/// The misspelling of [`INCLUDE`] that the documentation of the replaced product carries.
pub const INCLUDE_MISSPELT: &str = "kilt-inclulde";

/// Opt-out: containers to leave alone.
pub const IGNORE_CONTAINERS: &str = "kilt-ignore-containers";

/// Opt-in: containers to take.
pub const INCLUDE_CONTAINERS: &str = "kilt-include-containers";
