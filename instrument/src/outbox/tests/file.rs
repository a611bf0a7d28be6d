//! `--output FILE`.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wire::{Bye, Mode};

use super::super::queue::Urgency;
use super::super::{Config, Destination, Identity, Message, Outbox, Trouble};
use super::alert;
use super::server::HARD_LIMIT;

fn outbox(file: File, bytes: usize) -> Outbox {
    let destination = Destination::File(file);
    let config = Config {
        bytes,
        ..Config::new(destination)
    };
    Outbox::start(config, Identity::gather(Mode::Seccomp, |_| None)).unwrap()
}

#[test]
fn alerts_and_events_are_lines() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("out.jsonl");
    let mut outbox = outbox(File::create(&path).unwrap(), 256 * 1024);
    outbox.alert(&alert(3));
    outbox.push_event(Urgency::High, || wire::Event {
        num: 1,
        kind: "execve".to_owned(),
        ..wire::Event::default()
    });
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    assert!(left.is_zero());
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], alert(3).to_json());
    let event = event::Event::from_json(lines[1]).unwrap();
    assert_eq!(event.kind, event::EventType::Execve);
}

/// A reader that takes nothing until the writer has given up on most of it.
#[test]
fn a_full_pipe_does_not_stall_and_is_accounted_for() {
    const ALERTS: u64 = 4_000;
    let mut reader = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = std::os::fd::OwnedFd::from(reader.stdin.take().unwrap());
    let mut outbox = outbox(File::from(pipe), 256 * 1024);
    for _ in 0..ALERTS {
        outbox.alert(&alert(300));
    }
    assert!(outbox.counters().dropped.alerts > 0);
    let stdout = reader.stdout.take().unwrap();
    let lines = std::thread::spawn(move || {
        let (mut alerts, mut lost) = (0, 0);
        for line in BufReader::new(stdout).lines() {
            let line = line.unwrap();
            match line.split_once("\"alerts\":") {
                Some((_, count)) => lost += count.trim_end_matches('}').parse::<u64>().unwrap(),
                None => alerts += 1,
            }
            if alerts + lost == ALERTS {
                break;
            }
        }
        (alerts, lost)
    });
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    assert!(left.is_zero());
    let (alerts, lost) = lines.join().unwrap();
    assert_eq!((alerts, lost), {
        let counters = outbox.counters();
        (counters.acked.alerts, counters.dropped.alerts)
    });
    reader.kill().unwrap();
    reader.wait().unwrap();
}

#[test]
fn a_full_disk_is_told_once() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut outbox = outbox(full, 256 * 1024);
    for _ in 0..10 {
        outbox.alert(&alert(10));
    }
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    assert_eq!(left.alerts, 10);
    let messages: Vec<Message> = std::iter::from_fn(|| outbox.next_message()).collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let Some(Message::Trouble(Trouble::File { error })) = messages.first() else {
        panic!("{messages:?}");
    };
    assert!(error.contains("No space left"), "{error}");
}
