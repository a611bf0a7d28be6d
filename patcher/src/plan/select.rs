//! Which task definitions and containers are wrapped.

use contract::tag;

use super::{Task, present, property};
use crate::options::Options;
use crate::value::Value;

/// What the tags of a task definition say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    ignore: bool,
    include: bool,
    ignored: Vec<String>,
    included: Vec<String>,
}

impl Tags {
    /// Reads `Tags`: a list of key and value, branches of conditions included. A value that is an
    /// intrinsic names no container.
    pub(super) fn read(properties: &Value) -> Self {
        let mut tags = Self::default();
        if let Some(list) = present(properties, "Tags") {
            tags.add(list);
        }
        tags
    }

    fn add(&mut self, value: &Value) {
        if let Some((_, yes, no)) = value.branches() {
            self.add(yes);
            self.add(no);
        } else if let Some(items) = value.as_list() {
            for item in items {
                self.add(item);
            }
        } else if let Some(key) = property(value, "Key").and_then(|(_, key)| key.as_str()) {
            let names = property(value, "Value")
                .and_then(|(_, value)| value.scalar_text())
                .map(|text| {
                    text.split(':')
                        .map(|name| name.trim().to_owned())
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default();
            match key {
                tag::IGNORE => self.ignore = true,
                tag::INCLUDE | tag::INCLUDE_MISSPELT => self.include = true,
                tag::IGNORE_CONTAINERS => self.ignored.extend(names),
                tag::INCLUDE_CONTAINERS => self.included.extend(names),
                _ => {}
            }
        }
    }

    /// Why a whole task definition is left alone.
    pub(super) fn skips_task(&self, options: &Options) -> Option<String> {
        if options.opt_in {
            let named = self.include || !self.included.is_empty();
            return (!named).then(|| {
                format!(
                    "opt-in: it has no tag `{}` or `{}`",
                    tag::INCLUDE,
                    tag::INCLUDE_CONTAINERS
                )
            });
        }
        self.ignore
            .then(|| format!("it has the tag `{}`", tag::IGNORE))
    }

    /// Why a container is left alone.
    pub(super) fn skips_container(&self, name: &str, options: &Options) -> Option<String> {
        let listed = |names: &[String]| names.iter().any(|listed| listed == name);
        if options.opt_in {
            let taken = self.include || listed(&self.included);
            return (!taken)
                .then(|| format!("opt-in: not named by the tag `{}`", tag::INCLUDE_CONTAINERS));
        }
        listed(&self.ignored).then(|| format!("named by the tag `{}`", tag::IGNORE_CONTAINERS))
    }
}

/// Why a task definition cannot or need not be wrapped, whatever its tags say.
pub(super) fn unsuitable(
    _task: &Task<'_>,
    properties: &Value,
    options: &Options,
) -> Option<String> {
    let system = present(properties, "RuntimePlatform")
        .and_then(|platform| present(platform, "OperatingSystemFamily"))
        .and_then(Value::as_str);
    if system.is_some_and(|family| family.to_ascii_uppercase().starts_with("WINDOWS")) {
        return Some("it runs Windows containers".to_owned());
    }
    if options.all_launch_types {
        return None;
    }
    let types = present(properties, "RequiresCompatibilities")?.as_list()?;
    let only_other = !types.is_empty()
        && types.iter().all(|kind| {
            kind.as_str().is_some_and(|kind| {
                kind.eq_ignore_ascii_case("EC2") || kind.eq_ignore_ascii_case("EXTERNAL")
            })
        });
    only_other.then(|| {
        "it lists only EC2 or EXTERNAL in RequiresCompatibilities (see --all-launch-types)"
            .to_owned()
    })
}

/// Programs of other agents that start a workload under themselves, by the start of their path.
const RIVALS: [(&str, &str); 8] = [
    ("/.aquasec/", "Aqua MicroEnforcer"),
    ("/cws-instrumentation-volume/", "Datadog CWS"),
    ("/kilt/launcher", "kilt"),
    ("/opt/aquasec/", "Aqua MicroEnforcer"),
    ("/tmp/CrowdStrike/", "CrowdStrike Falcon"),
    ("/var/lib/lacework", "Lacework"),
    ("/var/lib/twistlock/", "Prisma Cloud Defender"),
    ("/deepfence/", "ThreatMapper"),
];

/// Names the agent whose launcher this is.
pub(super) fn rival(program: &str) -> Option<&'static str> {
    RIVALS
        .iter()
        .find(|(prefix, _)| program.starts_with(prefix))
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, Value)]) -> Tags {
        let items = pairs.iter().map(|(key, value)| {
            Value::map([("Key", Value::string(*key)), ("Value", value.clone())])
        });
        Tags::read(&Value::map([("Tags", Value::List(items.collect()))]))
    }

    #[test]
    fn opt_out_by_tags() {
        let options = Options::new("agent");
        let all = tags(&[("kilt-ignore", Value::reference("X"))]);
        assert!(all.skips_task(&options).is_some());
        let some = tags(&[("kilt-ignore-containers", Value::string("a: b"))]);
        assert!(some.skips_task(&options).is_none());
        assert!(some.skips_container("b", &options).is_some());
        assert!(some.skips_container("c", &options).is_none());
    }

    #[test]
    fn opt_in_by_tags() {
        let mut options = Options::new("agent");
        options.opt_in = true;
        assert!(tags(&[]).skips_task(&options).is_some());
        for key in ["kilt-include", "kilt-inclulde"] {
            let all = tags(&[(key, Value::string(""))]);
            assert!(all.skips_task(&options).is_none());
            assert!(all.skips_container("any", &options).is_none());
        }
        let some = tags(&[("kilt-include-containers", Value::string("a"))]);
        assert!(some.skips_container("a", &options).is_none());
        assert!(some.skips_container("b", &options).is_some());
    }
}
