//! Configurations on disk, by digest: what a digest names never changes.

use std::fs;
use std::path::PathBuf;

use crate::file;
use crate::image::ImageConfig;

/// A directory of configurations, or none.
pub(super) struct Cache {
    directory: Option<PathBuf>,
}

impl Cache {
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    fn path(&self, digest: &str, architecture: &str) -> Option<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == ':';
        if !digest.chars().all(plain) || !architecture.chars().all(plain) {
            return None;
        }
        let name = format!("{}-{architecture}.json", digest.replace(':', "-"));
        Some(self.directory.as_ref()?.join(name))
    }

    /// Returns what is kept of a digest.
    pub(super) fn read(&self, digest: &str, architecture: &str) -> Option<ImageConfig> {
        let bytes = fs::read(self.path(digest, architecture)?).ok()?;
        ImageConfig::from_json(&bytes).ok()
    }

    /// Keeps a configuration. A cache that cannot be written only costs the next run a request.
    pub(super) fn write(&self, digest: &str, architecture: &str, config: &ImageConfig) {
        let Some(path) = self.path(digest, architecture) else {
            return;
        };
        let json = serde_json::json!({
            "config": { "Entrypoint": config.entrypoint, "Cmd": config.cmd }
        });
        let made = path
            .parent()
            .is_some_and(|parent| fs::create_dir_all(parent).is_ok());
        if made {
            drop(file::write(&path, &json.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_was_given() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(directory.path().join("deep")));
        let config = ImageConfig {
            entrypoint: vec!["a".into()],
            cmd: vec!["b".into()],
        };
        assert_eq!(cache.read("sha256:00", "arm64"), None);
        cache.write("sha256:00", "arm64", &config);
        assert_eq!(cache.read("sha256:00", "arm64"), Some(config.clone()));
        assert_eq!(cache.read("sha256:00", "amd64"), None);
        cache.write("../escape", "amd64", &config);
        assert_eq!(cache.read("../escape", "amd64"), None);
    }
}
