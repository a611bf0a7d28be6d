//! Frames of version 1, byte by byte. A later version must still read them, and write them the
//! same: these bytes never change.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a surprise ends the test, with its place"
)]

use std::fmt::Write as _;

use wire::{
    Ack, Alert, AlertField, Body, Bye, Container, Control, Counters, Decoder, Event, Frame, Hello,
    Lost, Order, Process, Refused, Tally, Welcome, alert_field, encode,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn frames() -> Vec<(&'static str, Frame)> {
    let hello = Hello {
        version: 1,
        nonce: b"12345678".to_vec(),
        epoch: 0x0102_0304_0506_0708,
        container: Some(Container {
            metadata_id: "t-1".to_owned(),
            hostname: "h".to_owned(),
            name: "web".to_owned(),
            pid_namespace: 300,
            image: "i".to_owned(),
        }),
        agent_version: "0.1.0".to_owned(),
        mode: wire::Mode::Seccomp.into(),
    };
    let event = Event {
        num: 7,
        time: 9,
        kind: "execve".to_owned(),
        result: Some(-2),
        tid: 5,
        processes: vec![Process {
            pid: 5,
            comm: b"sh".to_vec(),
            ..Process::default()
        }],
        ..Event::default()
    };
    let alert = Alert {
        time: 9,
        rule: "R".to_owned(),
        priority: 4,
        output_fields: vec![AlertField {
            name: "proc.pid".to_owned(),
            value: Some(alert_field::Value::Int(-1)),
        }],
        ..Alert::default()
    };
    let lost = Lost {
        from: 3,
        to: 9,
        reason: 1,
        events: 5,
        alerts: 1,
    };
    let counters = Counters {
        events: 300,
        more: vec![Tally {
            name: "faults".to_owned(),
            count: 2,
        }],
        ..Counters::default()
    };
    vec![
        ("hello", Frame::hello(hello)),
        ("event", Frame::new(1, Body::Event(event))),
        ("alert", Frame::new(2, Body::Alert(alert))),
        ("lost", Frame::new(10, Body::Lost(lost))),
        ("counters", Frame::new(0, Body::Counters(counters))),
        (
            "bye",
            Frame::new(
                11,
                Body::Bye(Bye {
                    exit_code: Some(137),
                    signal: None,
                }),
            ),
        ),
    ]
}

fn controls() -> Vec<(&'static str, Control)> {
    let refused = Refused {
        reason: 2,
        text: "no".to_owned(),
    };
    vec![
        (
            "welcome",
            Order::Welcome(Welcome {
                version: 1,
                resume_after: 300,
            })
            .into(),
        ),
        ("ack", Order::Ack(Ack { upto: 300 }).into()),
        ("refused", Order::Refused(refused).into()),
    ]
}

#[test]
fn the_bytes_of_version_1_do_not_change() {
    let kept = include_str!("version-1.hex");
    let mut written = String::new();
    for (name, frame) in frames() {
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes).unwrap();
        writeln!(written, "{name} {}", hex(&bytes)).unwrap();
    }
    for (name, control) in controls() {
        let mut bytes = Vec::new();
        encode(&control, &mut bytes).unwrap();
        writeln!(written, "{name} {}", hex(&bytes)).unwrap();
    }
    assert_eq!(written, kept);
}

#[test]
fn the_frames_of_version_1_are_read_as_they_were_meant() {
    let kept = include_str!("version-1.hex");
    let bytes_of = |name: &str| {
        let line = kept
            .lines()
            .find(|line| line.split(' ').next() == Some(name))
            .expect(name);
        unhex(line.split(' ').nth(1).unwrap())
    };
    for (name, frame) in frames() {
        let mut decoder = Decoder::<Frame>::default();
        decoder.push(&bytes_of(name));
        assert_eq!(decoder.next().unwrap(), Some(frame), "{name}");
    }
    for (name, control) in controls() {
        let mut decoder = Decoder::<Control>::default();
        decoder.push(&bytes_of(name));
        assert_eq!(decoder.next().unwrap(), Some(control), "{name}");
    }
}
