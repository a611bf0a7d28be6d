//! Upstream's rule files and vectors: data that is not in this repository.

use std::path::{Path, PathBuf};

use rules::Source;

/// The three files of upstream, in the order in which they are loaded together.
pub(crate) const FILES: [&str; 3] = [
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
];

#[expect(
    clippy::disallowed_methods,
    reason = "tests find data through the environment"
)]
pub(crate) fn directory(variable: &str, default: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../..")
            .join(default),
    }
}

/// A file of upstream's rules; says why when there is none.
pub(crate) fn rule_file(test: &str, name: &str) -> Option<Source> {
    let path = directory("FALCO_RULES_DIR", "shared/data/falco/rules").join(name);
    let text = read(test, &path)?;
    Some(Source {
        name: name.to_owned(),
        text,
    })
}

/// All three files.
pub(crate) fn rule_files(test: &str) -> Option<Vec<Source>> {
    FILES.iter().map(|name| rule_file(test, name)).collect()
}

pub(crate) fn read(test: &str, path: &Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            println!("skipped: {test}: {}: {error}", path.display());
            None
        }
    }
}
