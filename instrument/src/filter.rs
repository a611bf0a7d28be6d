//! From the table to a seccomp program.
//!
//! The program branches on the calling convention, then finds the number in a balanced tree: Linux
//! 5.10 runs it for every call of the workload, so its depth is what dull calls pay. A leaf tests
//! argument registers, and hands the row's index to the tracer.

use event::EventTypeSet;
use sys::arch::{AUDIT_X86_64, X32_BIT};
use sys::{Abi, Action, Filter, FilterError, Instruction};

use crate::ids::Tracer;
use crate::table::{Condition, FdOf, Guard, Kind, Row, rows};

/// The index that says: a call by a convention that no row knows.
pub const UNKNOWN_CONVENTION: u16 = u16::MAX;

/// What the filter must stop.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What somebody asked for.
    pub wanted: Wanted,
    /// Whom no call may name.
    pub tracer: Tracer,
}

/// The calls that somebody wants to see.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Those that make these events.
    pub events: EventTypeSet,
    /// Opens of directories among them.
    pub directories: Directories,
}

/// What becomes of an `open` that lists a directory: with `O_DIRECTORY`, and without flags that write
/// or create. Programs that walk through files open more directories than files, and few rules ask
/// for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directories {
    /// It passes.
    Pass,
    /// It stops like every other.
    Stop,
}

/// Flags with which an `open` does more than list a directory: `O_ACCMODE`, `O_CREAT`, `O_TRUNC` and
/// `O_TMPFILE` without its `O_DIRECTORY`; the same on all our architectures.
const CHANGES: u32 = 0o3 | 0o100 | 0o1000 | 0o20_000_000;

/// One number, and the tests of its row: any group, all of its conditions.
struct Leaf {
    number: u32,
    index: u16,
    groups: Vec<Vec<Condition>>,
}

/// Compiles the program for this machine.
pub fn compile(plan: &Plan) -> Result<Filter, FilterError> {
    compile_for(plan, Abi::HERE)
}

/// Compiles the program for a machine with these conventions.
pub fn compile_for(plan: &Plan, abis: &[Abi]) -> Result<Filter, FilterError> {
    let mut branches: Vec<(u32, Vec<Leaf>)> = Vec::new();
    for abi in abis {
        let Some(audit) = abi.audit() else { continue };
        let mut more = leaves(plan, *abi);
        match branches.iter_mut().find(|(known, _)| *known == audit) {
            Some((_, leaves)) => leaves.append(&mut more),
            None => branches.push((audit, more)),
        }
    }
    let mut program = vec![Instruction::load(Instruction::ARCH)];
    for (audit, mut leaves) in branches {
        // x32 shares its audit architecture with x86-64 and is told by a bit of the number. Where both
        // have a number, it means the same; where one has it, it is no call of the other.
        let is_shared = audit == AUDIT_X86_64;
        leaves.sort_by_key(|leaf| leaf.number);
        leaves.dedup_by_key(|leaf| leaf.number);
        let mut branch = vec![Instruction::load(Instruction::NUMBER)];
        branch.extend(is_shared.then(|| Instruction::and(!X32_BIT)));
        branch.extend(tree(&leaves));
        program.push(Instruction::is_equal(audit, 1, 0));
        program.push(Instruction::skip(length(&branch)));
        program.append(&mut branch);
    }
    program.push(Instruction::answer(Action::Trace(UNKNOWN_CONVENTION)));
    Filter::new(program)
}

/// The groups of conditions under which a row stops; `None` when it never does.
fn groups(plan: &Plan, row: &Row, abi: Abi) -> Option<Vec<Vec<Condition>>> {
    let wanted = plan.wanted;
    let watched = row.event.is_some_and(|event| wanted.events.contains(event));
    let ids = plan.tracer.ids().map(i32::cast_unsigned);
    let is_one_of = |argument: u8, values: &[u32]| {
        let is = |value: &u32| vec![Condition::Is(argument, *value)];
        values.iter().map(is).collect()
    };
    let mut groups = match row.guard {
        Guard::Always => return Some(Vec::new()),
        Guard::AnyBit(argument, bits) => vec![vec![Condition::AnyBit(argument, bits)]],
        Guard::EitherTracer(one, other) => {
            let mut groups: Vec<_> = is_one_of(one, &ids);
            groups.append(&mut is_one_of(other, &ids));
            groups
        }
        Guard::Never => Vec::new(),
        Guard::OneOf(argument, values) => is_one_of(argument, values),
        Guard::Tracer(argument) => is_one_of(argument, &ids),
        Guard::TracerOrUser(argument, user) => {
            let mut groups: Vec<_> = is_one_of(argument, &ids);
            groups.push(vec![Condition::Is(0, user)]);
            groups
        }
        Guard::TracerOrAll(argument) => {
            let [pid, sender] = ids;
            is_one_of(argument, &[pid, sender, pid.wrapping_neg(), u32::MAX])
        }
    };
    if watched {
        match flags_of_open(row) {
            Some(flags) if wanted.directories == Directories::Pass => {
                groups.push(vec![Condition::NoBit(flags, abi.directory_bit())]);
                groups.push(vec![Condition::AnyBit(flags, CHANGES)]);
            }
            _ if row.when.is_empty() => return Some(Vec::new()),
            _ => groups.extend(row.when.iter().map(|group| group.to_vec())),
        }
    }
    (!groups.is_empty()).then_some(groups)
}

