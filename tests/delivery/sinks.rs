//! The other sinks, routes, folding, and what the sidecar tells about itself.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::cloudwatch::CloudWatch;
use e2e::config;
use e2e::load::{Overflow, Tracer, alert, event};
use e2e::pace::{Deadline, pause};
use e2e::tls::Front;
use wire::{Ack, Body, Control, Decoder, Frame, Order, Welcome};

use crate::process::{GROUP, Guest, Sidecar};

const PATIENCE: Duration = Duration::from_mins(1);
const TIME: u64 = 1_700_000_000_000_000_000;

/// Ten events and ten alerts, then goodbye.
fn speak(sidecar: &Sidecar) {
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    for n in 1..=10 {
        tracer.send(Body::Event(event(n, TIME).into())).unwrap();
        tracer.send(Body::Alert(alert(n, TIME).into())).unwrap();
    }
    tracer.finish(Deadline::seconds(60)).unwrap();
}

fn kinds(lines: &str) -> (usize, usize) {
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events = lines.iter().filter(|line| line["kind"] == "event").count();
    (
        events,
        lines.iter().filter(|line| line["rule"].is_string()).count(),
    )
}

#[test]
fn stdout_and_file_get_lines_each_by_its_route() {
    let mut sidecar = Sidecar::bare();
    let file = sidecar.dir.path().join("alerts.jsonl");
    let output = format!("stdout?events=connect,file:{}?sample=5", file.display());
    sidecar.set("WORKLOAD_AGENT_OUTPUT", &output);
    sidecar.keep_stdout();
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert_eq!(kinds(&sidecar.out()), (0, 10), "no event is a connect");
    // Events have the odd numbers from 1 to 19; the multiples of five among them are 5 and 15.
    assert_eq!(kinds(&std::fs::read_to_string(file).unwrap()), (2, 10));
}

#[test]
fn a_slow_sink_never_holds_up_another() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.set_silent(true);
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("WORKLOAD_AGENT_OUTPUT", "stdout,cloudwatch");
    sidecar.set("WORKLOAD_AGENT_DRAIN", "3");
    sidecar.keep_stdout();
    sidecar.start();
    speak(&sidecar);
    let is_out = Deadline::seconds(60).poll(|| (kinds(&sidecar.out()) == (10, 10)).then_some(()));
    assert!(is_out.is_some(), "{}", sidecar.out());
    cloudwatch.set_silent(false);
    assert!(cloudwatch.wait_for(PATIENCE, |ledger| ledger.stored_count >= 21));
}

#[test]
fn repeated_alerts_are_folded_with_a_count() {
    let mut sidecar = Sidecar::bare();
    sidecar.set("WORKLOAD_AGENT_FOLD", "2");
    sidecar.keep_stdout();
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    for _ in 0..50 {
        tracer.send(Body::Alert(alert(7, TIME).into())).unwrap();
    }
    tracer.exchange(false).unwrap();
    sidecar.signal(nix::sys::signal::Signal::SIGTERM);
    tracer.finish(Deadline::seconds(60)).unwrap();
    assert!(sidecar.wait(PATIENCE).unwrap().success());
    let out = sidecar.out();
    let alerts: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["rule"].is_string())
        .collect();
    assert_eq!(alerts.len(), 3, "{out}");
    assert_eq!(alerts[2]["folded"]["count"], 48);
    assert_eq!(alerts[2]["folded"]["seqs"], serde_json::json!([[3, 50]]));
}

#[test]
fn heartbeats_tell_the_counters() {
    let mut sidecar = Sidecar::bare();
    sidecar.set("WORKLOAD_AGENT_HEARTBEAT", "1");
    sidecar.keep_stdout();
    sidecar.start();
    speak(&sidecar);
    let beat = Deadline::seconds(60).poll(|| {
        sidecar.out().lines().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            (line["heartbeat"]["counters"]["sidecar_alerts_total"] == 10).then_some(line)
        })
    });
    assert_eq!(beat.unwrap()["heartbeat"]["containers"][0]["ctr"], "task-1");
}

