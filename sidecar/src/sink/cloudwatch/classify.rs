//! What an error of the service means for the batch.

use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};

/// Classes of errors, each with a line for the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The batch is stored already.
    Accepted,
    /// Who we are was not believed.
    Credentials(String),
    /// The request itself is wrong; the same again would be too.
    Invalid(String),
    /// Group or stream is missing.
    Missing(String),
    /// Throttled, down, or cut off: the same again may succeed.
    Transient(String),
}

/// Looks at an error. Throttling is no variant of the SDK's errors, so the code's text decides.
pub(super) fn classify<E>(error: &SdkError<E>) -> Class
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error
        .raw_response()
        .map_or(0, |response| response.status().as_u16());
    let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
    let Some(code) = metadata.and_then(|metadata| metadata.code()) else {
        return match status {
            413 => Class::Invalid("the request is too large".to_owned()),
            _ => Class::Transient(one_line(&taught(crate::log::chain(error)))),
        };
    };
    let message = metadata
        .and_then(|metadata| metadata.message())
        .unwrap_or_default();
    by_code(code, one_line(&format!("{code}: {message}")))
}

fn by_code(code: &str, cause: String) -> Class {
    match code {
        "DataAlreadyAcceptedException" => Class::Accepted,
        "ResourceNotFoundException" => Class::Missing(cause),
        "InvalidParameterException"
        | "InvalidParameterValue"
        | "SerializationException"
        | "ValidationException"
        | "RequestEntityTooLarge" => Class::Invalid(cause),
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Class::Credentials(cause),
        _ => Class::Transient(cause),
    }
}

/// Ways out of what a setting mends, by a word of the SDK's text.
const WAYS_OUT: [(&str, &str); 2] = [
    (
        "credential",
        "give the task a role (taskRoleArn), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    ("region", "set AWS_REGION"),
];

/// The text, with the way out behind it where one is known.
fn taught(text: String) -> String {
    let lower = text.to_lowercase();
    match WAYS_OUT.iter().find(|(word, _)| lower.contains(word)) {
        Some((_, way)) => format!("{}; {way}", crate::json::cut(&text, 250)),
        None => text,
    }
}

fn one_line(text: &str) -> String {
    crate::json::cut(&text.replace('\n', " "), 400).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_class() {
        let class = |code| by_code(code, String::new());
        assert_eq!(
            class("ThrottlingException"),
            Class::Transient(String::new())
        );
        assert_eq!(
            class("ServiceUnavailableException"),
            Class::Transient(String::new())
        );
        assert_eq!(
            class("InvalidParameterException"),
            Class::Invalid(String::new())
        );
        assert_eq!(
            class("ExpiredTokenException"),
            Class::Credentials(String::new())
        );
        assert_eq!(
            class("UnrecognizedClientException"),
            Class::Credentials(String::new())
        );
        assert_eq!(
            class("ResourceNotFoundException"),
            Class::Missing(String::new())
        );
        assert_eq!(class("DataAlreadyAcceptedException"), Class::Accepted);
        assert_eq!(
            class("SomethingOfNextYear"),
            Class::Transient(String::new())
        );
    }
}
