//! Registries that refuse.

use std::net::TcpListener;

use super::{look, task};
use crate::http::{Message, serve};

#[test]
fn registries_that_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let envelope =
        |code: &str| format!("{{\"errors\": [{{\"code\": \"{code}\", \"message\": \"no\"}}]}}");
    let table: [(u16, &str, &str); 6] = [
        (
            401,
            "UNAUTHORIZED",
            "HOST refuses to show HOST/t/app:v1; log in with `docker login HOST`",
        ),
        (
            403,
            "DENIED",
            "HOST refuses to show HOST/t/app:v1; log in with `docker login HOST`",
        ),
        (404, "MANIFEST_UNKNOWN", "HOST has no HOST/t/app:v1"),
        (404, "NAME_UNKNOWN", "HOST has no HOST/t/app:v1"),
        (
            429,
            "TOOMANYREQUESTS",
            "HOST says too many requests; try again later",
        ),
        (500, "UNKNOWN", "HOST answers with status 500"),
    ];
    for (status, code, want) in table {
        let body = envelope(code);
        let host = serve(move |_| {
            let basic = [("www-authenticate", "Basic realm=\"test\"")];
            Message::answer(status, if status == 401 { &basic } else { &[] }, &body)
        })
        .to_string();
        let insecure = ["--insecure-registry", &host];
        let task = task(&[format!("{host}/t/app:v1")], "X86_64");
        let (code, _, err) = look(directory.path(), &[], &insecure, &task);
        assert_eq!(code, Some(4), "{err}");
        let want = format!(
            "container `c0`: the entrypoint of its image is unknown ({})",
            want.replace("HOST", &host)
        );
        assert!(err.contains(&want), "for {status}: {err}");
    }
}

#[test]
fn a_registry_that_says_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // It listens, and nobody accepts.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let arguments = ["--insecure-registry", &host, "--registry-timeout", "1"];
    let task = task(&[format!("{host}/t/app:v1")], "X86_64");
    let (code, _, err) = look(directory.path(), &[], &arguments, &task);
    assert_eq!(code, Some(4), "{err}");
    assert!(
        err.contains(&format!("({host} did not answer within 1 s)")),
        "{err}"
    );
}

#[test]
fn a_private_ecr_registry_is_asked_for_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let ecr = serve(|request| {
        let target = request.header("x-amz-target").unwrap_or_default();
        assert_eq!(
            target,
            "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
        );
        let authorization = request.header("authorization").unwrap_or_default();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
        assert!(authorization.contains("/eu-west-1/ecr/aws4_request, SignedHeaders="));
        Message::answer(400, &[], "{\"__type\": \"AccessDeniedException\"}")
    });
    let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1".to_owned();
    let endpoint = format!("http://{ecr}");
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_ENDPOINT_URL_ECR", endpoint.as_str()),
    ];
    let (code, _, err) = look(directory.path(), &keys, &[], &task(&[image], "X86_64"));
    assert_eq!(code, Some(4), "{err}");
    let want =
        "(ECR in eu-west-1 refuses credentials (status 400); it takes ecr:GetAuthorizationToken)";
    assert!(err.contains(want), "{err}");
}