#[test]
fn tls_to_the_store_works_and_is_checked() {
    let cloudwatch = CloudWatch::start_tls().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert!(cloudwatch.messages(GROUP).len() >= 21);
    // With another authority nothing is stored.
    let stranger = CloudWatch::start_tls().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set(
        "SSL_CERT_FILE",
        &stranger.authority().unwrap().display().to_string(),
    );
    sidecar.set("WORKLOAD_AGENT_DRAIN", "2");
    let before = cloudwatch.ledger(|ledger| ledger.stored_count);
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.metric("sidecar_retries_total") > 0);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert_eq!(cloudwatch.ledger(|ledger| ledger.stored_count), before);
}

#[test]
fn without_authorities_plain_http_still_works() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("SSL_CERT_FILE", "/dev/null");
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert!(cloudwatch.messages(GROUP).len() >= 21);
    assert!(sidecar.log().contains("SSL_CERT_FILE"), "{}", sidecar.log());
}

/// An orchestrator whose first connection breaks before anything is acknowledged.
fn orchestrator() -> (SocketAddr, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (first, _) = listener.accept().unwrap();
        drop(first);
        let (stream, _) = listener.accept().unwrap();
        receive(stream)
    });
    (address, thread)
}

#[test]
fn an_orchestrator_gets_frames_and_acknowledges_them() {
    let (address, orchestrator) = orchestrator();
    let mut sidecar = Sidecar::bare();
    sidecar.set("WORKLOAD_AGENT_OUTPUT", "orchestrator");
    sidecar.set("SYSDIG_ORCHESTRATOR", "127.0.0.1");
    sidecar.set("SYSDIG_ORCHESTRATOR_PORT", &address.port().to_string());
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let lines = orchestrator.join().unwrap();
    assert_eq!(kinds(&lines), (10, 10));
}

#[test]
fn an_orchestrator_over_tls_must_show_who_it_is() {
    let (address, orchestrator) = orchestrator();
    let (front, stranger) = (
        Front::start(address).unwrap(),
        Front::start(address).unwrap(),
    );
    let mut sidecar = Sidecar::bare();
    let output = format!("orchestrator:tls:localhost:{}", front.port());
    sidecar.set("WORKLOAD_AGENT_OUTPUT", &output);
    sidecar.set("WORKLOAD_AGENT_DRAIN", "2");
    let stranger = stranger.authority().display().to_string();
    sidecar.set("SSL_CERT_FILE", &stranger);
    sidecar.start();
    speak(&sidecar);
    let is_refused = Deadline::seconds(60).poll(|| {
        let log = sidecar.log();
        log.contains("invalid peer certificate").then_some(())
    });
    assert!(is_refused.is_some(), "{}", sidecar.log());
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    // With the right authority everything that was kept goes there, before the end.
    let right = front.authority().display().to_string();
    sidecar.set("SSL_CERT_FILE", &right);
    sidecar.set("WORKLOAD_AGENT_DRAIN", "25");
    sidecar.start();
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert_eq!(kinds(&orchestrator.join().unwrap()), (10, 10));
}

fn receive(mut stream: TcpStream) -> String {
    let mut decoder = Decoder::<Frame>::default();
    let mut lines = String::new();
    let say = |stream: &mut TcpStream, order: Order| {
        let mut bytes = Vec::new();
        wire::encode(&Control::from(order), &mut bytes).unwrap();
        stream.write_all(&bytes).unwrap();
    };
    let mut piece = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut piece) {
        decoder.push(&piece[..n]);
        while let Some(frame) = decoder.next().unwrap() {
            match frame.body.unwrap() {
                Body::Hello(hello) => {
                    say(
                        &mut stream,
                        Order::Welcome(Welcome {
                            version: hello.version,
                            resume_after: 0,
                        }),
                    );
                }
                Body::Record(record) => {
                    lines.push_str(std::str::from_utf8(&record.json).unwrap());
                    lines.push('\n');
                    say(&mut stream, Order::Ack(Ack { upto: frame.seq }));
                }
                other => unreachable!("{other:?}"),
            }
        }
    }
    lines
}

