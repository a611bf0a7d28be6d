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
mod tests;
