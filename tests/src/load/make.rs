//! Frames that look like those of a real workload.

use event::{EventType, FieldValue, Outcome, Priority};

/// An `openat` by a web server, different for every number.
pub fn event(n: u64, time: u64) -> event::Event {
    let process = |comm: &str, pid: i64| event::Process {
        pid,
        vpid: pid,
        ppid: Some(1),
        comm: comm.as_bytes().into(),
        exe: format!("/usr/sbin/{comm}").into_bytes().into(),
        args: vec![b"-g".as_slice().into(), b"daemon off;".as_slice().into()],
        exe_path: Some(format!("/usr/sbin/{comm}").into_bytes().into()),
        cwd: Some(b"/".as_slice().into()),
        credentials: Some(event::Credentials {
            uid: 33,
            euid: 33,
            ..Default::default()
        }),
        started: time,
        executed: time,
        ..event::Process::default()
    };
    let path = format!("/var/www/html/page-{n}.html").into_bytes();
    event::Event {
        kind: EventType::Openat,
        num: n,
        time,
        outcome: Outcome::Returned(7),
        tid: 12,
        processes: vec![process("nginx", 12), process("nginx", 1)],
        args: event::Args {
            items: vec![(
                "name",
                event::Arg::Path {
                    raw: path.into(),
                    absolute: None,
                },
            )],
        },
        fd: None,
        users: std::collections::BTreeMap::default(),
        groups: std::collections::BTreeMap::default(),
        local_addresses: Vec::new(),
        task: event::Task::default(),
    }
}

/// An event whose arguments take about so many bytes, with characters that JSON must escape.
pub fn fat_event(n: u64, time: u64, bytes: usize) -> event::Event {
    let mut event = event(n, time);
    if let Some(process) = event.processes.first_mut() {
        let text = "\u{1}\"\u{fffd}\u{10348}x\\"
            .as_bytes()
            .iter()
            .copied()
            .cycle();
        process.args = vec![text.take(bytes).collect::<Vec<u8>>().into()];
    }
    event
}

/// An alert as the default rules make it, different for every number.
pub fn alert(n: u64, time: u64) -> event::Alert {
    event::Alert {
        time,
        rule: "Shell spawned by a server program".to_owned(),
        priority: Priority::Warning,
        source: "syscall".to_owned(),
        tags: vec!["container".to_owned(), "shell".to_owned()],
        hostname: "web".to_owned(),
        message: format!("a server program has started a shell (command=sh -c {n})"),
        output_fields: vec![
            (
                "proc.cmdline".to_owned(),
                FieldValue::Text(format!("sh -c {n}")),
            ),
            (
                "proc.pname".to_owned(),
                FieldValue::Text("nginx".to_owned()),
            ),
        ],
    }
}
