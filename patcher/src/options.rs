//! What the user decides, parsed.

use std::fmt;
use std::str::FromStr;

use contract::sidecar;
use thiserror::Error;

/// Settings of a run of the planner.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of the user"
)]
pub struct Options {
    /// Settings of the agent itself.
    pub agent: Agent,
    /// The sidecar container.
    pub sidecar: Sidecar,
    /// Wrap only what a tag includes.
    pub opt_in: bool,
    /// Turn agent settings into template parameters.
    pub parameterize: bool,
    /// Overwrite variables of the workload that have the name of one of ours.
    pub force_env: bool,
    /// Also wrap task definitions that list only EC2 or EXTERNAL.
    pub all_launch_types: bool,
    /// Wrap even if the entrypoint of an image stays unknown.
    pub allow_unresolved: bool,
    /// Containers that are left alone.
    pub ignored: Vec<String>,
    /// Values for parameters of the template, to resolve `Ref`s in image names.
    pub parameters: Vec<(String, String)>,
    /// Remember in the file what it was before.
    pub record: bool,
    /// The region, where a task definition needs one.
    pub region: Option<String>,
}

/// Settings that the agent gets as environment variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// The log level.
    pub logging: Logging,
    /// What matters more when the two collide.
    pub priority: Priority,
    /// Host and port of an orchestrator.
    pub orchestrator: Option<(String, u16)>,
    /// Host and port of a collector; the port is optional.
    pub collector: Option<(String, Option<u16>)>,
    /// Access key of the collector. Only the sidecar gets it.
    pub access_key: Option<AccessKey>,
    /// More variables for the workloads.
    pub workload_env: Vec<(String, String)>,
    /// More variables for the sidecar.
    pub sidecar_env: Vec<(String, String)>,
}

/// The sidecar container.
#[derive(Debug, Clone, PartialEq)]
pub struct Sidecar {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether the task ends with it. `None`: only under priority `security`.
    pub essential: Option<bool>,
    /// CPU units.
    pub cpu: Option<u32>,
    /// Memory limit, MiB.
    pub memory: Option<u32>,
    /// Memory reservation, MiB.
    pub memory_reservation: Option<u32>,
    /// Secret with the credentials of the image's repository.
    pub image_auth_secret: Option<String>,
    /// Log group of its own log and of the alerts.
    pub log_group: Option<String>,
}

impl Options {
    /// Returns the defaults for an agent image.
    pub fn new(image: impl Into<String>) -> Self {
        Self {
            agent: Agent {
                logging: Logging::Info,
                priority: Priority::Availability,
                orchestrator: None,
                collector: None,
                access_key: None,
                workload_env: Vec::new(),
                sidecar_env: Vec::new(),
            },
            sidecar: Sidecar {
                name: sidecar::CONTAINER_NAME.to_owned(),
                image: image.into(),
                essential: None,
                cpu: None,
                memory: None,
                memory_reservation: None,
                image_auth_secret: None,
                log_group: None,
            },
            opt_in: false,
            parameterize: false,
            force_env: false,
            all_launch_types: false,
            allow_unresolved: false,
            ignored: Vec::new(),
            parameters: Vec::new(),
            record: true,
            region: None,
        }
    }

    /// Whether the task shall end when the sidecar ends.
    pub fn essential(&self) -> bool {
        self.sidecar
            .essential
            .unwrap_or(self.agent.priority == Priority::Security)
    }
}

/// An access key, or where ECS finds it.
#[derive(Clone, PartialEq, Eq)]
pub enum AccessKey {
    /// The key itself; it stands in the template for all who can read it.
    Plain(String),
    /// The ARN of a secret or SSM parameter.
    Secret(String),
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(…)"),
            Self::Secret(arn) => f.debug_tuple("Secret").field(arn).finish(),
        }
    }
}

/// A word that names no setting.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{word}` is not one of {choices}")]
pub struct UnknownWord {
    word: String,
    choices: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $choices:literal { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$item])* $variant,)+
        }

        impl $name {
            /// The word in an environment variable.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word.to_ascii_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: word.to_owned(), choices: $choices }),
                }
            }
        }
    };
}

words! {
    /// How much the agent says, from least to most.
    Logging: "silent, fatal, critical, error, warning, info, debug, trace" {
        /// Nothing.
        Silent = "silent",
        /// What ends it.
        Fatal = "fatal",
        /// What may end it.
        Critical = "critical",
        /// What failed.
        Error = "error",
        /// What may fail.
        Warning = "warning",
        /// What happens.
        Info = "info",
        /// Why it happens.
        Debug = "debug",
        /// Every step.
        Trace = "trace",
    }
}

words! {
    /// What the agent prefers when tracing is impossible.
    Priority: "availability, security" {
        /// The workload starts untraced.
        Availability = "availability",
        /// The workload does not start.
        Security = "security",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parsed_and_wrong_ones_named() {
        assert_eq!("Warning".parse(), Ok(Logging::Warning));
        let error = "loud".parse::<Logging>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`loud` is not one of silent, fatal, critical, error, warning, info, debug, trace"
        );
    }

    #[test]
    fn essential_follows_the_priority() {
        let mut options = Options::new("agent");
        assert!(!options.essential());
        options.agent.priority = Priority::Security;
        assert!(options.essential());
        options.sidecar.essential = Some(false);
        assert!(!options.essential());
    }

    #[test]
    fn a_plain_key_is_never_printed() {
        assert_eq!(
            format!("{:?}", AccessKey::Plain("secret".into())),
            "Plain(…)"
        );
    }
}
