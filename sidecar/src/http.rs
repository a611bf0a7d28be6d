//! A small HTTP/1.1 client for what the AWS SDK does not speak to: the metadata endpoint and OTLP.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;

use crate::net::{self, NetError};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The address makes no sense.
    #[error("`{0}` is no address of this kind")]
    Address(String),
    /// The body is too long, or was cut.
    #[error("cannot read the answer of `{url}`")]
    Body {
        /// What was asked.
        url: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No connection.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The peer does not speak HTTP.
    #[error("`{url}` does not answer")]
    Protocol {
        /// What was asked.
        url: String,
        /// What went wrong.
        #[source]
        source: hyper::Error,
    },
    /// The peer refuses.
    #[error("`{url}` answers {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The answer.
        status: StatusCode,
    },
}

/// Gets a body of at most so many bytes over plain HTTP.
pub(crate) async fn get(url: &str, max: usize) -> Result<Bytes, HttpError> {
    let (status, body) = request(url, Method::GET, "", Bytes::new(), max).await?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(HttpError::Status {
            url: url.to_owned(),
            status,
        })
    }
}

/// Posts a body and returns status and answer.
pub(crate) async fn post(
    url: &str,
    content_type: &'static str,
    body: Bytes,
) -> Result<(StatusCode, Bytes), HttpError> {
    request(url, Method::POST, content_type, body, 1 << 20).await
}

async fn request(
    url: &str,
    method: Method,
    content_type: &'static str,
    body: Bytes,
    max: usize,
) -> Result<(StatusCode, Bytes), HttpError> {
    let uri: Uri = url
        .parse()
        .map_err(|_| HttpError::Address(url.to_owned()))?;
    let is_tls = uri.scheme_str() == Some("https");
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
        return Err(HttpError::Address(url.to_owned()));
    };
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = net::connect(host, port, is_tls).await?;
    let protocol = |source| HttpError::Protocol {
        url: url.to_owned(),
        source,
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(protocol)?;
    let path = uri
        .path_and_query()
        .map_or("/", hyper::http::uri::PathAndQuery::as_str);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, authority.as_str());
    if !content_type.is_empty() {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let request = request
        .body(Full::new(body))
        .map_err(|_| HttpError::Address(url.to_owned()))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(protocol)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), max)
            .collect()
            .await
            .map_err(|source| HttpError::Body {
                url: url.to_owned(),
                source,
            })?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection may end before the answer is read to its end; the answer decides.
        _ = connection => exchange.await,
    }
}