#[test]
fn a_collector_gets_otlp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut sidecar = Sidecar::bare();
    sidecar.set(
        "WORKLOAD_AGENT_OUTPUT",
        &format!("otlp:http://127.0.0.1:{port}/v1/logs"),
    );
    sidecar.start();
    let collector = std::thread::spawn(move || {
        let mut records = 0;
        let mut answers = 0;
        while records < 21 {
            let (mut stream, _) = listener.accept().unwrap();
            let body = http_body(&mut stream);
            answers += 1;
            // The first answer asks for patience.
            let status = if answers == 1 { "503 Busy" } else { "200 OK" };
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            if answers > 1 {
                records += count_records(&body);
            }
        }
        records
    });
    speak(&sidecar);
    sidecar.stop(PATIENCE).unwrap();
    assert!(collector.join().unwrap() >= 21);
}

fn http_body(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).unwrap();
        bytes.extend_from_slice(&piece[..n]);
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split_whitespace().next().unwrap().parse().unwrap();
        if bytes.len() >= end + 4 + length {
            return bytes.split_off(end + 4);
        }
    }
}

/// Records in an export: field 2 of the scope, field 2 of the resource, field 1 of the request.
fn count_records(body: &[u8]) -> usize {
    fields(body)
        .filter(|(tag, _)| *tag == 1)
        .flat_map(|(_, resource)| fields(resource).filter(|(tag, _)| *tag == 2))
        .flat_map(|(_, scope)| fields(scope).filter(|(tag, _)| *tag == 2))
        .count()
}

/// Length-delimited fields of a protobuf message that has no others.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let tag = prost::decode_length_delimiter(bytes).ok()?;
        bytes = &bytes[prost::length_delimiter_len(tag)..];
        assert_eq!(tag & 7, 2, "only strings and messages stand here");
        let length = prost::decode_length_delimiter(bytes).unwrap();
        bytes = &bytes[prost::length_delimiter_len(length)..];
        let (field, rest) = bytes.split_at(length);
        bytes = rest;
        Some((tag as u64 >> 3, field))
    })
}

#[test]
fn jetstream_stores_each_frame_once() {
    let Some(server) = config::find_program("nats-server") else {
        println!("skipped: jetstream_stores_each_frame_once: nats-server is not installed");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = Command::new(server)
        .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
        .arg(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Guest(server);
    Deadline::seconds(60)
        .poll(|| TcpStream::connect(("127.0.0.1", port)).ok())
        .unwrap();
    let mut sidecar = Sidecar::bare();
    sidecar.set("WORKLOAD_AGENT_OUTPUT", &format!("nats://127.0.0.1:{port}"));
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    // The same frames again, from a sidecar that knows nothing of the first.
    std::fs::remove_dir_all(sidecar.dir.path().join("spool")).unwrap();
    sidecar.start();
    speak(&sidecar);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let frames = stream_messages(port);
    // Twenty frames and a goodbye once, and a heartbeat at the end of each sidecar.
    assert_eq!(frames, 23);
}

/// Messages in the stream, asked for as a client does, in plain text.
fn stream_messages(port: u16) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let ask = "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\nPUB $JS.API.STREAM.INFO.WORKLOAD-EV answer 0\r\n\r\n";
    stream.write_all(ask.as_bytes()).unwrap();
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).unwrap();
        text.push_str(&String::from_utf8_lossy(&piece[..n]));
        if let Some((_, rest)) = text.split_once("\"state\":{\"messages\":") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            return digits.parse().unwrap();
        }
        pause(Duration::from_millis(10));
    }
}
