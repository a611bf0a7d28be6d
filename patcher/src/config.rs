//! The environment, read once and parsed: the only module that knows it.

mod named;

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use contract::env as names;
use contract::sidecar::ORCHESTRATOR_PORT;
use thiserror::Error;

use crate::cli::AgentFlags;
use crate::options::{AccessKey, Options};
use crate::registry::{AwsKeys, RegistrySettings};

pub use named::flags_of;

/// The variables of this process, or of a test.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

/// A setting that cannot be understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A variable or option has a value that it cannot have.
    #[error("{name}: {message}")]
    Invalid {
        /// The variable or option.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A setting without a default is missing.
    #[error("{what} is missing: {way_out}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// How to give it.
        way_out: &'static str,
    },
}

/// How the program is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// By its command line.
    CommandLine,
    /// As a CloudFormation macro in Lambda.
    Lambda,
    /// One template, named by variables.
    Local {
        /// What to read.
        source: PathBuf,
        /// What to write.
        out: PathBuf,
    },
}

impl Environment {
    /// Reads the environment of this process. What is not UTF-8 is none of ours.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(env::vars_os().filter_map(text).collect())
    }

    /// Returns a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns a variable as the type that it stands for.
    pub fn parse<T: FromStr>(&self, name: &str) -> Result<Option<T>, ConfigError>
    where
        T::Err: ToString,
    {
        self.get(name).map(|text| parse(name, text)).transpose()
    }

    /// Says whether a variable is `true`; no other value is.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, ConfigError>
where
    T::Err: ToString,
{
    text.trim()
        .parse()
        .map_err(|error: T::Err| ConfigError::Invalid {
            name: name.to_owned(),
            message: format!("`{text}`: {}", error.to_string()),
        })
}

impl Mode {
    /// Reads `KILT_MODE`; Lambda is recognised by its own variable too.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        match environment.get(names::KILT_MODE) {
            Some("lambda") => Ok(Self::Lambda),
            Some("local") => Ok(Self::Local {
                source: file(
                    environment,
                    names::KILT_SRC_TEMPLATE,
                    "the template to read",
                )?,
                out: file(
                    environment,
                    names::KILT_OUT_TEMPLATE,
                    "the template to write",
                )?,
            }),
            Some(other) => Err(ConfigError::Invalid {
                name: names::KILT_MODE.to_owned(),
                message: format!("`{other}` is not one of local, lambda"),
            }),
            None if environment.get(names::AWS_LAMBDA_RUNTIME_API).is_some() => Ok(Self::Lambda),
            None => Ok(Self::CommandLine),
        }
    }
}

fn file(
    environment: &Environment,
    name: &'static str,
    what: &'static str,
) -> Result<PathBuf, ConfigError> {
    environment
        .get(name)
        .map(PathBuf::from)
        .ok_or(ConfigError::Missing {
            what,
            way_out: match name {
                names::KILT_SRC_TEMPLATE => "set KILT_SRC_TEMPLATE",
                _ => "set KILT_OUT_TEMPLATE",
            },
        })
}

/// Makes options of the command line, where it speaks, and of the environment.
pub fn options(environment: &Environment, flags: &AgentFlags) -> Result<Options, ConfigError> {
    let text = |flag: &Option<String>, name| {
        flag.clone()
            .or_else(|| environment.get(name).map(str::to_owned))
    };
    let image = text(&flags.agent_image, names::SYSDIG_WORKLOAD_AGENT_IMAGE).ok_or(
        ConfigError::Missing {
            what: "the agent image",
            way_out: "use --agent-image IMAGE or set SYSDIG_WORKLOAD_AGENT_IMAGE",
        },
    )?;
    let mut options = Options::new(image);
    options.sidecar.essential = essential(environment, flags)?;
    options.sidecar.cpu = flags
        .sidecar_cpu
        .or(units(environment, names::KILT_SIDECAR_CPU)?);
    options.sidecar.memory = flags
        .sidecar_memory
        .or(units(environment, names::KILT_SIDECAR_MEMORY_LIMIT)?);
    options.sidecar.memory_reservation = flags
        .sidecar_memory_reservation
        .or(units(environment, names::KILT_SIDECAR_MEMORY_RESERVATION)?);
    options.sidecar.image_auth_secret =
        text(&flags.image_auth_secret, names::KILT_IMAGE_AUTH_SECRET);
    options.sidecar.log_group = text(&flags.log_group, names::KILT_LOG_GROUP);
    if let Some(name) = &flags.sidecar_name {
        options.sidecar.name.clone_from(name);
    }
    agent(environment, flags, &mut options)?;
    options.opt_in = flags.opt_in || environment.is_true(names::KILT_OPT_IN);
    options.parameterize =
        flags.parameterize || environment.is_true(names::KILT_PARAMETERIZE_ENVARS);
    options.force_env = flags.force_env;
    options.all_launch_types = flags.all_launch_types;
    options.allow_unresolved = flags.allow_unresolved;
    options.parameters.clone_from(&flags.parameter);
    options.ignored.clone_from(&flags.ignore_container);
    options.record = !flags.no_record;
    options.region = text(&flags.region, names::AWS_REGION).or_else(|| {
        environment
            .get(names::AWS_DEFAULT_REGION)
            .map(str::to_owned)
    });
    Ok(options)
}

