//! Every kind of login.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use super::daemon::{Registry, fill};
use super::{look, missing, task};
use crate::harness::{has, skip};
use crate::http::{Message, serve};

/// `user` and `pass`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "user:$2y$05$ZfROUKbQ1teNwrRVZMuJFO92X0nd/rl/FOOLE0cjRrVmyv9Szi4xi\n";

/// Makes a certificate for a name or an address.
fn certificate(directory: &Path, name: &str) -> bool {
    let (key, cert) = (directory.join("key.pem"), directory.join("cert.pem"));
    has("openssl")
        && Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-subj",
                "/CN=test",
                "-addext",
                &format!("subjectAltName={name}"),
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(cert)
            .output()
            .is_ok_and(|output| output.status.success())
}

/// A registry with the directory's images, its certificate and these passwords.
fn guarded(directory: &Path, passwords: &str) -> Registry {
    fill(directory);
    fs::write(directory.join("htpasswd"), passwords).unwrap();
    let tls = format!(
        ", tls: {{certificate: {0}/cert.pem, key: {0}/key.pem}}",
        directory.display()
    );
    let auth = format!(
        "auth: {{htpasswd: {{realm: test, path: {}/htpasswd}}}}\n",
        directory.display()
    );
    Registry::start(directory, &tls, &auth)
}

fn login(home: &Path, registry: SocketAddr) {
    let docker = home.join(".docker");
    fs::create_dir_all(&docker).unwrap();
    // `dXNlcjpwYXNz` is `user:pass`.
    let config = format!("{{\"auths\": {{\"{registry}\": {{\"auth\": \"dXNlcjpwYXNz\"}}}}}}");
    fs::write(docker.join("config.json"), config).unwrap();
}

#[test]
fn a_registry_with_tls_and_a_password() {
    let test = "a_registry_with_tls_and_a_password";
    if let Some(reason) = missing() {
        return skip(test, reason);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    if !certificate(path, "IP:127.0.0.1") {
        return skip(test, "openssl is not installed");
    }
    let registry = guarded(path, HTPASSWD);
    let host = registry.address;
    let task = task(&[format!("{host}/t/app:v1")], "X86_64");
    let trust = path.join("cert.pem");
    let trust = [("SSL_CERT_FILE", trust.to_str().unwrap())];
    let (code, _, err) = look(path, &trust, &[], &task);
    assert_eq!(code, Some(4));
    let want =
        format!("({host} refuses to show {host}/t/app:v1; log in with `docker login {host}`)");
    assert!(err.contains(&want), "{err}");
    login(path, host);
    let (code, commands, err) = look(path, &trust, &[], &task);
    assert_eq!(
        (code, commands),
        (Some(0), vec!["/amd-entry run".to_owned()]),
        "{err}"
    );
    // A helper of its own for this registry.
    let bin = path.join("bin");
    fs::create_dir(&bin).unwrap();
    let helper = bin.join("docker-credential-test");
    // It reads what it is asked, as helpers do. A child puts it in place: a descriptor that this
    // process held could be open in a child of another test when the script is started.
    let source = path.join("helper");
    let script = "#!/bin/sh\nread -r _\necho '{\"Username\": \"user\", \"Secret\": \"pass\"}'\n";
    fs::write(&source, script).unwrap();
    let install = ["-m", "755"];
    let written = Command::new("install")
        .args(install)
        .args([&source, &helper])
        .status()
        .unwrap();
    assert!(written.success());
    let config = format!("{{\"credHelpers\": {{\"{host}\": \"test\"}}}}");
    fs::write(path.join(".docker/config.json"), config).unwrap();
    let search = format!("{}:/usr/bin:/bin", bin.display());
    let with_helper = [trust[0], ("PATH", search.as_str())];
    let (code, commands, err) = look(path, &with_helper, &["--no-cache"], &task);
    assert_eq!(
        (code, commands),
        (Some(0), vec!["/amd-entry run".to_owned()]),
        "{err}"
    );
}

#[test]
fn a_registry_that_wants_a_token() {
    let test = "a_registry_that_wants_a_token";
    if let Some(reason) = missing() {
        return skip(test, reason);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    if !certificate(&path, "IP:127.0.0.1") {
        return skip(test, "openssl is not installed");
    }
    fill(&path);
    let issuer = path.clone();
    let tokens = serve(move |request| {
        let (_, target) = request.target();
        if request.header("authorization") != Some("Basic dXNlcjpwYXNz") {
            return Message::answer(401, &[], "");
        }
        assert!(
            target.contains("service=test") && target.contains("scope="),
            "{target}"
        );
        let token = token(&issuer);
        Message::answer(200, &[], &format!("{{\"token\": \"{token}\"}}"))
    });
    let auth = format!(
        "auth: {{token: {{realm: \"http://{tokens}/token\", service: test, issuer: issuer, rootcertbundle: {}/cert.pem}}}}\n",
        path.display()
    );
    let registry = Registry::start(&path, "", &auth);
    login(&path, registry.address);
    let task = task(&[format!("{}/t/app:v1", registry.address)], "ARM64");
    let (code, commands, err) = look(&path, &[], &[], &task);
    assert_eq!(
        (code, commands),
        (Some(0), vec!["/arm-entry run".to_owned()]),
        "{err}"
    );
}

/// A token that allows to pull, signed with the key of the certificate.
fn token(directory: &Path) -> String {
    let pem = fs::read_to_string(directory.join("cert.pem")).unwrap();
    let der: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "x5c": [der]});
    let claims = serde_json::json!({
        "iss": "issuer", "aud": "test", "sub": "user", "jti": "1",
        "nbf": 1_000_000_000, "iat": 1_000_000_000, "exp": 4_000_000_000_u64,
        "access": [{"type": "repository", "name": "t/app", "actions": ["pull"]}],
    });
    let signed = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let file = directory.join("to-sign");
    fs::write(&file, &signed).unwrap();
    let signature = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .arg(directory.join("key.pem"))
        .arg(file)
        .output()
        .unwrap();
    format!("{signed}.{}", base64(&signature.stdout))
}

