//! Asks registries what images start.
//!
//! Each image is asked for once, several at a time, over TLS, with the credentials that `docker`
//! would use. What a digest holds never changes, so it is kept on disk.

mod cache;
mod credentials;
mod ecr;
mod failure;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::image::{ImageConfig, ImageRequest};
use cache::Cache;

pub use ecr::AwsKeys;

/// Lookups that run at once.
const PARALLEL: usize = 8;

/// How registries are asked.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Docker configurations with credentials, in order.
    pub docker_configs: Vec<PathBuf>,
    /// Where configurations are kept.
    pub cache: Option<PathBuf>,
    /// How long a registry may take to answer.
    pub timeout: Duration,
    /// Registries, `host[:port]`, that are asked without TLS.
    pub insecure: Vec<String>,
    /// Keys for private ECR registries.
    pub aws: Option<AwsKeys>,
}

/// No lookup could be started.
#[derive(Debug, Error)]
#[error("cannot start to look images up: {0}")]
pub struct LookupError(#[from] io::Error);

/// What a lookup found, or why it failed.
pub type Answer = (ImageRequest, Result<ImageConfig, String>);

/// Looks images up; `done` is called after each.
pub fn lookup(
    requests: BTreeSet<ImageRequest>,
    settings: &RegistrySettings,
    done: &mut (dyn FnMut(&ImageRequest) + Send),
) -> Result<Vec<Answer>, LookupError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(lookup_all(requests, settings, done)))
}

/// Looks images up within a runtime.
pub async fn lookup_all(
    requests: BTreeSet<ImageRequest>,
    settings: &RegistrySettings,
    done: &mut (dyn FnMut(&ImageRequest) + Send),
) -> Vec<Answer> {
    // A second installation is refused and means that there is one.
    drop(rustls::crypto::ring::default_provider().install_default());
    let places = Arc::new(Semaphore::new(PARALLEL));
    let lookup = Arc::new(Lookup::new(settings));
    let mut tasks = JoinSet::new();
    for request in requests {
        let (places, lookup) = (Arc::clone(&places), Arc::clone(&lookup));
        tasks.spawn(async move {
            let _place = places.acquire().await;
            let answer = lookup.one(&request).await;
            (request, answer)
        });
    }
    let mut answers = Vec::new();
    while let Some(result) = tasks.join_next().await {
        if let Ok(answer) = result {
            done(&answer.0);
            answers.push(answer);
        }
    }
    answers
}

/// TLS or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Transport {
    Plain,
    Tls,
}

struct Lookup {
    settings: RegistrySettings,
    cache: Cache,
    clients: HashMap<(String, Transport), Result<Client, String>>,
}

impl Lookup {
    fn new(settings: &RegistrySettings) -> Self {
        let mut clients = HashMap::new();
        for architecture in ["amd64", "arm64"] {
            for transport in [Transport::Plain, Transport::Tls] {
                let client = client(architecture, transport, settings.timeout);
                clients.insert((architecture.to_owned(), transport), client);
            }
        }
        Self {
            settings: settings.clone(),
            cache: Cache::new(settings.cache.clone()),
            clients,
        }
    }

    async fn one(&self, request: &ImageRequest) -> Result<ImageConfig, String> {
        let image = &request.image;
        let reference = Reference::from_str(image)
            .map_err(|error| format!("`{image}` is not an image reference: {error}"))?;
        if let Some(digest) = reference.digest()
            && let Some(config) = self.cache.read(digest, &request.architecture)
        {
            return Ok(config);
        }
        let host = reference.resolve_registry().to_owned();
        let auth = self.credentials(&reference, &host).await?;
        let insecure = self.settings.insecure.contains(&host);
        let first = if insecure {
            Transport::Plain
        } else {
            Transport::Tls
        };
        let client = |transport| self.client(request, transport);
        let mut result = self.pull(client(first)?, request, &reference, &auth).await;
        // As docker does: a registry on this very machine may do without TLS.
        if first == Transport::Tls
            && is_loopback(&host)
            && matches!(&result, Err(OciDistributionError::RequestError(_)))
        {
            let plain = client(Transport::Plain)?;
            let plain = self.pull(plain, request, &reference, &auth).await;
            // Status 400 is what a registry with TLS says to a request without: why TLS failed is
            // what matters.
            if !matches!(
                &plain,
                Err(OciDistributionError::ServerError { code: 400, .. })
            ) {
                result = plain;
            }
        }
        result.map_err(|error| {
            failure::describe(
                &error,
                &reference,
                &request.architecture,
                self.settings.timeout,
            )
        })
    }

    async fn credentials(&self, reference: &Reference, host: &str) -> Result<RegistryAuth, String> {
        let found = credentials::find(&self.settings.docker_configs, reference.registry())?;
        if let Some(auth) = found {
            return Ok(auth);
        }
        match (&self.settings.aws, ecr::home(host)) {
            (Some(keys), Some(home)) => ecr::login(keys, &home, self.settings.timeout).await,
            _ => Ok(RegistryAuth::Anonymous),
        }
    }

    fn client(&self, request: &ImageRequest, transport: Transport) -> Result<&Client, String> {
        let key = (request.architecture.clone(), transport);
        match self.clients.get(&key) {
            Some(client) => client.as_ref().map_err(Clone::clone),
            None => Err(format!("images for {} are unknown", request.architecture)),
        }
    }

    async fn pull(
        &self,
        client: &Client,
        request: &ImageRequest,
        reference: &Reference,
        auth: &RegistryAuth,
    ) -> Result<ImageConfig, OciDistributionError> {
        let digest = client.fetch_manifest_digest(reference, auth).await?;
        if let Some(config) = self.cache.read(&digest, &request.architecture) {
            return Ok(config);
        }
        let (_, _, json) = client.pull_manifest_and_config(reference, auth).await?;
        let config = ImageConfig::from_json(json.as_bytes())
            .map_err(|error| OciDistributionError::ConfigConversionError(error.to_string()))?;
        self.cache.write(&digest, &request.architecture, &config);
        Ok(config)
    }
}

/// Makes a client. It needs certificates even to do without TLS.
fn client(architecture: &str, transport: Transport, timeout: Duration) -> Result<Client, String> {
    let wanted = architecture.to_owned();
    let made = Client::try_from(ClientConfig {
        protocol: match transport {
            Transport::Plain => ClientProtocol::Http,
            Transport::Tls => ClientProtocol::Https,
        },
        platform_resolver: Some(Box::new(move |manifests| {
            let fits = |manifest: &&oci_client::manifest::ImageIndexEntry| {
                manifest.platform.as_ref().is_some_and(|platform| {
                    platform.os.to_string() == "linux"
                        && platform.architecture.to_string() == wanted
                })
            };
            manifests
                .iter()
                .find(fits)
                .map(|manifest| manifest.digest.clone())
        })),
        connect_timeout: Some(timeout),
        read_timeout: Some(timeout),
        user_agent: concat!("workload-agent-patcher/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    });
    made.map_err(|error| failure::no_tls(&error))
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]"
}
