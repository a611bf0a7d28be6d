//! Lookups in a real `docker-registry`, with every kind of login, and in registries that refuse.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use sha2::{Digest as _, Sha256};

use crate::harness::{AGENT, has, program, run_with_input, said, skip};
use crate::http::{Message, send, serve};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// `user` and `pass`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "user:$2y$05$ZfROUKbQ1teNwrRVZMuJFO92X0nd/rl/FOOLE0cjRrVmyv9Szi4xi\n";

/// A registry that ends with the test.
struct Registry {
    child: Child,
    address: SocketAddr,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Registry {
    /// Starts `docker-registry` over the data in `directory`; `more` is added to its settings.
    fn start(directory: &Path, tls: &str, more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"{tls}}}\n{more}",
            directory.join("data").display()
        );
        let file = directory.join("settings.yml");
        fs::write(&file, settings).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = String::new();
        loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("the registry ended: {seen}"))
                .unwrap();
            seen += &line;
            if line.contains("listening on") {
                break;
            }
        }
        // Nobody may fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn push(&self, path: &str, kind: &str, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let answer = if kind == "blob" {
            let started = send(
                self.address,
                "POST",
                &format!("{path}/blobs/uploads/"),
                ("", b""),
            );
            let location = started.header("location").unwrap().to_owned();
            let location = location
                .split_once(&self.address.to_string())
                .map_or("", |(_, at)| at);
            let target = format!("{location}&digest={digest}");
            send(
                self.address,
                "PUT",
                &target,
                ("application/octet-stream", bytes),
            )
        } else {
            send(self.address, "PUT", path, (kind, bytes))
        };
        assert_eq!(
            answer.status(),
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        digest
    }

    /// Pushes an image that starts this, under a tag; returns what an index says of it.
    fn image(&self, tag: &str, entry: &str, architecture: &str) -> serde_json::Value {
        let config = serde_json::json!({
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": [entry], "Cmd": ["run"]},
            "rootfs": {"type": "layers", "diff_ids": []},
        })
        .to_string();
        let digest = self.push("/v2/t/app", "blob", config.as_bytes());
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest,
                "size": config.len(),
            },
            "layers": [],
        })
        .to_string();
        let path = format!("/v2/t/app/manifests/{tag}");
        let digest = self.push(&path, MANIFEST, manifest.as_bytes());
        serde_json::json!({
            "mediaType": MANIFEST,
            "digest": digest,
            "size": manifest.len(),
            "platform": {"architecture": architecture, "os": "linux"},
        })
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Fills the data of a registry; returns the digest of the image for amd64.
fn fill(directory: &Path) -> String {
    let registry = Registry::start(directory, "", "");
    let amd = registry.image("amd", "/amd-entry", "amd64");
    let arm = registry.image("arm", "/arm-entry", "arm64");
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [arm, amd],
    });
    registry.push(
        "/v2/t/app/manifests/v1",
        INDEX,
        index.to_string().as_bytes(),
    );
    amd["digest"].as_str().unwrap().to_owned()
}

/// A task definition with a container per image.
fn task(images: &[String], architecture: &str) -> String {
    let containers: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(at, image)| serde_json::json!({"name": format!("c{at}"), "image": image}))
        .collect();
    serde_json::json!({
        "family": "f",
        "memory": "512",
        "runtimePlatform": {"cpuArchitecture": architecture},
        "containerDefinitions": containers,
    })
    .to_string()
}

/// Patches on standard input; returns exit code, the command of each container, and the errors.
fn look(
    home: &Path,
    more: &[(&str, &str)],
    arguments: &[&str],
    task: &str,
) -> (Option<i32>, Vec<String>, String) {
    let fixed = ["patch", "-", "--agent-image", AGENT];
    // A busy machine is no reason to fail; the test of silence sets a limit of its own.
    let patient = ["--registry-timeout", "60"];
    let limited = arguments.contains(&patient[0]);
    let patience = if limited { &[][..] } else { &patient[..] };
    let mut command = program(&[&fixed[..], patience, arguments].concat());
    command.env("HOME", home).envs(more.iter().copied());
    let (code, out, err) = said(&run_with_input(command, task));
    let task: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
    let containers = task["containerDefinitions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let commands = containers
        .iter()
        .filter(|container| container["command"].is_array())
        .map(|container| {
            let words = container["command"].as_array().unwrap().iter();
            words
                .map(|word| word.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        });
    (code, commands.collect(), err)
}

/// Why no registry can be run here.
fn missing() -> Option<&'static str> {
    if has("docker-registry") {
        None
    } else {
        Some("docker-registry is not installed")
    }
}

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

fn login(home: &Path, registry: SocketAddr) {
    let docker = home.join(".docker");
    fs::create_dir_all(&docker).unwrap();
    // `dXNlcjpwYXNz` is `user:pass`.
    let config = format!("{{\"auths\": {{\"{registry}\": {{\"auth\": \"dXNlcjpwYXNz\"}}}}}}");
    fs::write(docker.join("config.json"), config).unwrap();
}

#[test]
fn a_plain_registry_on_this_machine_and_its_index() {
    let test = "a_plain_registry_on_this_machine_and_its_index";
    if let Some(reason) = missing() {
        return skip(test, reason);
    }
    let directory = tempfile::tempdir().unwrap();
    let digest = fill(directory.path());
    let registry = Registry::start(directory.path(), "", "");
    let host = registry.address;
    let images = [format!("{host}/t/app:v1"), format!("{host}/t/app@{digest}")];
    let (code, commands, err) = look(directory.path(), &[], &[], &task(&images, "X86_64"));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(commands, ["/amd-entry run", "/amd-entry run"]);
    let by_tag = &images[..1];
    let (_, commands, _) = look(directory.path(), &[], &[], &task(by_tag, "ARM64"));
    assert_eq!(commands, ["/arm-entry run"]);
    let single = [format!("{host}/t/app:amd")];
    let (_, commands, _) = look(directory.path(), &[], &[], &task(&single, "X86_64"));
    assert_eq!(commands, ["/amd-entry run"]);
    drop(registry);
    // What a digest holds is on disk now, and the registry is gone.
    let by_digest = &images[1..];
    let (code, commands, err) = look(directory.path(), &[], &[], &task(by_digest, "X86_64"));
    assert_eq!(
        (code, commands),
        (Some(0), vec!["/amd-entry run".to_owned()]),
        "{err}"
    );
    let (code, _, err) = look(
        directory.path(),
        &[],
        &["--no-cache"],
        &task(by_digest, "X86_64"),
    );
    assert_eq!(code, Some(4), "{err}");
    assert!(
        err.contains(&format!(
            "(cannot reach {host}: Connection refused (os error 111))"
        )),
        "{err}"
    );
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
    fill(path);
    fs::write(path.join("htpasswd"), HTPASSWD).unwrap();
    let tls = format!(
        ", tls: {{certificate: {0}/cert.pem, key: {0}/key.pem}}",
        path.display()
    );
    let auth = format!(
        "auth: {{htpasswd: {{realm: test, path: {}/htpasswd}}}}\n",
        path.display()
    );
    let registry = Registry::start(path, &tls, &auth);
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
    fill(path);
    fs::write(path.join("htpasswd"), HTPASSWD.replace("user:", "AWS:")).unwrap();
    let tls = format!(
        ", tls: {{certificate: {0}/cert.pem, key: {0}/key.pem}}",
        path.display()
    );
    let auth = format!(
        "auth: {{htpasswd: {{realm: test, path: {}/htpasswd}}}}\n",
        path.display()
    );
    let registry = Registry::start(path, &tls, &auth);
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
