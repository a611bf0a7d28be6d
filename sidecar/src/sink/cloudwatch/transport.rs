//! How the SDK's requests travel: HTTP/1.1 over the sidecar's own TCP and TLS connections, through
//! a proxy where the environment names one.
//!
//! The SDK's own HTTP client brings HTTP/2 and a pool for many hosts. One request at a time needs
//! neither, and without them the program is half a megabyte smaller.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper::header::PROXY_AUTHORIZATION;
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::net::{self, Stream};

/// Connections that nobody uses end after this.
const IDLE_TIME: Duration = Duration::from_secs(20);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Requests = Client<Dial, SdkBody>;

/// The HTTP client. Connections are kept and used again.
#[derive(Debug, Default)]
pub(super) struct Transport {
    proxies: Arc<Proxies>,
    /// One client for each patience with connecting: the service's, and those of credentials.
    clients: Mutex<Vec<(Option<Duration>, Requests)>>,
}

/// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or not.
struct Proxies(Matcher);

impl Default for Proxies {
    fn default() -> Self {
        Self(Matcher::from_env())
    }
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They may hold a password.
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let patience = settings.connect_timeout();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients.iter().find(|(of, _)| *of == patience);
        let client = if let Some((_, client)) = known {
            client.clone()
        } else {
            let client = Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_TIME)
                .build(Dial {
                    proxies: Arc::clone(&self.proxies),
                    patience,
                });
            clients.push((patience, client.clone()));
            client
        };
        drop(clients);
        SharedHttpConnector::new(Connector {
            client,
            proxies: Arc::clone(&self.proxies),
            patience: settings.read_timeout(),
        })
    }
}

/// Sends requests, with some patience for the answer.
#[derive(Debug)]
struct Connector {
    client: Requests,
    proxies: Arc<Proxies>,
    patience: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        self.authorize(&mut request);
        let exchange = self.client.request(request);
        let patience = self.patience;
        HttpConnectorFuture::new(async move {
            let answer = match patience {
                Some(limit) => tokio::time::timeout(limit, exchange)
                    .await
                    .map_err(|late| ConnectorError::timeout(late.into()))?,
                None => exchange.await,
            };
            let answer = answer.map_err(|error| failure(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl Connector {
    /// A proxy that forwards a plain request reads who we are in the request itself.
    fn authorize(&self, request: &mut Request<SdkBody>) {
        if request.uri().scheme_str() == Some("http")
            && let Some(proxy) = self.proxies.0.intercept(request.uri())
            && let Some(word) = proxy.basic_auth()
        {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, word.clone());
        }
    }
}

fn failure(error: BoxError) -> ConnectorError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(found) = cause {
        let found_io = found.downcast_ref::<io::Error>();
        if found_io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return ConnectorError::timeout(error);
        }
        cause = found.source();
    }
    ConnectorError::io(error)
}

/// Makes connections.
#[derive(Clone, Debug)]
struct Dial {
    proxies: Arc<Proxies>,
    patience: Option<Duration>,
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let proxy = self.proxies.0.intercept(&uri);
        let patience = self.patience.unwrap_or(Duration::MAX);
        Box::pin(async move {
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
            let made = tokio::time::timeout(patience, dial(&uri, proxy)).await;
            made.map_err(late)?.map(TokioIo::new)
        })
    }
}

async fn dial(uri: &Uri, proxy: Option<Intercept>) -> Result<Stream, BoxError> {
    let is_tls = uri.scheme_str() == Some("https");
    let (host, port) = place(uri)?;
    let Some(proxy) = proxy else {
        return Ok(net::connect(host, port, is_tls).await?);
    };
    if proxy.uri().scheme_str() != Some("http") {
        return Err(
            "a proxy is spoken to over http:// only: say HTTPS_PROXY=http://HOST:PORT".into(),
        );
    }
    if !is_tls {
        let (host, port) = place(proxy.uri())?;
        return Ok(Stream::Forward(net::reach(host, port).await?));
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), Tcp);
    if let Some(word) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(word.clone());
    }
    let tcp = tunnel.call(uri.clone()).await?;
    Ok(net::secure(host, port, tcp.into_inner()).await?)
}

fn place(uri: &Uri) -> Result<(&str, u16), BoxError> {
    let host = uri.host().ok_or("an address without a host")?;
    let usual = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    Ok((host, uri.port_u16().unwrap_or(usual)))
}

/// Reaches a proxy.
#[derive(Clone, Debug)]
struct Tcp;

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Self::Future {
        Box::pin(async move {
            let (host, port) = place(&proxy)?;
            Ok(TokioIo::new(net::reach(host, port).await?))
        })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        // A request through a forwarding proxy names the whole address.
        Connected::new().proxy(matches!(self, Self::Forward(_)))
    }
}
