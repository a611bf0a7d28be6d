//! What surrounds CloudWatch Logs: proxies, and where credentials come from.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use e2e::cloudwatch::CloudWatch;
use e2e::config;
use e2e::load::{Overflow, Tracer, alert};
use e2e::pace::Deadline;
use wire::Body;

use crate::process::{GROUP, Sidecar};

const PATIENCE: Duration = Duration::from_mins(2);

/// One alert and a goodbye, and whether both arrive.
fn is_served(sidecar: &Sidecar, cloudwatch: &CloudWatch, epoch: u64) -> bool {
    let before = cloudwatch.ledger(|ledger| ledger.stored_count);
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", epoch, Overflow::Wait);
    tracer.send(Body::Alert(alert(epoch, 1).into())).unwrap();
    tracer.finish(Deadline::seconds(120)).unwrap();
    cloudwatch.wait_for(PATIENCE, |ledger| ledger.stored_count >= before + 2)
}

/// Everything up to the empty line.
fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

/// A small HTTP server on loopback; each answer is made from the head of the request.
fn serve(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let body = answer(&head(&mut stream));
            // A client that has gone needs no answer.
            drop(write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            ));
        }
    });
    port
}

/// A proxy that speaks `CONNECT` and forwards, and keeps the heads of what it was asked.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(target: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let head = head(&mut client);
                let mut server = TcpStream::connect(target).unwrap();
                if head.starts_with("CONNECT ") {
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                } else {
                    server.write_all(head.as_bytes()).unwrap();
                }
                heads
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(head);
                relay(&client, &server);
                relay(&server, &client);
            }
        });
        Self { port, asked }
    }

    fn url(&self) -> String {
        format!("http://user:secret@127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn relay(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        // Either side may end at any time.
        drop(std::io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    });
}

#[test]
fn https_goes_through_a_tunnel_of_the_proxy() {
    let cloudwatch = CloudWatch::start_tls().unwrap();
    let proxy = Proxy::start(cloudwatch.address());
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("HTTPS_PROXY", &proxy.url());
    sidecar.start();
    assert!(is_served(&sidecar, &cloudwatch, 1), "{}", sidecar.log());
    let asked = proxy.asked();
    let target = format!("CONNECT localhost:{} ", cloudwatch.address().port());
    assert!(asked[0].starts_with(&target), "{asked:?}");
    // `user:secret`, which only the proxy may read.
    let word = "proxy-authorization: basic dxnlcjpzzwnyzxq=";
    assert!(asked[0].to_lowercase().contains(word), "{asked:?}");
    assert!(!sidecar.log().contains("secret"), "{}", sidecar.log());
}

#[test]
fn http_is_forwarded_by_the_proxy_unless_it_is_told_not_to() {
    let cloudwatch = CloudWatch::start().unwrap();
    let proxy = Proxy::start(cloudwatch.address());
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("http_proxy", &proxy.url());
    sidecar.start();
    assert!(is_served(&sidecar, &cloudwatch, 1), "{}", sidecar.log());
    let asked = proxy.asked();
    let target = format!("POST http://127.0.0.1:{}/", cloudwatch.address().port());
    assert!(asked[0].starts_with(&target), "{asked:?}");
    assert!(
        asked[0].to_lowercase().contains("proxy-authorization: "),
        "{asked:?}"
    );
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let before = proxy.asked().len();
    sidecar.set("NO_PROXY", "127.0.0.1");
    sidecar.start();
    assert!(is_served(&sidecar, &cloudwatch, 2), "{}", sidecar.log());
    assert_eq!(proxy.asked().len(), before);
}

#[test]
fn a_proxy_that_is_not_there_is_one_line_that_names_it() {
    let cloudwatch = CloudWatch::start_tls().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("HTTPS_PROXY", "http://127.0.0.1:1");
    sidecar.set("WORKLOAD_AGENT_DRAIN", "2");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    tracer.send(Body::Alert(alert(1, 1).into())).unwrap();
    tracer.finish(Deadline::seconds(120)).unwrap();
    let line = Deadline::seconds(120).poll(|| {
        let log = sidecar.log();
        log.lines()
            .find(|line| line.contains("127.0.0.1:1`"))
            .map(str::to_owned)
    });
    assert!(line.is_some(), "{}", sidecar.log());
}

/// A key that is good from now on.
fn credentials(key: &str) -> String {
    format!(
        r#"{{"AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}}"#
    )
}