/// The register with the flags of a call that opens a file by its path. `openat2` has them in memory.
fn flags_of_open(row: &Row) -> Option<u8> {
    let opens = row.fd == FdOf::Opened;
    row.params.iter().find_map(|param| match param.kind {
        Kind::Flags(at) if opens => Some(at),
        _ => None,
    })
}

fn leaves(plan: &Plan, abi: Abi) -> Vec<Leaf> {
    rows()
        .filter_map(|(index, row)| Some((index, row, groups(plan, row, abi)?)))
        .flat_map(|(index, row, groups)| {
            row.numbers.under(abi).map(move |number| Leaf {
                number,
                index,
                groups: groups.clone(),
            })
        })
        .collect()
}

fn tree(leaves: &[Leaf]) -> Vec<Instruction> {
    match leaves {
        [] => vec![Instruction::answer(Action::Allow)],
        [leaf] => {
            let mut block = block(leaf);
            let mut program = Vec::with_capacity(block.len() + 3);
            program.push(Instruction::is_equal(leaf.number, 1, 0));
            program.push(Instruction::answer(Action::Allow));
            program.append(&mut block);
            program
        }
        _ => {
            let (low, high) = leaves.split_at(leaves.len() / 2);
            let pivot = high.first().map_or(0, |leaf| leaf.number);
            let (low, high) = (tree(low), tree(high));
            let mut program = Vec::with_capacity(low.len() + high.len() + 2);
            if let Ok(near) = u8::try_from(low.len()) {
                program.push(Instruction::is_at_least(pivot, near, 0));
            } else {
                program.push(Instruction::is_at_least(pivot, 0, 1));
                program.push(Instruction::skip(length(&low)));
            }
            program.extend(low);
            program.extend(high);
            program
        }
    }
}

/// The tests of a leaf. It always ends with an answer.
fn block(leaf: &Leaf) -> Vec<Instruction> {
    let stop = Instruction::answer(Action::Trace(leaf.index));
    if leaf.groups.is_empty() {
        return vec![stop];
    }
    let mut program = Vec::new();
    for group in &leaf.groups {
        // Written from its end, so that a failing condition knows how far away the end is.
        let mut code = vec![stop];
        for condition in group.iter().rev() {
            let mut test = condition_code(*condition, u8::try_from(code.len()).unwrap_or(u8::MAX));
            test.append(&mut code);
            code = test;
        }
        program.append(&mut code);
    }
    program.push(Instruction::answer(Action::Allow));
    program
}

/// Falls through when the condition holds; else skips `rest` instructions after its own.
fn condition_code(condition: Condition, rest: u8) -> Vec<Instruction> {
    let low = |argument| Instruction::load(Instruction::argument_low(argument));
    match condition {
        Condition::AnyBit(argument, bits) => {
            vec![low(argument), Instruction::has_any(bits, 0, rest)]
        }
        Condition::AtMost(argument, most) => {
            vec![low(argument), Instruction::is_greater(most, rest, 0)]
        }
        Condition::Is(argument, value) => {
            vec![low(argument), Instruction::is_equal(value, 0, rest)]
        }
        Condition::NoBit(argument, bits) => {
            vec![low(argument), Instruction::has_any(bits, rest, 0)]
        }
        Condition::NonNull(argument) => vec![
            low(argument),
            Instruction::is_equal(0, 0, 2),
            Instruction::load(Instruction::argument_high(argument)),
            Instruction::is_equal(0, rest, 0),
        ],
    }
}

fn length(program: &[Instruction]) -> u32 {
    u32::try_from(program.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
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
}
