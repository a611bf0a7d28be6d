//! The SDK's client, and what it makes on demand.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;

use super::classify::{Class, classify};
use super::transport::Transport;
use crate::hub::Hub;

/// Makes a client. Region, endpoint, credentials (environment, web identity, ECS, EC2) and
/// `SSL_CERT_FILE` are the SDK's affair; so are `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
pub(super) async fn connect() -> Client {
    if !crate::net::has_authorities() {
        tracing::error!(
            "No certificate authority is known, so only http:// endpoints can be reached; set SSL_CERT_FILE, or put ca-certificates into the image."
        );
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Transport::default())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .load()
        .await;
    Client::new(&config)
}

/// Makes the stream, and the group when that is missing too.
pub(super) async fn create(client: &Client, group: &str, stream: &str) -> Result<(), String> {
    for is_first in [true, false] {
        let made = client
            .create_log_stream()
            .log_group_name(group)
            .log_stream_name(stream)
            .send();
        let Err(error) = made.await else {
            return Ok(());
        };
        if error.code() == Some("ResourceAlreadyExistsException") {
            return Ok(());
        }
        match classify(&error) {
            Class::Missing(_) if is_first => create_group(client, group).await?,
            class => return Err(format!("cannot make the log stream: {}", cause(class))),
        }
    }
    Err("the log group was made and is missing still".to_owned())
}

async fn create_group(client: &Client, group: &str) -> Result<(), String> {
    match client.create_log_group().log_group_name(group).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("ResourceAlreadyExistsException") => Ok(()),
        Err(error) => Err(format!(
            "cannot make the log group: {}",
            cause(classify(&error))
        )),
    }
}

fn cause(class: Class) -> String {
    match class {
        Class::Accepted => String::new(),
        Class::Credentials(cause)
        | Class::Invalid(cause)
        | Class::Missing(cause)
        | Class::Transient(cause) => cause,
    }
}

/// What a stream is called when no setting says it: the task's id, or the host's name.
pub(super) async fn stream_name(hub: &Hub, patience: Duration) -> String {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if let Some(arn) = hub.own_task().task_arn {
            let id = arn.rsplit('/').next().unwrap_or_default();
            return legal(id);
        }
        if !hub.expects_metadata() || tokio::time::Instant::now() >= deadline {
            let host = nix::unistd::gethostname()
                .ok()
                .and_then(|name| name.into_string().ok());
            return legal(&host.unwrap_or_default());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A name that the service takes: 1 to 512 characters, no `:` and no `*`.
fn legal(name: &str) -> String {
    let name: String = name.replace([':', '*'], "-").chars().take(500).collect();
    if name.is_empty() {
        "sidecar".to_owned()
    } else {
        name
    }
}