/// Makes the settings for lookups; `None` when no registry may be asked.
pub fn registry(environment: &Environment, flags: &AgentFlags) -> Option<RegistrySettings> {
    if flags.no_registry || environment.get(names::KILT_DISABLE_REPO_HINTS).is_some() {
        return None;
    }
    let home = environment.get("HOME").map(PathBuf::from);
    let docker = environment.get("DOCKER_CONFIG").map(PathBuf::from);
    let docker = docker.or_else(|| home.as_ref().map(|home| home.join(".docker")));
    let directories = docker.into_iter().chain([PathBuf::from("/tmp/.docker")]);
    let cache = environment.get("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| home.map(|home| home.join(".cache")));
    let key = |name| environment.get(name).map(str::to_owned);
    let keys = key("AWS_ACCESS_KEY_ID").zip(key("AWS_SECRET_ACCESS_KEY"));
    Some(RegistrySettings {
        docker_configs: directories
            .map(|directory| directory.join("config.json"))
            .collect(),
        cache: cache
            .filter(|_| !flags.no_cache)
            .map(|cache| cache.join("workload-agent/images")),
        timeout: Duration::from_secs(flags.registry_timeout.max(1)),
        insecure: flags.insecure_registry.clone(),
        aws: keys.map(|(id, secret)| AwsKeys {
            id,
            secret,
            token: key("AWS_SESSION_TOKEN"),
            endpoint: key("AWS_ENDPOINT_URL_ECR"),
        }),
    })
}

fn essential(environment: &Environment, flags: &AgentFlags) -> Result<Option<bool>, ConfigError> {
    let name = names::KILT_SIDECAR_ESSENTIAL;
    match environment.get(name) {
        _ if flags.sidecar_essential.is_some() => Ok(flags.sidecar_essential),
        None => Ok(None),
        Some(word) => match word.to_ascii_lowercase().as_str() {
            "auto" => Ok(None),
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(ConfigError::Invalid {
                name: name.to_owned(),
                message: format!("`{word}` is not one of true, false, auto"),
            }),
        },
    }
}

/// CPU units or MiB; the replaced product writes 0 for "not set".
fn units(environment: &Environment, name: &str) -> Result<Option<u32>, ConfigError> {
    Ok(environment.parse::<u32>(name)?.filter(|value| *value > 0))
}

fn agent(
    environment: &Environment,
    flags: &AgentFlags,
    options: &mut Options,
) -> Result<(), ConfigError> {
    let agent = &mut options.agent;
    if let Some(logging) = flags
        .logging
        .map_or_else(|| environment.parse(names::SYSDIG_LOGGING), |l| Ok(Some(l)))?
    {
        agent.logging = logging;
    }
    if let Some(priority) = flags.priority.map_or_else(
        || environment.parse(names::SYSDIG_PRIORITY),
        |p| Ok(Some(p)),
    )? {
        agent.priority = priority;
    }
    let port = environment
        .parse(names::SYSDIG_ORCHESTRATOR_PORT)?
        .unwrap_or(ORCHESTRATOR_PORT);
    let orchestrator = flags.orchestrator.as_deref();
    agent.orchestrator = match orchestrator.or(environment.get(names::SYSDIG_ORCHESTRATOR_HOST)) {
        Some(address) => Some(host_and_port(address, Some(port))?)
            .map(|(host, given)| (host, given.unwrap_or(port))),
        None => None,
    };
    let port = environment.parse(names::SYSDIG_COLLECTOR_PORT)?;
    let collector = flags.collector.as_deref();
    agent.collector = collector
        .or(environment.get(names::SYSDIG_COLLECTOR_HOST))
        .map(|address| host_and_port(address, port))
        .transpose()?;
    agent.access_key = match &flags.access_key_secret {
        Some(arn) => Some(AccessKey::Secret(arn.clone())),
        None => environment
            .get(names::SYSDIG_ACCESS_KEY)
            .map(|key| AccessKey::Plain(key.to_owned())),
    };
    agent.workload_env.clone_from(&flags.env);
    agent.sidecar_env.clone_from(&flags.sidecar_env);
    Ok(())
}

fn host_and_port(
    address: &str,
    default: Option<u16>,
) -> Result<(String, Option<u16>), ConfigError> {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !host.is_empty() => {
            Ok((host.to_owned(), Some(parse(address, port)?)))
        }
        _ => Ok((address.to_owned(), default)),
    }
}
