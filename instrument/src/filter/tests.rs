//! The program, run as the kernel would.

use event::EventType;
use sys::arch::{AUDIT_AARCH64, AUDIT_ARM, AUDIT_I386};
use sys::{Pid, Tid};

use super::*;
use crate::table::row;

const TRACER: Tracer = Tracer {
    pid: Pid(4242),
    sender: Tid(4243),
};

fn plan(watched: &[EventType]) -> Plan {
    let mut set = EventTypeSet::EMPTY;
    for kind in watched {
        set.insert(*kind);
    }
    let wanted = Wanted {
        events: set,
        directories: Directories::Stop,
    };
    Plan {
        wanted,
        tracer: TRACER,
    }
}

fn x86(watched: &[EventType]) -> Filter {
    compile_for(&plan(watched), &[Abi::X86_64, Abi::X32, Abi::I386]).unwrap()
}

fn stops(filter: &Filter, audit: u32, number: u32, args: [u64; 6]) -> Option<&'static str> {
    match filter.run(audit, number, args) {
        Action::Trace(index) => Some(row(index).map_or("unknown", |row| row.call)),
        Action::Allow | Action::Fail(_) => None,
    }
}

#[test]
fn every_number_stops_as_its_own_row_and_nothing_else_does() {
    for (abis, audit, bit) in [
        (&[Abi::X86_64, Abi::X32, Abi::I386][..], AUDIT_X86_64, 0),
        (&[Abi::X86_64, Abi::X32, Abi::I386], AUDIT_X86_64, X32_BIT),
        (&[Abi::X86_64, Abi::X32, Abi::I386], AUDIT_I386, 0),
        (&[Abi::Aarch64], AUDIT_AARCH64, 0),
    ] {
        let filter = compile_for(&plan(EventType::ALL), abis).unwrap();
        let abi = Abi::of(audit, u64::from(bit)).0;
        let row_of = |abi: Abi, number| {
            rows()
                .find(|(_, row)| row.numbers.under(abi).any(|n| n == number))
                .filter(|(_, row)| groups(&plan(EventType::ALL), row, abi).is_some())
        };
        for number in 0..1000 {
            // A number that only the twin has may stop: the kernel knows no such call.
            let twin = match abi {
                Abi::X86_64 => Some(Abi::X32),
                Abi::X32 => Some(Abi::X86_64),
                Abi::Aarch64 | Abi::I386 | Abi::Other => None,
            };
            let of_twin = twin.and_then(|twin| row_of(twin, number));
            let expected = row_of(abi, number).or(of_twin);
            if let (Some((own, _)), Some((other, _))) = (row_of(abi, number), of_twin) {
                assert_eq!(own, other, "{number} means two things");
            }
            // Every bit set satisfies all conditions but "at most" and "is".
            let all = stops(&filter, audit, number | bit, [u64::MAX; 6]);
            let none = stops(&filter, audit, number | bit, [0; 6]);
            let found = all.or(none);
            match expected {
                Some((_, row)) if row.event.is_some() => {
                    assert_eq!(found, Some(row.call), "{abi:?} {number}");
                }
                Some((_, row)) => assert!(found.is_none_or(|call| call == row.call)),
                None => assert_eq!(found, None, "{abi:?} {number}"),
            }
        }
    }
}

#[test]
fn dull_arguments_do_not_stop() {
    let filter = x86(&[EventType::Dup2, EventType::Sendto]);
    assert_eq!(
        stops(&filter, AUDIT_X86_64, 33, [5, 0, 0, 0, 0, 0]),
        Some("dup2")
    );
    assert_eq!(stops(&filter, AUDIT_X86_64, 33, [5, 3, 0, 0, 0, 0]), None);
    assert_eq!(stops(&filter, AUDIT_X86_64, 44, [5, 3, 0, 0, 0, 0]), None);
    assert_eq!(
        stops(&filter, AUDIT_X86_64, 44, [5, 3, 0, 0, 1 << 32, 0]),
        Some("sendto")
    );
}

#[test]
fn directories_that_are_listed_pass_where_nobody_asks_for_them() {
    let filter = |directories, abis| {
        let mut plan = plan(&[EventType::Open, EventType::Openat, EventType::Openat2]);
        plan.wanted.directories = directories;
        compile_for(&plan, abis).unwrap()
    };
    let here: &[Abi] = &[Abi::X86_64, Abi::X32, Abi::I386];
    for (audit, abis, openat, directory) in [
        (AUDIT_X86_64, here, 257, 0o200_000),
        (AUDIT_X86_64, here, X32_BIT | 0x101, 0o200_000),
        (AUDIT_I386, here, 295, 0o200_000),
        (AUDIT_AARCH64, &[Abi::Aarch64], 56, 0o40_000),
    ] {
        let stopped = |directories, flags: u64| {
            let args = [0, 1, flags, 0, 0, 0];
            stops(&filter(directories, abis), audit, openat, args).is_some()
        };
        for other in [0, 0o2_000_000, 0o10_000_000] {
            assert!(!stopped(Directories::Pass, directory | other));
            assert!(stopped(Directories::Stop, directory | other));
            assert!(stopped(Directories::Pass, other));
        }
        for changing in [0o1, 0o2, 0o3, 0o100, 0o1000, 0o20_000_000] {
            assert!(stopped(Directories::Pass, directory | changing));
        }
    }
    let filter = filter(Directories::Pass, here);
    let call = |number, args| stops(&filter, AUDIT_X86_64, number, args);
    assert_eq!(call(2, [1, 0o200_000, 0, 0, 0, 0]), None);
    assert_eq!(call(2, [1, 0, 0o200_000, 0, 0, 0]), Some("open"));
    assert_eq!(call(437, [0, 1, 0o200_000, 0, 0, 0]), Some("openat2"));
}

