//! Random rules and events: the engine agrees with the plain evaluator, and what it says at the
//! entry of a call never contradicts what it says at the exit.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use event::{
    Arg, Args, Credentials, Event, EventType, Fd, FdKind, L4Proto, Outcome, Process, Role, Task,
};
use proptest::prelude::*;
use rules::{Matching, Options, RuleId, RuleSet, Source, Verdict};

use crate::naive::{Answer, Tree};

/// Few words, so that they meet.
const NAMES: [&str; 6] = ["sh", "bash", "nginx", "a b", "cat", ""];
const PATHS: [&str; 7] = [
    "/etc/shadow",
    "/etc",
    "/tmp/x",
    "/usr/bin/ls",
    "/",
    "/etc/shadow-",
    "/home/u/.ssh/id_rsa",
];
const ADDRESSES: [&str; 4] = [
    "10.0.0.1:80",
    "169.254.170.2:80",
    "127.0.0.1:0",
    "[::1]:443",
];

fn kinds() -> impl Strategy<Value = EventType> {
    prop::sample::select(vec![
        EventType::Accept4,
        EventType::Connect,
        EventType::Creat,
        EventType::Dup2,
        EventType::Execve,
        EventType::Listen,
        EventType::Openat,
        EventType::Recvfrom,
        EventType::Rename,
        EventType::Sendto,
        EventType::Socket,
    ])
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.to_vec())
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATHS.to_vec())
}

fn address() -> impl Strategy<Value = Option<SocketAddr>> {
    let some = prop::sample::select(ADDRESSES.to_vec()).prop_map(|a| a.parse().ok());
    prop_oneof![Just(None), some]
}

fn process() -> impl Strategy<Value = Process> {
    let args = prop::collection::vec(name(), 0..3);
    (name(), path(), args, any::<bool>(), 0_u32..3).prop_map(|(comm, exe, args, knows, uid)| {
        Process {
            pid: 7,
            vpid: 1,
            comm: comm.as_bytes().into(),
            exe: exe.as_bytes().into(),
            args: args.iter().map(|arg| arg.as_bytes().into()).collect(),
            exe_path: knows.then(|| exe.as_bytes().into()),
            credentials: knows.then(|| Credentials {
                uid,
                ..Credentials::default()
            }),
            tty: knows.then_some(uid),
            ..Process::default()
        }
    })
}

fn descriptor(kind: EventType) -> impl Strategy<Value = Option<Fd<'static>>> {
    let socket = matches!(
        kind,
        EventType::Accept4
            | EventType::Connect
            | EventType::Listen
            | EventType::Recvfrom
            | EventType::Sendto
            | EventType::Socket
    );
    let role = match kind {
        EventType::Connect | EventType::Sendto => Some(Role::Client),
        EventType::Accept4 | EventType::Listen => Some(Role::Server),
        _ => None,
    };
    let made = (path(), address(), address(), any::<bool>(), 0_i64..5);
    made.prop_map(move |(path, local, peer, flag, num)| {
        let is_v4 = peer.or(local).is_none_or(|a| a.is_ipv4());
        Some(Fd {
            num: Some(num),
            kind: match (socket, is_v4) {
                (true, true) => FdKind::Ipv4Socket,
                (true, false) => FdKind::Ipv6Socket,
                (false, _) if flag => FdKind::Directory,
                (false, _) => FdKind::File,
            },
            name: (!socket).then(|| path.as_bytes().to_vec().into()),
            raw_name: (!socket).then(|| path.as_bytes().to_vec().into()),
            local: local.filter(|_| socket),
            // A listening socket has no peer, before or after.
            peer: peer.filter(|_| socket && kind != EventType::Listen),
            l4proto: socket.then_some(if flag { L4Proto::Tcp } else { L4Proto::Udp }),
            role,
            is_connected: socket.then_some(flag),
            is_name_changed: flag,
            dev: flag.then_some(1),
            ino: flag.then_some(2),
        })
    })
}

fn events() -> impl Strategy<Value = Event> {
    kinds().prop_flat_map(|kind| {
        let processes = prop::collection::vec(process(), 0..4);
        let parts = (
            processes,
            descriptor(kind),
            0_u64..4,
            -3_i64..4,
            any::<bool>(),
        );
        parts.prop_map(move |(processes, fd, flags, result, has_task)| {
            let is_file = matches!(kind, EventType::Openat | EventType::Creat);
            let mut fd = fd.filter(|_| !matches!(kind, EventType::Execve | EventType::Rename));
            // What a call that failed would have made has its number from the result.
            if let Some(fd) = fd.as_mut().filter(|_| kind.makes_descriptor()) {
                fd.num = Some(result);
            }
            let mut items = Vec::new();
            if is_file {
                let name = fd
                    .as_ref()
                    .and_then(|fd| fd.name.clone())
                    .unwrap_or_default();
                items.push((
                    "name",
                    Arg::Path {
                        raw: name.clone(),
                        absolute: Some(name),
                    },
                ));
                items.push(("flags", Arg::Flags(flags)));
            }
            let result = if kind == EventType::Execve { 0 } else { result };
            Event {
                kind,
                num: 1,
                time: 1,
                outcome: Outcome::Returned(result),
                tid: 7,
                processes,
                args: Args { items },
                fd,
                users: BTreeMap::from([(1, "one".to_owned())]),
                groups: BTreeMap::new(),
                local_addresses: Vec::new(),
                task: Task {
                    container_id: has_task.then(|| "0123456789abcdef".to_owned()),
                    ..Task::default()
                },
            }
        })
    })
}