#[test]
fn the_keys_of_the_task_role_are_asked_for_and_asked_for_again() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.require_key(Some("ASIATASK1"));
    let count = Arc::new(AtomicU64::new(0));
    let asked = Arc::clone(&count);
    let port = serve(move |head| {
        assert!(head.starts_with("GET /role "), "{head}");
        assert!(
            head.to_lowercase().contains("authorization: word"),
            "{head}"
        );
        credentials(&format!(
            "ASIATASK{}",
            asked.fetch_add(1, Ordering::SeqCst) + 1
        ))
    });
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.unset("AWS_ACCESS_KEY_ID");
    sidecar.unset("AWS_SECRET_ACCESS_KEY");
    sidecar.set(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &format!("http://127.0.0.1:{port}/role"),
    );
    sidecar.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "word");
    sidecar.start();
    assert!(is_served(&sidecar, &cloudwatch, 1), "{}", sidecar.log());
    // The first key is withdrawn: the sidecar comes with another.
    cloudwatch.require_key(Some("ASIATASK2"));
    assert!(is_served(&sidecar, &cloudwatch, 2), "{}", sidecar.log());
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[test]
fn a_web_identity_becomes_keys() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.require_key(Some("ASIAWEB"));
    let port = serve(|head| {
        assert!(head.starts_with("POST / "), "{head}");
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>a:b</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/b</Arn>\
         </AssumedRoleUser></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
            .to_owned()
    });
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.unset("AWS_ACCESS_KEY_ID");
    sidecar.unset("AWS_SECRET_ACCESS_KEY");
    let token = sidecar.dir.path().join("token");
    std::fs::write(&token, "header.payload.signature").unwrap();
    sidecar.set("AWS_WEB_IDENTITY_TOKEN_FILE", &token.display().to_string());
    sidecar.set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r");
    sidecar.set("AWS_ENDPOINT_URL_STS", &format!("http://127.0.0.1:{port}"));
    sidecar.start();
    assert!(is_served(&sidecar, &cloudwatch, 1), "{}", sidecar.log());
}

#[test]
fn without_keys_or_a_region_one_line_says_what_to_set() {
    for (missing, words) in [
        ("AWS_ACCESS_KEY_ID", "taskRoleArn"),
        ("AWS_REGION", "AWS_REGION"),
    ] {
        let cloudwatch = CloudWatch::start().unwrap();
        let mut sidecar = Sidecar::with(&cloudwatch);
        sidecar.unset(missing);
        sidecar.set("WORKLOAD_AGENT_DRAIN", "2");
        sidecar.start();
        let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
        tracer.send(Body::Alert(alert(1, 1).into())).unwrap();
        tracer.finish(Deadline::seconds(120)).unwrap();
        let line = Deadline::seconds(120).poll(|| {
            let log = sidecar.log();
            log.lines()
                .find(|line| line.contains(words))
                .map(str::to_owned)
        });
        assert!(line.is_some(), "{missing}:\n{}", sidecar.log());
        // Every try again is counted and not told.
        let tried = Deadline::seconds(120)
            .poll(|| (sidecar.metric("sidecar_retries_total") >= 3).then_some(()));
        assert!(tried.is_some());
        let log = sidecar.log();
        let warnings = log.lines().filter(|line| line.contains(" WARN ")).count();
        assert_eq!(warnings, 1, "{missing}:\n{log}");
    }
}

/// A second opinion: moto knows other rules than ours.
#[test]
fn moto_stores_what_it_is_sent() {
    let test = "moto_stores_what_it_is_sent";
    let Some(mut program) = config::moto_server() else {
        println!("skipped: {test}: moto is not installed (the patcher's tests install it)");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("moto.log");
    let moto = program
        .args(["-H", "127.0.0.1", "-p", "0"])
        .stdout(std::process::Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let _moto = crate::process::Guest(moto);
    let said = || std::fs::read_to_string(&log).unwrap();
    let port = Deadline::seconds(120).poll(|| {
        let said = said();
        let (_, rest) = said.split_once("http://127.0.0.1:")?;
        rest.split_once('\n')?.0.trim().parse().ok()
    });
    assert!(port.is_some(), "moto does not listen:\n{}", said());
    let port: u16 = port.unwrap();
    // moto loads a service when it is asked for the first time, which can take longer than the
    // sidecar waits for one answer.
    assert_eq!(moto_messages(port).len(), 0, "{}", said());

    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}"));
    sidecar.set("WORKLOAD_AGENT_DRAIN", "100");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    for n in 1..=50 {
        tracer.send(Body::Alert(alert(n, 1).into())).unwrap();
    }
    tracer.finish(Deadline::seconds(120)).unwrap();
    let status = sidecar.stop(PATIENCE);
    let told = || format!("{}\n{}", sidecar.log(), said());
    assert!(status.is_some_and(|status| status.success()), "{}", told());
    // Delivery is at least once: what is sent again because an answer came late is stored twice.
    let stored = moto_messages(port);
    let alerts: BTreeSet<_> = stored
        .iter()
        .filter(|message| message.get("rule").is_some())
        .map(|message| message["delivery"]["seq"].as_u64())
        .collect();
    assert_eq!(alerts.len(), 50, "{}", told());
    let kinds: Vec<_> = stored.iter().map(|message| &message["kind"]).collect();
    for kind in ["container", "heartbeat"] {
        assert!(kinds.iter().any(|k| *k == kind), "{kind}:\n{}", told());
    }
}

/// Messages in the stream, asked for as the SDK would; none when there is no such stream.
fn moto_messages(port: u16) -> Vec<serde_json::Value> {
    let body = format!(
        r#"{{"logGroupName":"{GROUP}","logStreamName":"task","startFromHead":true,"limit":10000}}"#
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Amz-Target: Logs_20140328.GetLogEvents\r\n\
         Content-Type: application/x-amz-json-1.1\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/logs/aws4_request, SignedHeaders=host, Signature=0\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let answer: serde_json::Value = serde_json::from_str(body).unwrap();
    let Some(events) = answer["events"].as_array() else {
        return Vec::new();
    };
    let message = |event: &serde_json::Value| {
        serde_json::from_str(event["message"].as_str().unwrap()).unwrap()
    };
    events.iter().map(message).collect()
}
