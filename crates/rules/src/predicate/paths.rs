//! Sets of paths for `pmatch`: a value matches when a path of the set is a prefix of it, component
//! by component.

use std::collections::HashMap;

use event::{Case, glob};

/// The paths, as a tree of components.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathSet {
    /// Whether a path ends here.
    ends: bool,
    exact: HashMap<Box<[u8]>, Self>,
    patterns: Vec<(Box<[u8]>, Self)>,
}

impl PathSet {
    pub(crate) fn insert(&mut self, path: &[u8]) {
        let mut node = self;
        for component in components(path) {
            let is_pattern = component.iter().any(|b| matches!(b, b'?' | b'*' | b'['));
            node = if is_pattern {
                let known = node.patterns.iter().position(|(p, _)| &**p == component);
                let at = known.unwrap_or_else(|| {
                    node.patterns.push((component.into(), Self::default()));
                    node.patterns.len() - 1
                });
                &mut node.patterns[at].1
            } else {
                node.exact.entry(component.into()).or_default()
            };
        }
        node.ends = true;
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        if self.ends {
            return true;
        }
        let mut parts = components(value);
        let Some(first) = parts.next() else {
            return false;
        };
        let rest = parts.rest();
        self.exact.get(first).is_some_and(|node| node.matches(rest))
            || self
                .patterns
                .iter()
                .any(|(pattern, node)| glob(pattern, first, Case::Keep) && node.matches(rest))
    }
}

/// The components of a path; empty ones are dropped.
fn components(path: &[u8]) -> Components<'_> {
    Components(path)
}

struct Components<'a>(&'a [u8]);

impl<'a> Components<'a> {
    fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while let Some(rest) = self.0.strip_prefix(b"/") {
            self.0 = rest;
        }
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|b| *b == b'/');
        let (component, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        Some(component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_what_lies_below_it() {
        let mut set = PathSet::default();
        for path in ["/var/run", "/etc/", "/home/*/.ssh", "boot"] {
            set.insert(path.as_bytes());
        }
        for (value, expected) in [
            ("/var/run/docker", true),
            ("/var//run", true),
            ("/var/runner", false),
            ("/var", false),
            ("/etc/passwd", true),
            ("/home/me/.ssh/id_rsa", true),
            ("/home/me/ssh", false),
            ("/boot/x", true),
            ("", false),
        ] {
            assert_eq!(set.matches(value.as_bytes()), expected, "{value}");
        }
    }
}
