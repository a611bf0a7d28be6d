//! Each default rule matches what it is about, and stays silent on what is nearly that.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Arg, Args, Credentials, Event, EventType, ExeFile, Fd, FdKind, Outcome, Process, Role, Task,
};
use rules::{Matching, Options, RuleSet, default_rules};

/// A process of this command line with this executable.
fn process(command: &str, path: &str) -> Process {
    let mut words = command.split(' ').map(|word| word.as_bytes().into());
    let exe: Box<[u8]> = words.next().unwrap();
    let name = exe.rsplit(|b| *b == b'/').next().unwrap();
    let comm = name[..name.len().min(15)].into();
    Process {
        pid: 7,
        vpid: 7,
        comm,
        exe,
        args: words.collect(),
        exe_path: Some(path.as_bytes().into()),
        exe_file: Some(ExeFile::default()),
        cwd: Some(b"/srv".as_slice().into()),
        tty: Some(0),
        credentials: Some(Credentials {
            uid: 1000,
            ..Credentials::default()
        }),
        ..Process::default()
    }
}

pub(crate) fn event(kind: EventType, command: &str) -> Event {
    Event {
        kind,
        num: 1,
        time: 1,
        outcome: Outcome::Returned(0),
        tid: 7,
        processes: vec![
            process(command, "/usr/bin/program"),
            process("server --port 80", "/usr/bin/server"),
        ],
        args: Args::default(),
        fd: None,
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        local_addresses: Vec::new(),
        task: Task::default(),
    }
}

pub(crate) fn with_args(mut event: Event, items: Vec<(&'static str, Arg<'static>)>) -> Event {
    event.args.items = items;
    event
}

pub(crate) fn path(path: &str) -> Arg<'static> {
    let path = path.as_bytes().to_vec();
    Arg::Path {
        raw: path.clone().into(),
        absolute: Some(path.into()),
    }
}

fn exec(command: &str) -> Event {
    event(EventType::Execve, command)
}

/// A program started from a file.
fn exec_of(command: &str, file: &str) -> Event {
    let mut event = exec(command);
    event.processes[0].exe_path = Some(file.as_bytes().into());
    event
}

fn child_of(parent: &str, command: &str) -> Event {
    let mut event = exec(command);
    event.processes[1] = process(parent, "/usr/bin/parent");
    event
}

fn drifted(command: &str, file: &str, is_memfd: bool) -> Event {
    let mut event = exec_of(command, file);
    event.processes[0].exe_file = Some(ExeFile {
        is_drift: true,
        is_memfd,
        ..ExeFile::default()
    });
    event
}

fn in_directory(directory: &str, command: &str) -> Event {
    let mut event = exec(command);
    event.processes[0].cwd = Some(directory.as_bytes().into());
    event
}

fn descriptor(kind: FdKind, num: i64) -> Fd<'static> {
    Fd {
        num: Some(num),
        kind,
        name: None,
        raw_name: None,
        local: None,
        peer: None,
        l4proto: None,
        role: None,
        is_connected: None,
        is_name_changed: false,
        dev: None,
        ino: None,
    }
}

fn open(command: &str, file: &str, flags: u64) -> Event {
    let mut event = event(EventType::Openat, command);
    event.outcome = Outcome::Returned(3);
    event.fd = Some(Fd {
        name: Some(file.as_bytes().to_vec().into()),
        ..descriptor(FdKind::File, 3)
    });
    with_args(
        event,
        vec![("name", path(file)), ("flags", Arg::Flags(flags))],
    )
}

const READ: u64 = 0;
const WRITE: u64 = 0o101;
const TRUNCATE: u64 = 0o1001;

fn connect(command: &str, peer: &str) -> Event {
    let mut event = event(EventType::Connect, command);
    event.fd = Some(Fd {
        peer: peer.parse().ok(),
        role: Some(Role::Client),
        ..descriptor(FdKind::Ipv4Socket, 3)
    });
    event
}

fn duplicate(kind: FdKind, onto: i64) -> Event {
    let mut event = event(EventType::Dup2, "bash");
    event.outcome = Outcome::Returned(onto);
    event.fd = Some(descriptor(kind, onto));
    event
}

