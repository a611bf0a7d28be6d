//! TCP and TLS connections.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// TCP or the TLS handshake failed.
    #[error("cannot connect to `{host}:{port}`")]
    Connect {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The TLS library could not be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
}

/// A connection, encrypted or not.
#[derive(Debug)]
pub(crate) enum Stream {
    /// TCP to a proxy that forwards plain requests.
    Forward(TcpStream),
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects. The authorities are those of the system, or of `SSL_CERT_FILE`.
pub(crate) async fn connect(host: &str, port: u16, is_tls: bool) -> Result<Stream, NetError> {
    let tcp = reach(host, port).await?;
    if is_tls {
        secure(host, port, tcp).await
    } else {
        Ok(Stream::Plain(tcp))
    }
}

/// Connects over TCP.
pub(crate) async fn reach(host: &str, port: u16) -> Result<TcpStream, NetError> {
    let failed = |source| failure(host, port, source);
    let tcp = TcpStream::connect((bare(host), port))
        .await
        .map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    Ok(tcp)
}

/// Encrypts a connection, once the peer has shown that it is `host`.
pub(crate) async fn secure(host: &str, port: u16, tcp: TcpStream) -> Result<Stream, NetError> {
    let failed = |source| failure(host, port, source);
    let name =
        ServerName::try_from(bare(host).to_owned()).map_err(|e| failed(io::Error::other(e)))?;
    let tls = TlsConnector::from(tls_config()?).connect(name, tcp).await;
    tls.map(|tls| Stream::Tls(Box::new(tls))).map_err(failed)
}

/// An address of version 6 stands in brackets in a URL only.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn failure(host: &str, port: u16, source: io::Error) -> NetError {
    NetError::Connect {
        host: host.to_owned(),
        port,
        source,
    }
}

/// Whether any certificate authority is known that can be used.
pub(crate) fn has_authorities() -> bool {
    !authorities().is_empty()
}

fn authorities() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if unusable > 0 || !found.errors.is_empty() {
        tracing::debug!(
            unusable,
            errors = found.errors.len(),
            "Some authorities cannot be used."
        );
    }
    roots
}

/// The settings of all TLS connections: made once, because the system's authorities are many.
fn tls_config() -> Result<Arc<rustls::ClientConfig>, NetError> {
    static MADE: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(Arc::clone(made));
    }
    let roots = authorities();
    let is_usable = !roots.is_empty();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    // Without authorities they are looked for again: a volume may be late.
    Ok(if is_usable {
        Arc::clone(MADE.get_or_init(|| config))
    } else {
        config
    })
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Forward(stream) | Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Forward(stream) | Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Forward(stream) | Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Forward(stream) | Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