/// Base64 for URLs, without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let digit = usize::try_from((word >> (18 - 6 * at)) & 0x3f).unwrap();
            out.push(char::from(DIGITS[digit]));
        }
    }
    out
}

/// A proxy that leads whoever asks for any host to `target`; returns its address.
fn proxy(target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut from = BufReader::new(stream.unwrap());
            let mut line = String::new();
            from.read_line(&mut line).unwrap();
            assert!(line.starts_with("CONNECT "), "{line}");
            while !line.trim().is_empty() {
                line.clear();
                from.read_line(&mut line).unwrap();
            }
            let mut client = from.into_inner();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let mut server = TcpStream::connect(target).unwrap();
            let (mut back, mut answers) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            // Either side may go away at any time.
            thread::spawn(move || drop(io::copy(&mut answers, &mut back)));
            thread::spawn(move || drop(io::copy(&mut client, &mut server)));
        }
    });
    address
}

#[test]
fn a_private_ecr_registry_behind_a_proxy() {
    let test = "a_private_ecr_registry_behind_a_proxy";
    if let Some(reason) = missing() {
        return skip(test, reason);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    if !certificate(path, &format!("DNS:{host}")) {
        return skip(test, "openssl is not installed");
    }
    let registry = guarded(path, &HTPASSWD.replace("user:", "AWS:"));
    let ecr = serve(|request| {
        let authorization = request.header("authorization").unwrap_or_default();
        assert!(authorization.contains("SignedHeaders=content-type;host;x-amz-date;"));
        assert_eq!(request.header("x-amz-date").map(str::len), Some(16));
        // `QVdTOnBhc3M=` is `AWS:pass`.
        let token = "{\"authorizationData\": [{\"authorizationToken\": \"QVdTOnBhc3M=\"}]}";
        Message::answer(200, &[], token)
    });
    let proxy = format!("http://{}", proxy(registry.address));
    let endpoint = format!("http://{ecr}");
    let trust = path.join("cert.pem");
    let mut settings = vec![
        ("HTTPS_PROXY", proxy.as_str()),
        ("SSL_CERT_FILE", trust.to_str().unwrap()),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_ECR", endpoint.as_str()),
    ];
    let task = task(&[format!("{host}/t/app:v1")], "X86_64");
    let (code, _, err) = look(path, &settings, &["--no-cache"], &task);
    assert_eq!(code, Some(4), "{err}");
    assert!(err.contains("refuses to show"), "{err}");
    settings.push(("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"));
    let (code, commands, err) = look(path, &settings, &["--no-cache"], &task);
    assert_eq!(
        (code, commands),
        (Some(0), vec!["/amd-entry run".to_owned()]),
        "{err}"
    );
}
