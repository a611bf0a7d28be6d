//! The task's role, as ECS gives it: keys from 169.254.170.2 by a relative address, on the loopback
//! of a network namespace that only the task is in.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e2e::cloudwatch::CloudWatch;
use e2e::fargate::backend::{Handler, Opening, Service, Stream};
use e2e::fargate::definition::TaskDefinition;
use e2e::fargate::{Setup, process};
use e2e::image::{Image, Rootfs};
use e2e::load::{Overflow, Tracer, alert};
use e2e::pace::Deadline;
use e2e::stage;
use serde_json::json;
use wire::Body;

const PATIENCE: Duration = Duration::from_mins(2);

/// Where the fake of CloudWatch Logs is, inside.
const STORE: &str = "127.0.0.1:4566";

/// The sidecar starts only where the address is one of its own namespace's, so that no packet can
/// leave; on a machine without namespaces nothing is asked.
const GUARD: &str = "grep -q 169.254.170.2 /proc/net/fib_trie || exit 42; exec \"$0\"";

/// Answers with the next key at every question, and counts them. The second one is over already.
fn role(asked: Arc<AtomicU64>) -> Handler {
    Arc::new(move |stream: &mut dyn Stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let (status, body) = if head.starts_with("GET /v2/credentials/") {
            let n = asked.fetch_add(1, Ordering::SeqCst) + 1;
            let year = if n == 2 { 2001 } else { 2099 };
            let keys = json!({
                "RoleArn": "arn:aws:iam::123456789012:role/task",
                "AccessKeyId": format!("ASIATASK{n}"),
                "SecretAccessKey": "s",
                "Token": "t",
                "Expiration": format!("{year}-01-01T00:00:00Z"),
            });
            ("200 OK", keys.to_string())
        } else {
            // Identity is not what this is about.
            ("404 Not Found", "{}".to_owned())
        };
        // A client that has gone needs no answer.
        drop(write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ));
    })
}

/// A task of a sidecar alone, which lives in a folder.
fn definition(folder: &Path) -> TaskDefinition {
    let place = |name: &str| folder.join(name).display().to_string();
    let setting = |name: &str, value: &str| json!({"name": name, "value": value});
    let definition = json!({
        "family": "role",
        "containerDefinitions": [{
            "name": "agent", "image": "agent",
            "entryPoint": ["/bin/sh", "-c", GUARD, contract::path::SIDECAR],
            "environment": [
                setting("AWS_ENDPOINT_URL", &format!("http://{STORE}")),
                setting("WORKLOAD_AGENT_LOG_GROUP", "g"),
                setting("WORKLOAD_AGENT_LOG_STREAM", "s"),
                setting("WORKLOAD_AGENT_SOCKET", &place("agent.sock")),
                setting("WORKLOAD_AGENT_ADMIN", &place("admin.sock")),
                setting("WORKLOAD_AGENT_SPOOL", &place("spool")),
            ],
        }],
    });
    TaskDefinition::parse(&definition.to_string()).unwrap()
}

#[test]
fn the_keys_of_the_task_come_from_the_relative_address_and_rotate() {
    let test = "the_keys_of_the_task_come_from_the_relative_address_and_rotate";
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.require_key(Some("ASIATASK1"));
    let folder = tempfile::tempdir().unwrap();
    let root = Rootfs::new(&folder.path().join("image")).unwrap();
    root.link(&stage::built("sidecar").unwrap(), contract::path::SIDECAR)
        .unwrap();
    let image = Image {
        root: root.path().to_path_buf(),
        ..Image::default()
    };
    let socket = folder.path().join("agent.sock");
    let definition = definition(folder.path());
    let asked = Arc::new(AtomicU64::new(0));
    let setup = Setup {
        images: [("agent".to_owned(), image)].into(),
        openings: vec![Opening {
            name: "store".to_owned(),
            address: STORE.to_owned(),
            service: Service::Address(cloudwatch.address().to_string()),
        }],
        metadata: Some(role(Arc::clone(&asked))),
        listener: None,
    };
    let task = process::run(&definition, setup).unwrap();
    if task.metadata_address() != "http://169.254.170.2" {
        assert_eq!(
            task.wait_for_exit("agent", Deadline::after(PATIENCE))
                .unwrap(),
            42
        );
        println!("skipped: {test}: {}", task.limits().join("; "));
        return;
    }
    let is_stored = |epoch: u64| {
        let before = cloudwatch.ledger(|ledger| ledger.stored_count);
        let mut tracer = Tracer::new(&socket, "task-1", epoch, Overflow::Wait);
        tracer.send(Body::Alert(alert(epoch, 1).into())).unwrap();
        tracer.finish(Deadline::after(PATIENCE)).unwrap();
        cloudwatch.wait_for(PATIENCE, |ledger| ledger.stored_count >= before + 2)
    };
    task.wait_for_line("agent", "Ready.", Deadline::after(PATIENCE))
        .unwrap();
    assert!(is_stored(1), "{}", task.output("agent"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // The first key is withdrawn, and the second one is over before it is used: neither stops it.
    cloudwatch.require_key(Some("ASIATASK3"));
    assert!(is_stored(2), "{}", task.output("agent"));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    task.stop();
    assert_eq!(
        task.wait_for_exit("agent", Deadline::after(PATIENCE))
            .unwrap(),
        0
    );
}
