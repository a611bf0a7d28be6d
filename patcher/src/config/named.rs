//! Settings by name, where there is no command line.

use std::fmt::Display;

use crate::cli::AgentFlags;

/// Settings have the names of the command line's flags, with underscores. An empty string is a
/// setting that is not given, since Terraform has
/// no null here. This is how Terraform's query and the parameters of a macro give settings.
pub fn flags_of(query: impl IntoIterator<Item = (String, String)>) -> Result<AgentFlags, String> {
    let mut flags = AgentFlags {
        no_record: true,
        registry_timeout: 10,
        ..AgentFlags::default()
    };
    for (name, value) in query.into_iter().filter(|(_, value)| !value.is_empty()) {
        let wrong = |error: &dyn Display| format!("`{name}`: {error}");
        match name.as_str() {
            "agent_image" => flags.agent_image = Some(value),
            "allow_unresolved" => flags.allow_unresolved = value == "true",
            "access_key_secret" => flags.access_key_secret = Some(value),
            "collector" => flags.collector = Some(value),
            "ignore_containers" => {
                flags.ignore_container = value.split(':').map(str::to_owned).collect();
            }
            "image_auth_secret" => flags.image_auth_secret = Some(value),
            "log_group" => flags.log_group = Some(value),
            "logging" => flags.logging = Some(value.parse().map_err(|e| wrong(&e))?),
            "no_registry" => flags.no_registry = value == "true",
            "orchestrator" => flags.orchestrator = Some(value),
            "priority" => flags.priority = Some(value.parse().map_err(|e| wrong(&e))?),
            "region" => flags.region = Some(value),
            "sidecar_cpu" => flags.sidecar_cpu = Some(value.parse().map_err(|e| wrong(&e))?),
            "sidecar_essential" => {
                flags.sidecar_essential = Some(value.parse().map_err(|e| wrong(&e))?);
            }
            "sidecar_memory" => flags.sidecar_memory = Some(value.parse().map_err(|e| wrong(&e))?),
            "sidecar_name" => flags.sidecar_name = Some(value),
            _ => return Err(format!("unknown setting `{name}`")),
        }
    }
    Ok(flags)
}