#[test]
fn what_nobody_asked_for_does_not_stop() {
    let filter = x86(&[]);
    assert_eq!(stops(&filter, AUDIT_X86_64, 257, [0; 6]), None);
    assert_eq!(stops(&filter, AUDIT_X86_64, 59, [0; 6]), None);
    assert_eq!(stops(&filter, AUDIT_I386, 11, [0; 6]), None);
    assert_eq!(stops(&filter, AUDIT_X86_64, 322, [0; 6]), Some("execveat"));
}

#[test]
fn signals_to_the_tracer_stop_whatever_is_asked_for() {
    let filter = x86(&[]);
    let kill = |pid: i32| {
        let pid = u64::from(pid.cast_unsigned());
        stops(&filter, AUDIT_X86_64, 62, [pid, 9, 0, 0, 0, 0])
    };
    for pid in [4242, 4243, -4242] {
        assert_eq!(kill(pid), Some("kill"), "{pid}");
    }
    assert_eq!(kill(-1), Some("kill"));
    assert_eq!(kill(1), None);
    let call = |number, args| stops(&filter, AUDIT_X86_64, number, args);
    for args in [[4242, 0], [4243, 0], [0, 4242]] {
        let args = [args[0], args[1], 0, 0, 0, 0];
        assert_eq!(call(109, args), Some("setpgid"), "{args:?}");
    }
    assert_eq!(call(109, [0; 6]), None);
    assert_eq!(call(72, [3, 8, 4242, 0, 0, 0]), Some("fcntl"));
    assert_eq!(call(72, [3, 3, 0, 0, 0, 0]), None);
    assert_eq!(call(16, [3, 0x8902, 0x1000, 0, 0, 0]), Some("ioctl"));
    assert_eq!(call(16, [3, 0x5401, 0x1000, 0, 0, 0]), None);
}

#[test]
fn what_would_blind_the_tracer_stops_whatever_is_asked_for() {
    let filter = x86(&[]);
    let call = |number, first, second| {
        let args = [first, second, 0, 0, 0, 0];
        stops(&filter, AUDIT_X86_64, number, args)
    };
    assert_eq!(call(317, 1, 9), Some("seccomp"));
    assert_eq!(call(317, 1, 1), None);
    assert_eq!(call(447, 0, 0), Some("memfd_secret"));
    assert_eq!(call(323, 0x8_0000, 0), Some("userfaultfd"));
    assert_eq!(call(323, 0x8_0001, 0), None);
    assert_eq!(call(141, 2, 0), Some("setpriority"));
    assert_eq!(call(141, 0, 4242), Some("setpriority"));
    assert_eq!(call(141, 0, 0), None);
}

#[test]
fn untraced_children_are_caught() {
    let filter = x86(&[]);
    assert_eq!(
        stops(&filter, AUDIT_X86_64, 56, [0x0120_0011, 0, 0, 0, 0, 0]),
        None
    );
    assert_eq!(
        stops(&filter, AUDIT_X86_64, 56, [0x0080_0011, 0, 0, 0, 0, 0]),
        Some("clone")
    );
    assert_eq!(
        stops(&filter, AUDIT_I386, 120, [0x0080_0011, 0, 0, 0, 0, 0]),
        Some("clone")
    );
}

#[test]
fn aarch64_tests_the_same_arguments_at_its_own_numbers() {
    let filter = |watched| compile_for(&plan(watched), &[Abi::Aarch64]).unwrap();
    let (dull, watching) = (filter(&[]), filter(&[EventType::Dup3, EventType::Sendto]));
    let at = |filter: &Filter, number, args| stops(filter, AUDIT_AARCH64, number, args);
    let tracer = u64::from(TRACER.pid.0.cast_unsigned());
    let untraced = [0x0080_0011, 0, 0, 0, 0, 0];
    assert_eq!(at(&dull, 220, untraced), Some("clone"));
    assert_eq!(at(&dull, 220, [0x0120_0011, 0, 0, 0, 0, 0]), None);
    assert_eq!(at(&dull, 129, [tracer, 9, 0, 0, 0, 0]), Some("kill"));
    assert_eq!(at(&dull, 129, [1, 9, 0, 0, 0, 0]), None);
    assert_eq!(at(&dull, 221, [0; 6]), None);
    assert_eq!(at(&dull, 281, [0; 6]), Some("execveat"));
    assert_eq!(at(&dull, 56, [0; 6]), None);
    assert_eq!(at(&watching, 24, [5, 0, 0, 0, 0, 0]), Some("dup3"));
    assert_eq!(at(&watching, 24, [5, 3, 0, 0, 0, 0]), None);
    assert_eq!(at(&watching, 206, [5, 3, 0, 0, 1 << 32, 0]), Some("sendto"));
    // The numbers of other machines mean something else here.
    assert_eq!(at(&dull, 59, [0; 6]), None);
}

#[test]
fn unknown_conventions_are_not_a_way_around() {
    let filter = compile_for(&plan(&[]), &[Abi::Aarch64]).unwrap();
    assert_eq!(
        filter.run(AUDIT_ARM, 5, [0; 6]),
        Action::Trace(UNKNOWN_CONVENTION)
    );
}

#[test]
fn a_skipped_call_is_not_looked_at() {
    let filter = x86(EventType::ALL);
    assert_eq!(filter.run(AUDIT_X86_64, u32::MAX, [0; 6]), Action::Allow);
}

#[test]
fn the_whole_table_fits() {
    let filter = x86(EventType::ALL);
    // Half of what the kernel takes.
    assert!(filter.program().len() < 2048, "{}", filter.program().len());
}