fn call(kind: EventType, items: Vec<(&'static str, Arg<'static>)>) -> Event {
    with_args(event(kind, "program"), items)
}

/// A rule, an event that it is about, and one that is nearly that.
type Case = (&'static str, Event, Event);

fn files() -> Vec<Case> {
    vec![
        (
            "Write below a binary directory",
            open("cp a b", "/usr/local/bin/x", WRITE),
            open("cp a b", "/usr/local/bin/x", READ),
        ),
        (
            "Sensitive file read",
            open("cat /etc/shadow", "/etc/shadow", READ),
            open("su", "/etc/shadow", READ),
        ),
        (
            "Sensitive file given another name",
            call(EventType::Linkat, vec![("oldpath", path("/etc/shadow"))]),
            call(EventType::Linkat, vec![("oldpath", path("/etc/hostname"))]),
        ),
        (
            "Credential file read",
            open("cat x", "/home/u/.aws/credentials", READ),
            open("cat x", "/home/u/.aws/config", READ),
        ),
        (
            "Scheduled job planted",
            open("sh", "/etc/cron.d/x", WRITE),
            open("sh", "/etc/cron.d/x", READ),
        ),
        (
            "Shell startup file changed",
            open("sh", "/home/u/.bashrc", WRITE),
            open("sh", "/home/u/.bashrc", READ),
        ),
        (
            "Login key planted",
            open("sh", "/home/u/.ssh/authorized_keys", WRITE),
            open("sshd", "/home/u/.ssh/authorized_keys", READ),
        ),
        (
            "Account database changed",
            open("sh", "/etc/passwd", WRITE),
            open("useradd x", "/etc/passwd", WRITE),
        ),
        (
            "Dynamic loader redirected",
            open("sh", "/etc/ld.so.preload", WRITE),
            open("sh", "/etc/ld.so.preload", READ),
        ),
    ]
}

fn more_files() -> Vec<Case> {
    vec![
        (
            "System library changed",
            open("sh", "/usr/lib/x86_64-linux-gnu/libc.so.6", WRITE),
            open("sh", "/usr/lib/x86_64-linux-gnu/libc.so.6", READ),
        ),
        (
            "System log emptied",
            open("sh", "/var/log/auth.log", TRUNCATE),
            open("sh", "/var/log/auth.log", WRITE | 0o2000),
        ),
        (
            "Environment of another process read",
            open("cat x", "/proc/1/environ", READ),
            open("cat x", "/proc/self/environ", READ),
        ),
        (
            "Setuid bit set",
            call(
                EventType::Fchmodat,
                vec![("filename", path("/srv/x")), ("mode", Arg::Mode(0o4755))],
            ),
            call(
                EventType::Fchmodat,
                vec![("filename", path("/srv/x")), ("mode", Arg::Mode(0o755))],
            ),
        ),
        (
            "Shell history removed",
            call(
                EventType::Unlinkat,
                vec![("name", path("/root/.bash_history"))],
            ),
            call(EventType::Unlinkat, vec![("name", path("/root/history"))]),
        ),
    ]
}

fn programs() -> Vec<Case> {
    vec![
        (
            "Shell spawned by a server process",
            exec("sh -c id"),
            child_of("bash", "sh -c id"),
        ),
        ("Network pipe started", exec("nc -l 1"), exec("nice -n 1")),
        (
            "Program run from shared memory",
            exec_of("/dev/shm/x", "/dev/shm/x"),
            exec_of("x", "/srv/dev/shm/x"),
        ),
        (
            "Program run from a temporary directory",
            exec_of("x", "/tmp/x"),
            exec_of("x", "/srv/tmp/x"),
        ),
        (
            "Program run from memory",
            drifted("x", "/memfd:x (deleted)", true),
            drifted("x", "/srv/x", false),
        ),
        (
            "Program added after start was run",
            drifted("x", "/srv/x", false),
            exec_of("x", "/srv/x"),
        ),
        ("Hidden program run", exec("/srv/.x"), exec("/srv/x.y")),
        (
            "Search for secrets",
            exec("find / -name id_rsa"),
            exec("find / -name readme"),
        ),
        (
            "Package manager run",
            exec("apt-get install nmap"),
            exec("apt-get --version"),
        ),
        (
            "Download to a temporary directory",
            exec("curl -o /tmp/x http://h/x"),
            exec("curl http://h/x"),
        ),
        (
            "Download to a temporary directory",
            in_directory("/dev/shm", "wget http://h/x"),
            in_directory("/srv", "wget http://h/x"),
        ),
        (
            "Cryptocurrency miner started",
            exec("x -o stratum+tcp://h:1"),
            exec("x -o tcp://h:1"),
        ),
    ]
}

fn network_and_kernel() -> Vec<Case> {
    vec![
        (
            "Standard stream tied to a socket",
            duplicate(FdKind::Ipv4Socket, 0),
            duplicate(FdKind::Ipv4Socket, 9),
        ),
        (
            "Task credentials fetched by hand",
            connect("curl x", "169.254.170.2:80"),
            connect("java -jar x", "169.254.170.2:80"),
        ),
        (
            "Instance metadata asked by hand",
            connect("curl x", "169.254.169.254:80"),
            connect("curl x", "169.254.169.253:80"),
        ),
        (
            "Memory of another process touched",
            call(EventType::Ptrace, vec![("request", Arg::Enum(16))]),
            call(EventType::Ptrace, vec![("request", Arg::Enum(0))]),
        ),
        (
            "Kernel module load tried",
            call(EventType::InitModule, vec![]),
            call(EventType::Socket, vec![("domain", Arg::Enum(2))]),
        ),
        (
            "BPF program load tried",
            call(EventType::Bpf, vec![("cmd", Arg::Enum(5))]),
            call(EventType::Bpf, vec![("cmd", Arg::Enum(0))]),
        ),
        (
            "Namespace entered or made",
            call(EventType::Unshare, vec![("flags", Arg::Flags(0x1000_0000))]),
            call(EventType::Unshare, vec![("flags", Arg::Flags(0x400))]),
        ),
        (
            "Mount tried",
            call(EventType::Mount, vec![]),
            call(EventType::Umount2, vec![]),
        ),
        (
            "Root directory changed",
            call(EventType::Chroot, vec![("path", path("/srv"))]),
            with_args(
                event(EventType::Chroot, "sshd"),
                vec![("path", path("/srv"))],
            ),
        ),
        (
            "Packet socket made",
            call(EventType::Socket, vec![("domain", Arg::Enum(17))]),
            call(EventType::Socket, vec![("domain", Arg::Enum(2))]),
        ),
        (
            "Page faults handed to a process",
            call(EventType::Userfaultfd, vec![]),
            {
                let mut event = call(EventType::Userfaultfd, vec![]);
                event.processes[0].credentials = Some(Credentials::default());
                event
            },
        ),
        (
            "Asynchronous calls set up",
            call(EventType::IoUringSetup, vec![]),
            call(EventType::Prctl, vec![]),
        ),
    ]
}

#[test]
fn every_default_rule_matches_what_it_is_about_and_nothing_near_it() {
    let options = Options {
        matching: Matching::All,
        ..Options::default()
    };
    let mut set = RuleSet::load_with(&default_rules(), options).unwrap();
    let mut tried = BTreeSet::new();
    for (rule, trigger, near) in [files(), more_files(), programs(), network_and_kernel()].concat()
    {
        let names = |set: &mut RuleSet, event: &Event| -> Vec<String> {
            set.alerts(event, "h")
                .into_iter()
                .map(|alert| alert.rule)
                .collect()
        };
        let matched = names(&mut set, &trigger);
        assert!(
            matched.iter().any(|name| name == rule),
            "{rule}: {matched:?}"
        );
        let near = names(&mut set, &near);
        assert!(
            near.iter().all(|name| name != rule),
            "{rule} near: {near:?}"
        );
        for alert in set.alerts(&trigger, "h") {
            assert!(!alert.message.contains('\n'), "{}", alert.message);
        }
        tried.insert(rule);
    }
    let all: BTreeSet<&str> = set.rules().map(|id| set.name(id)).collect();
    assert!(all.len() >= 25);
    assert_eq!(tried, all, "every rule has a case");
}
