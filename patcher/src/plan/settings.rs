//! The environment variables that carry the agent's settings.

use contract::env;

use crate::options::{AccessKey, Options};

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
}

fn setting(name: &str, value: impl Into<String>) -> Setting {
    Setting {
        name: name.to_owned(),
        value: value.into(),
    }
}

fn given(pairs: &[(String, String)]) -> impl Iterator<Item = Setting> {
    pairs.iter().map(|(name, value)| setting(name, value))
}

fn shared(options: &Options) -> Vec<Setting> {
    let agent = &options.agent;
    let mut all = Vec::new();
    if let Some((host, port)) = &agent.orchestrator {
        all.push(setting(env::SYSDIG_ORCHESTRATOR, host));
        all.push(setting(env::SYSDIG_ORCHESTRATOR_PORT, port.to_string()));
    }
    if let Some((host, port)) = &agent.collector {
        all.push(setting(env::SYSDIG_COLLECTOR, host));
        all.extend(port.map(|port| setting(env::SYSDIG_COLLECTOR_PORT, port.to_string())));
    }
    all.push(setting(env::SYSDIG_LOGGING, agent.logging.word()));
    all.push(setting(env::SYSDIG_PRIORITY, agent.priority.word()));
    all
}

/// What every wrapped container gets. The access key is not among it.
pub(super) fn workload(options: &Options) -> Vec<Setting> {
    shared(options)
        .into_iter()
        .chain(given(&options.agent.workload_env))
        .collect()
}

/// What the sidecar gets.
pub(super) fn sidecar(options: &Options) -> Vec<Setting> {
    let mut all = shared(options);
    if let Some(AccessKey::Plain(key)) = &options.agent.access_key {
        all.push(setting(env::SYSDIG_ACCESS_KEY, key));
    }
    if let Some(group) = &options.sidecar.log_group {
        all.push(setting(env::WORKLOAD_AGENT_LOG_GROUP, group));
    }
    all.into_iter()
        .chain(given(&options.agent.sidecar_env))
        .collect()
}

/// Variables whose names are ours alone, so that a stale one can be taken away.
pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with("SYSDIG_") || name.starts_with("WORKLOAD_AGENT_")
}
