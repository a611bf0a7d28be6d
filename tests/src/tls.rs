//! An authority and a certificate for `localhost`, made anew for every fake.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates could not be made.
    #[error("cannot make certificates")]
    Certificates(#[from] rcgen::Error),
    /// No socket, no runtime, no file.
    #[error("cannot start a TLS server")]
    Io(#[from] io::Error),
    /// The TLS library refuses the certificates.
    #[error("cannot set up TLS")]
    Library(#[from] rustls::Error),
}

/// What [`make`] makes.
pub(crate) struct Made {
    pub acceptor: TlsAcceptor,
    /// The authority's certificate, PEM.
    pub authority: String,
}

pub(crate) fn make() -> Result<Made, TlsError> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok(Made {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        authority: authority_certificate.pem(),
    })
}

/// A door with TLS in front of a server without; it stays open until the tests end.
#[derive(Debug)]
pub struct Front {
    port: u16,
    dir: tempfile::TempDir,
}

impl Front {
    /// Opens a door on a free port of loopback.
    pub fn start(target: SocketAddr) -> Result<Self, TlsError> {
        let made = make()?;
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("authority.pem"), &made.authority)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || runtime.block_on(serve(listener, made.acceptor, target)));
        Ok(Self { port, dir })
    }

    /// Its port; the certificate is for `localhost`.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The PEM file of the authority, for `SSL_CERT_FILE`.
    pub fn authority(&self) -> PathBuf {
        Path::join(self.dir.path(), "authority.pem")
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, target: SocketAddr) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A handshake that fails is the client's to tell; so is an end in the middle.
            let mut outside = acceptor.accept(stream).await?;
            let mut inside = tokio::net::TcpStream::connect(target).await?;
            tokio::io::copy_bidirectional(&mut outside, &mut inside).await
        });
    }
}