fn check() -> impl Strategy<Value = String> {
    let quoted = |text: &str| format!("\"{text}\"");
    let word = prop_oneof![name(), path()].prop_map(quoted);
    let field = prop::sample::select(vec![
        "proc.name",
        "proc.pname",
        "proc.aname",
        "proc.aname[2]",
        "proc.cmdline",
        "proc.args",
        "proc.exe",
        "proc.exepath",
        "fd.name",
        "fd.directory",
        "fd.filename",
        "fd.type",
        "evt.res",
        "evt.arg.flags",
        "evt.arg.res",
        "user.name",
        "container.id",
        "k8s.ns.name",
    ]);
    let op = prop::sample::select(vec![
        "=",
        "!=",
        "contains",
        "icontains",
        "startswith",
        "endswith",
        "glob",
        "iglob",
    ]);
    let several = prop::collection::vec(word.clone(), 0..4).prop_map(|words| words.join(", "));
    prop_oneof![
        8 => (field.clone(), op, word).prop_map(|(f, op, w)| format!("{f} {op} {w}")),
        4 => (field.clone(), prop::sample::select(vec!["in", "pmatch", "intersects"]), several)
            .prop_map(|(f, op, list)| format!("{f} {op} ({list})")),
        2 => field.prop_map(|f| format!("{f} exists")),
        6 => prop::sample::select(vec![
            "evt.type = openat",
            "evt.type in (openat, connect, execve)",
            "evt.type != connect",
            "evt.num = 0",
            "evt.is_open_write = true",
            "evt.is_open_read = false",
            "evt.rawres >= 0",
            "evt.rawres in (0, 1, -2)",
            "evt.failed = true",
            "fd.num >= 0",
            "fd.num = 2",
            "fd.connected = true",
            "fd.ip = 10.0.0.1",
            "fd.ip != 10.0.0.1",
            "fd.net = 127.0.0.0/8",
            "fd.net != 127.0.0.0/8",
            "fd.port in (80, 443)",
            "fd.sip = 169.254.170.2",
            "fd.snet in (10.0.0.0/8, 127.0.0.0/8)",
            "fd.cport > 50",
            "fd.rport != 80",
            "fd.lport = 0",
            "user.uid = 0",
            "proc.tty != 0",
            "proc.vpid = 1",
            "fd.is_server = true",
        ]).prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    check().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|c| format!("not ({c})")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|c| format!("({})", c.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|c| format!("({})", c.join(" or "))),
        ]
    })
}

fn load(conditions: &[String], matching: Matching) -> RuleSet {
    let mut text = String::new();
    for (number, condition) in conditions.iter().enumerate() {
        let rule = format!(
            "- rule: r{number}\n  desc: d\n  condition: '{condition}'\n  output: o %evt.res\n  \
             priority: INFO\n"
        );
        text.push_str(&rule);
    }
    let source = Source {
        name: "random.yaml".to_owned(),
        text,
    };
    let options = Options {
        matching,
        ..Options::default()
    };
    RuleSet::load_with(&[source], options).expect("random conditions are well formed")
}

/// The verdict, as something that can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Match(Vec<RuleId>),
    No,
    Undecided,
}

fn ask(set: &mut RuleSet, event: &Event) -> Said {
    match set.evaluate(event) {
        Verdict::Match(matches) => Said::Match(matches.collect()),
        Verdict::No => Said::No,
        Verdict::Undecided => Said::Undecided,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_plain_evaluator_and_with_itself(
        conditions in prop::collection::vec(condition(), 1..6),
        events in prop::collection::vec(events(), 1..6),
    ) {
        let mut all = load(&conditions, Matching::All);
        let mut first = load(&conditions, Matching::First);
        let trees: Vec<Tree> = all.rules().map(|id| Tree::read(&all.condition(id))).collect();
        for event in &events {
            let entry = event.at_entry();
            let at_exit: Vec<RuleId> = all
                .rules()
                .zip(&trees)
                .filter(|(_, tree)| tree.ask(event) == Answer::Yes)
                .map(|(id, _)| id)
                .collect();
            let expected = if at_exit.is_empty() { Said::No } else { Said::Match(at_exit.clone()) };
            prop_assert_eq!(ask(&mut all, event), expected, "{}", event.to_json());
            match (ask(&mut first, event), at_exit.first()) {
                (Said::Match(found), Some(wanted)) => prop_assert_eq!(found, vec![*wanted]),
                (Said::No, None) => {}
                (said, wanted) => prop_assert!(false, "{said:?} and not {wanted:?}"),
            }
            // What is said at the entry stands at the exit.
            for set in [&mut all, &mut first] {
                let before = ask(set, &entry);
                let after = ask(set, event);
                prop_assert!(after != Said::Undecided);
                if before == Said::Undecided {
                    prop_assert!(set.needs_result(event.kind), "{}", event.to_json());
                } else {
                    prop_assert_eq!(before, after, "{}", event.to_json());
                }
            }
        }
    }
}
