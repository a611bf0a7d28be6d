//! TCP and TLS connections.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
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
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects. The authorities are those of the system, or of `SSL_CERT_FILE`.
pub(crate) async fn connect(host: &str, port: u16, is_tls: bool) -> Result<Stream, NetError> {
    let failed = |source| NetError::Connect {
        host: host.to_owned(),
        port,
        source,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let tcp = TcpStream::connect((bare, port)).await.map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    if !is_tls {
        return Ok(Stream::Plain(tcp));
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|e| failed(io::Error::other(e)))?;
    let tls = TlsConnector::from(Arc::new(tls_config()?))
        .connect(name, tcp)
        .await;
    tls.map(|tls| Stream::Tls(Box::new(tls))).map_err(failed)
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

fn tls_config() -> Result<rustls::ClientConfig, NetError> {
    let roots = authorities();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
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
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
