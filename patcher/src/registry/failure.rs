//! Why a lookup failed, in one line that says what to do.

use std::error::Error;
use std::time::Duration;

use oci_client::Reference;
use oci_client::errors::{OciDistributionError, OciErrorCode};

/// Describes a failure.
pub(super) fn describe(
    error: &OciDistributionError,
    reference: &Reference,
    architecture: &str,
    timeout: Duration,
) -> String {
    let host = reference.resolve_registry();
    let denied =
        || format!("{host} refuses to show {reference}; log in with `docker login {host}`");
    let missing = || format!("{host} has no {reference}");
    match error {
        OciDistributionError::UnauthorizedError { .. }
        | OciDistributionError::AuthenticationFailure(_) => denied(),
        OciDistributionError::ImageManifestNotFoundError(_) => {
            format!("{reference} has no image for linux/{architecture}")
        }
        OciDistributionError::RegistryError { envelope, .. } => {
            let codes: Vec<_> = envelope.errors.iter().map(|error| &error.code).collect();
            if codes
                .iter()
                .any(|c| matches!(c, OciErrorCode::Unauthorized | OciErrorCode::Denied))
            {
                denied()
            } else if codes.iter().any(|code| {
                matches!(
                    code,
                    OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound
                )
            }) {
                missing()
            } else if codes
                .iter()
                .any(|code| matches!(code, OciErrorCode::Toomanyrequests))
            {
                format!("{host} says too many requests; try again later")
            } else {
                let message = envelope
                    .errors
                    .first()
                    .map_or("", |error| error.message.as_str());
                format!("{host} says: {}", one_line(message))
            }
        }
        OciDistributionError::ServerError { code, .. } => match code {
            401 | 403 => denied(),
            404 => missing(),
            429 => format!("{host} says too many requests; try again later"),
            code => format!("{host} answers with status {code}"),
        },
        OciDistributionError::RequestError(error) if error.is_timeout() => {
            format!("{host} did not answer within {} s", timeout.as_secs())
        }
        OciDistributionError::RequestError(error) => {
            format!("cannot reach {host}: {}", root_cause(error))
        }
        other => format!("{host}: {}", one_line(&other.to_string())),
    }
}

/// Describes why no client can be made: a machine, or an image of nothing, without certificates.
pub(super) fn no_tls(error: &dyn Error) -> String {
    let cause = root_cause(error);
    // As rustls puts it in front of all that it has no word for.
    let cause = cause.trim_start_matches("unexpected error: ");
    format!("no TLS: {cause}; SSL_CERT_FILE=FILE names some")
}

fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    one_line(&cause.to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
