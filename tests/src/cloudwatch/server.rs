//! HTTP around the rules, and the faults.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::fault::{Fault, next_random};
use super::protocol::{self, Answer};
use super::{Shared, State};

/// A request is given up: the connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on purpose")]
struct Reset;

/// Accepts connections for as long as the fake lives.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        if shared.lock().settings.is_down {
            continue;
        }
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => connection(stream, shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // Clients go away in the middle, and faults reset: both are part of the play.
    drop(served);
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Reset> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let target = header("x-amz-target").unwrap_or_default();
    let content_type = header("content-type").unwrap_or_default();
    let authorization = header("authorization");
    let signed_at = header("x-amz-date").unwrap_or_default();
    let Ok(body) = request.into_body().collect().await else {
        return Err(Reset);
    };
    let body = body.to_bytes();
    let operation = target
        .strip_prefix("Logs_20140328.")
        .unwrap_or_default()
        .to_owned();
    let (fault, latency) = {
        let mut state = shared.lock();
        *state.ledger.requests.entry(operation.clone()).or_default() += 1;
        if state.settings.is_down {
            return Err(Reset);
        }
        (next_fault(&mut state, &operation), state.settings.latency)
    };
    tokio::time::sleep(latency).await;
    while shared.lock().settings.is_silent {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if content_type != "application/x-amz-json-1.1" {
        let refused = Answer::error(404, "UnknownOperationException", "content type");
        return Ok(respond(&refused, clock(&shared)));
    }
    let now = clock(&shared);
    let signature = protocol::check_signature(authorization.as_deref(), &shared.lock().settings)
        .and_then(|()| protocol::check_time(&signed_at, now));
    if let Err(refused) = signature {
        return Ok(respond(&refused, clock(&shared)));
    }
    let answer = faulty(fault, &operation, &body, &shared).await?;
    shared.changed.notify_all();
    Ok(respond(&answer, clock(&shared)))
}

/// The service's idea of the present.
fn clock(shared: &Shared) -> SystemTime {
    let offset = shared.lock().settings.clock_offset_ms;
    let distance = Duration::from_millis(offset.unsigned_abs());
    if offset < 0 {
        SystemTime::now() - distance
    } else {
        SystemTime::now() + distance
    }
}

fn next_fault(state: &mut State, operation: &str) -> Fault {
    if operation != "PutLogEvents" {
        return Fault::None;
    }
    if let Some(fault) = state.faults.pop_front() {
        return fault;
    }
    let random = next_random(&mut state.random);
    state
        .settings
        .chaos
        .map_or(Fault::None, |chaos| chaos.choose(random))
}

async fn faulty(
    fault: Fault,
    operation: &str,
    body: &[u8],
    shared: &Shared,
) -> Result<Answer, Reset> {
    let failure = || Answer::error(500, "InternalFailure", "The request processing has failed.");
    match fault {
        Fault::ExpiredToken => Ok(Answer::error(
            400,
            "ExpiredTokenException",
            "The security token is expired",
        )),
        Fault::FailAfterStoring | Fault::HangAfterStoring | Fault::ResetAfterStoring => {
            let answer = perform(operation, body, shared);
            shared.changed.notify_all();
            match fault {
                // Nothing was stored, so the fault waits for a put that is.
                _ if answer.status != 200 => {
                    shared.lock().faults.push_front(fault);
                    Ok(answer)
                }
                Fault::FailAfterStoring => Ok(failure()),
                Fault::HangAfterStoring => std::future::pending().await,
                _ => Err(Reset),
            }
        }
        Fault::FailBeforeStoring => Ok(failure()),
        Fault::Hang => std::future::pending().await,
        Fault::InvalidIfPoisoned if body.windows(6).any(|window| window == b"poison") => {
            // It stays for the halves of this batch.
            shared.lock().faults.push_front(Fault::InvalidIfPoisoned);
            Ok(Answer::error(
                400,
                "InvalidParameterException",
                "a poisoned message",
            ))
        }
        Fault::InvalidIfPoisoned => {
            shared.lock().faults.push_front(Fault::InvalidIfPoisoned);
            Ok(perform(operation, body, shared))
        }
        Fault::None => Ok(perform(operation, body, shared)),
        Fault::ResetBeforeStoring => Err(Reset),
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            Ok(perform(operation, body, shared))
        }
        Fault::Throttle => Ok(Answer::error(400, "ThrottlingException", "Rate exceeded")),
        Fault::Unavailable => Ok(Answer::error(
            503,
            "ServiceUnavailableException",
            "The service cannot complete the request.",
        )),
        Fault::UnrecognizedClient => Ok(Answer::error(
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )),
    }
}

fn perform(operation: &str, body: &[u8], shared: &Shared) -> Answer {
    let since = clock(shared).duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let mut state = shared.lock();
    match operation {
        "CreateLogGroup" => protocol::create_group(&mut state, body),
        "CreateLogStream" => protocol::create_stream(&mut state, body),
        "PutLogEvents" => protocol::put(&mut state, body, now),
        _ => Answer::error(400, "UnknownOperationException", operation),
    }
}

fn respond(answer: &Answer, now: SystemTime) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body.to_string())));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = hyper::header::HeaderValue::from_static("application/x-amz-json-1.1");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, kind);
    if let Ok(date) = httpdate::fmt_http_date(now).parse() {
        response.headers_mut().insert(hyper::header::DATE, date);
    }
    response
}
