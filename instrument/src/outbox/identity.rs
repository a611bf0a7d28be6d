//! Who the tracer says it is.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;

use contract::env;
use wire::{Container, Hello, Mode};

/// What the first frame of every connection says about the speaker.
#[derive(Clone, Debug)]
pub struct Identity {
    hello: Hello,
}

impl Identity {
    /// Gathers what this container knows of itself: `lookup` reads the environment. The epoch
    /// begins here, and the nonce is drawn here, so that one identity is one life of a tracer.
    pub fn gather(mode: Mode, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let metadata_id = lookup(env::ECS_CONTAINER_METADATA_URI_V4)
            .as_deref()
            .and_then(last_element)
            .unwrap_or_default();
        Self {
            hello: Hello {
                version: contract::PROTOCOL_VERSION,
                nonce: nonce(),
                epoch: sys_now(),
                container: Some(Container {
                    metadata_id,
                    hostname: hostname(&lookup),
                    name: String::new(),
                    pid_namespace: pid_namespace(),
                    image: String::new(),
                }),
                agent_version: env!("CARGO_PKG_VERSION").to_owned(),
                mode: mode.into(),
            },
        }
    }

    /// The host name of the container.
    pub fn hostname(&self) -> &str {
        self.hello
            .container
            .as_ref()
            .map_or("", |container| container.hostname.as_str())
    }

    /// The first frame.
    pub(super) fn into_hello(self) -> Hello {
        self.hello
    }
}

/// `http://169.254.170.2/v4/<id>` names the container by its last element.
fn last_element(uri: &str) -> Option<String> {
    let id = uri.trim_end_matches('/').rsplit('/').next()?;
    (!id.is_empty() && id.len() <= 256).then(|| id.to_owned())
}

/// The kernel's word first: a program may have been started with any `HOSTNAME`.
fn hostname(lookup: &impl Fn(&str) -> Option<String>) -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim_end().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| lookup("HOSTNAME"))
        .unwrap_or_default()
}

/// Without `/proc` it is unknown, which is 0 on the wire.
fn pid_namespace() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
}

fn sys_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        })
}

/// 16 bytes that nobody else in the container can guess: the standard library keys its hashers from
/// the kernel's random numbers, and a keyed hash does not give its key away.
fn nonce() -> Vec<u8> {
    let state = RandomState::new();
    (0_u8..2)
        .flat_map(|half| {
            let mut hasher = state.build_hasher();
            hasher.write_u8(half);
            hasher.finish().to_le_bytes()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_named_by_its_metadata_uri() {
        let table = [
            ("http://169.254.170.2/v4/abc-123", Some("abc-123")),
            ("http://169.254.170.2/v4/abc-123/", Some("abc-123")),
            ("", None),
            ("///", None),
        ];
        for (uri, expected) in table {
            assert_eq!(last_element(uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn two_lives_never_share_a_nonce() {
        let one = Identity::gather(Mode::Seccomp, |_| None).into_hello();
        let two = Identity::gather(Mode::Seccomp, |_| None).into_hello();
        assert_eq!(one.nonce.len(), 16);
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(one.epoch, 0);
        assert_eq!(one.version, contract::PROTOCOL_VERSION);
    }

    #[test]
    fn the_environment_names_the_container() {
        let lookup = |name: &str| {
            (name == env::ECS_CONTAINER_METADATA_URI_V4).then(|| "http://x/v4/task-1".to_owned())
        };
        let hello = Identity::gather(Mode::Full, lookup).into_hello();
        assert_eq!(hello.mode(), Mode::Full);
        let container = hello.container.unwrap_or_default();
        assert_eq!(container.metadata_id, "task-1");
        assert_ne!(container.pid_namespace, 0);
    }
}
