//! What comes back is what went.

use event::{FdKind, L4Proto, Role};

use super::value::FD_KINDS;
use super::*;

fn process() -> event::Process {
    event::Process {
        pid: 41,
        vpid: 7,
        ppid: Some(1),
        comm: b"nc".as_slice().into(),
        exe: b"/usr/bin/nc".as_slice().into(),
        args: vec![b"-e".as_slice().into(), b"\xff\x00".as_slice().into()],
        exe_path: Some(b"/usr/bin/nc.openbsd".as_slice().into()),
        exe_file: Some(event::ExeFile {
            ino: 9,
            is_drift: true,
            ..Default::default()
        }),
        cwd: Some(b"/tmp".as_slice().into()),
        env: Some(vec![b"A=1".as_slice().into()]),
        tty: Some(0),
        sid: Some(1),
        pgid: Some(2),
        credentials: Some(event::Credentials {
            uid: 33,
            loginuid: Some(5),
            ..Default::default()
        }),
        capabilities: Some(event::Capabilities {
            effective: u64::MAX,
            ..Default::default()
        }),
        started: 5,
        executed: 6,
    }
}

fn full() -> event::Event {
    let peer = "[2001:db8::1]:443".parse().unwrap();
    event::Event {
        kind: EventType::Connect,
        num: 3,
        time: 1_700_000_000_000_000_001,
        outcome: Outcome::Returned(-115),
        tid: 42,
        processes: vec![process(), event::Process::default()],
        args: event::Args {
            items: vec![
                ("fd", event::Arg::Fd(-1)),
                ("addr", event::Arg::Addr(peer)),
                (
                    "path",
                    event::Arg::Path {
                        raw: b"a".as_slice().into(),
                        absolute: Some(b"/tmp/a".as_slice().into()),
                    },
                ),
                (
                    "argv",
                    event::Arg::Vector(vec![b"x".as_slice().into()].into()),
                ),
            ],
        },
        fd: Some(event::Fd {
            num: Some(3),
            kind: FdKind::Ipv6Socket,
            name: None,
            raw_name: Some(b"r".as_slice().into()),
            local: Some("10.0.0.1:1".parse().unwrap()),
            peer: Some(peer),
            l4proto: Some(L4Proto::Tcp),
            role: Some(Role::Client),
            is_connected: Some(false),
            is_name_changed: true,
            dev: Some(1),
            ino: Some(2),
        }),
        users: [(33, "www-data".to_owned())].into(),
        groups: [(0, "root".to_owned())].into(),
        local_addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        task: event::Task::default(),
    }
}

#[test]
fn an_event_comes_back_as_it_went() {
    for outcome in [Outcome::None, Outcome::Pending, Outcome::Returned(0)] {
        let event = event::Event { outcome, ..full() };
        assert_eq!(
            event::Event::try_from(Event::from(event.clone())).unwrap(),
            event
        );
    }
    for kind in FD_KINDS {
        let mut event = full();
        event.fd.as_mut().unwrap().kind = kind;
        assert_eq!(
            event::Event::try_from(Event::from(event.clone())).unwrap(),
            event
        );
    }
}

#[test]
fn an_event_type_of_a_later_version_is_refused_by_name() {
    let event = Event {
        kind: "landlock_add_rule".to_owned(),
        ..Event::default()
    };
    let error = event::Event::try_from(event).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event type `landlock_add_rule` is not known"
    );
}
