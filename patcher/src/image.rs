//! What an image starts when the task definition does not say.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use crate::value::Value;

/// Entrypoint and command of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub cmd: Vec<String>,
}

/// A configuration that cannot be read.
#[derive(Debug, Error)]
#[error("not an image configuration: {0}")]
pub struct ConfigError(#[from] serde_json::Error);

impl ImageConfig {
    /// Reads an image configuration: the OCI form, or what `docker inspect` prints (a list of one
    /// object with `Config`).
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        #[derive(Deserialize)]
        struct Document {
            #[serde(alias = "Config")]
            config: Option<Section>,
        }
        #[derive(Default, Deserialize)]
        struct Section {
            #[serde(rename = "Entrypoint", default)]
            entrypoint: Option<Vec<String>>,
            #[serde(rename = "Cmd", default)]
            cmd: Option<Vec<String>>,
        }
        let listed = json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let section = if listed {
            let (document,): (Document,) = serde_json::from_slice(json)?;
            document.config
        } else {
            serde_json::from_slice::<Document>(json)?.config
        };
        let section = section.unwrap_or_default();
        Ok(Self {
            entrypoint: section.entrypoint.unwrap_or_default(),
            cmd: section.cmd.unwrap_or_default(),
        })
    }
}

/// An image as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRequest {
    /// The reference, as it stands in the template.
    pub image: String,
    /// The architecture in OCI's words: `amd64` or `arm64`.
    pub architecture: String,
}

/// What is known about images.
#[derive(Debug, Clone, Default)]
pub struct Images {
    known: BTreeMap<ImageRequest, Result<ImageConfig, String>>,
    given: BTreeMap<String, ImageConfig>,
}

impl Images {
    /// Gives the configuration of an image for every architecture; no registry is asked for it.
    pub fn give(&mut self, image: impl Into<String>, config: ImageConfig) {
        self.given.insert(image.into(), config);
    }

    /// Notes what a lookup found, or why it failed.
    pub fn note(&mut self, request: ImageRequest, result: Result<ImageConfig, String>) {
        self.known.insert(request, result);
    }

    /// Returns what is known; `None` when nobody has looked.
    pub fn find(&self, request: &ImageRequest) -> Option<Result<&ImageConfig, &str>> {
        match self.given.get(&request.image) {
            Some(config) => Some(Ok(config)),
            None => self
                .known
                .get(request)
                .map(|r| r.as_ref().map_err(String::as_str)),
        }
    }
}

/// The configuration behind an `Image` property, which may depend on conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageFacts {
    /// One or the other, by the condition of an `Fn::If`.
    If(Value, Box<Self>, Box<Self>),
    /// It is known.
    Known(ImageConfig),
    /// It is not known, and why.
    Unknown(String),
}
