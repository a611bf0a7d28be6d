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
            0 => Class::Transient(one_line(&taught(&crate::log::chain(error)))),
            status => Class::Transient(one_line(&format!(
                "the endpoint answers {status}, and not as CloudWatch Logs does: {}",
                crate::log::chain(error)
            ))),
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
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Class::Credentials(cause),
        _ => Class::Transient(cause),
    }
}

/// Ways out of what a setting mends, by words of the SDK's text; the first that fits.
const WAYS_OUT: [(&str, &str); 4] = [
    (
        "failed to apply endpoint",
        "AWS_ENDPOINT_URL is no address; say https://HOST, or leave it out",
    ),
    (
        "loading credentials: no such file",
        "look at AWS_WEB_IDENTITY_TOKEN_FILE and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ),
    (
        "credential",
        "give the task a role (taskRoleArn), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    ("region", "set AWS_REGION"),
];

/// The text, with the way out behind it where one is known. The SDK shows the whole request when
/// it cannot address it; records are not for the log.
fn taught(text: &str) -> String {
    let text = text.split(" to request `").next().unwrap_or(text);
    let lower = text.to_lowercase();
    match WAYS_OUT.iter().find(|(words, _)| lower.contains(words)) {
        Some((_, way)) => format!("{}; {way}", crate::json::cut(text, 250)),
        None => text.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    crate::json::cut(&words.join(" "), 400).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_teaches_and_shows_no_record() {
        let text = "other: failed to apply endpoint `x` to request `Request { body: \"secret\" }`";
        let taught = taught(text);
        assert!(
            taught.contains("AWS_ENDPOINT_URL") && !taught.contains("secret"),
            "{taught}"
        );
        assert_eq!(
            super::taught("io error: broken pipe"),
            "io error: broken pipe"
        );
        assert_eq!(one_line("a\n   b"), "a b");
    }

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
