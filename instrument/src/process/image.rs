//! The program that a process executes, noted at the moment of its exec.

use std::hash::Hash;

use sys::{Abi, Memory, Pid, RemoteAddr};

use super::executable::Executable;
use super::proc;
use crate::decode::MAX_PATH;

/// Arguments beyond this many bytes are cut.
const MAX_ARGUMENT_BYTES: usize = 16 * 1024;

/// So much is read at once from the stack pointer on. Most stacks end before, so that this is all:
/// the pointers, the ids, a random gap of up to 8 KiB, and the strings.
const FIRST_BYTES: usize = 16 * 1024;

/// Pointers on the new stack beyond this many bytes are not looked at.
const MAX_STACK_BYTES: usize = 64 * 1024;

const AT_NULL: u64 = 0;
const AT_UID: u64 = 11;
const AT_EUID: u64 = 12;
const AT_GID: u64 = 13;
const AT_EGID: u64 = 14;
const AT_SECURE: u64 = 23;
const AT_EXECFN: u64 = 31;

/// `TASK_COMM_LEN` without the NUL.
const COMM_BYTES: usize = 15;

/// A program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The kernel's name: the end of the path that was executed, at most 15 bytes.
    pub comm: Vec<u8>,
    /// `argv[0]`.
    pub exe: Vec<u8>,
    /// `argv[1..]`.
    pub args: Vec<Box<[u8]>>,
    /// The path that was executed, as the kernel passed it to the program.
    pub file: Option<Vec<u8>>,
    /// What `/proc/PID/exe` points to.
    pub path: Option<Vec<u8>>,
    /// The file behind that.
    pub executable: Option<Executable>,
    /// When it was executed, nanoseconds since 1970; 0 when it was not seen.
    pub executed: u64,
    /// Ids at the moment of the exec, when the kernel put them on the stack.
    pub ids: Option<ExecIds>,
}

/// The ids that the kernel tells a new program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExecIds {
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Whether the program got privileges that its caller did not have.
    pub is_secure: bool,
}

impl Image {
    /// All that rules see of it, but for the time.
    pub(super) fn content(&self) -> impl Hash + '_ {
        (
            (&self.comm, &self.exe, &self.args),
            (&self.file, &self.path, &self.executable, &self.ids),
        )
    }

    /// Reads what the kernel laid out for the new program: its stack holds the count of arguments,
    /// pointers to them, to the environment, and a table with ids and the executed path. Nobody can
    /// have changed it: not one instruction of the program has run. `buffer` only saves an
    /// allocation for each.
    pub fn from_stack(
        pid: Pid,
        memory: Memory,
        (abi, stack): (Abi, RemoteAddr),
        now: u64,
        buffer: &mut Vec<u8>,
    ) -> Self {
        let laid_out = Stack::read(memory, abi, stack, buffer);
        let mut image = Self {
            path: proc::exe(pid),
            executable: Executable::of(pid),
            executed: now,
            ids: laid_out.ids,
            ..Self::default()
        };
        let mut strings = split(&laid_out.arguments, laid_out.count);
        if let Some(first) = strings.next() {
            image.exe = first.to_vec();
        }
        image.args = strings.map(Box::from).collect();
        // What was executed through a descriptor has no path, and the kernel names it otherwise.
        image.comm = match &laid_out.path {
            Some(path) if !path.starts_with(b"/dev/fd/") && !path.is_empty() => base_name(path),
            _ => proc::comm(pid).unwrap_or_else(|| base_name(&image.exe)),
        };
        image.file = laid_out.path;
        image
    }

    /// What `/proc` says of a process whose exec was not seen.
    pub fn from_proc(pid: Pid, executed: u64) -> Self {
        let line = proc::cmdline(pid, MAX_ARGUMENT_BYTES).unwrap_or_default();
        let mut strings = split(&line, usize::MAX);
        Self {
            comm: proc::comm(pid).unwrap_or_default(),
            exe: strings.next().unwrap_or_default().to_vec(),
            args: strings.map(Box::from).collect(),
            file: None,
            path: proc::exe(pid),
            executable: Executable::of(pid),
            executed,
            ids: None,
        }
    }
}

/// What is on the stack of a new program.
#[derive(Debug, Default)]
struct Stack {
    count: usize,
    arguments: Vec<u8>,
    path: Option<Vec<u8>>,
    ids: Option<ExecIds>,
}

impl Stack {
    fn read(memory: Memory, abi: Abi, stack: RemoteAddr, buffer: &mut Vec<u8>) -> Self {
        let mut layout = Layout::default();
        let (mut got, mut is_whole) = (0, false);
        for size in [FIRST_BYTES, MAX_STACK_BYTES] {
            if buffer.len() < size {
                buffer.resize(size, 0);
            }
            let room = buffer.get_mut(..size).unwrap_or_default();
            got = memory.read_fresh(stack, room).unwrap_or(0);
            is_whole = got < size;
            let read = room.get(..got).unwrap_or_default();
            layout = Layout::parse(read, abi.pointer_width()).unwrap_or(layout);
            if layout.is_complete || is_whole {
                break;
            }
        }
        let bytes = buffer.get(..got).unwrap_or_default();
        // What begins at an address, if so much was read or there is no more.
        let known = |at: RemoteAddr, len: usize| {
            let from = usize::try_from(at.checked_sub(stack)?).ok()?;
            let rest = bytes.get(from..)?;
            rest.get(..len)
                .or((is_whole && !rest.is_empty()).then_some(rest))
        };
        let mut arguments = Vec::new();
        if layout.first_argument != 0 {
            // Argument strings stand one after the other, up to the first of the environment.
            let end = layout.first_variable.max(layout.first_argument);
            let len = match usize::try_from(end - layout.first_argument) {
                Ok(0) | Err(_) => MAX_ARGUMENT_BYTES,
                Ok(len) => len.min(MAX_ARGUMENT_BYTES),
            };
            arguments = if let Some(known) = known(layout.first_argument, len) {
                known.to_vec()
            } else {
                let mut read = vec![0; len];
                let first = layout.first_argument;
                let got = memory.read_fresh(first, &mut read).unwrap_or(0);
                read.truncate(got);
                read
            };
        }
        let path = known(layout.path, MAX_PATH)
            .and_then(|known| {
                known
                    .split_inclusive(|byte| *byte == 0)
                    .next()?
                    .strip_suffix(&[0])
            })
            .map(<[u8]>::to_vec)
            .or_else(|| {
                let mut path = Vec::new();
                let is_read = layout.path != 0
                    && memory.read_string(layout.path, MAX_PATH, &mut path).is_ok();
                is_read.then_some(path)
            });
        Self {
            count: layout.count,
            arguments,
            path,
            ids: layout.is_complete.then_some(layout.ids),
        }
    }
}

/// Addresses and ids from the words of the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Layout {
    count: usize,
    first_argument: RemoteAddr,
    first_variable: RemoteAddr,
    path: RemoteAddr,
    ids: ExecIds,
    is_complete: bool,
}

impl Layout {
    fn parse(bytes: &[u8], width: usize) -> Option<Self> {
        let mut words = bytes.chunks_exact(width).map(|chunk| {
            let mut word = [0; 8];
            word[..width].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        let count = usize::try_from(words.next()?).ok()?;
        let mut layout = Self {
            count,
            ..Self::default()
        };
        if count > 0 {
            layout.first_argument = words.next()?;
            // The other arguments, and the null pointer after them.
            words.nth(count - 1)?;
        } else {
            words.next()?;
        }
        layout.first_variable = words.next().unwrap_or(0);
        if layout.first_variable != 0 {
            words.by_ref().find(|word| *word == 0);
        }
        while let Some((kind, value)) = words.next().zip(words.next()) {
            let id = (value & 0xffff_ffff) as u32;
            match kind {
                AT_NULL => {
                    layout.is_complete = true;
                    break;
                }
                AT_UID => layout.ids.uid = id,
                AT_EUID => layout.ids.euid = id,
                AT_GID => layout.ids.gid = id,
                AT_EGID => layout.ids.egid = id,
                AT_SECURE => layout.ids.is_secure = value != 0,
                AT_EXECFN => layout.path = value,
                _ => {}
            }
        }
        Some(layout)
    }
}

/// The first `count` NUL-terminated strings; a last one that was cut counts too.
fn split(bytes: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    bytes
        .split(|byte| *byte == 0)
        .take(if bytes.is_empty() && count <= 1 {
            count
        } else {
            count.max(1)
        })
}

fn base_name(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    name.get(..COMM_BYTES).unwrap_or(name).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn the_stack_of_a_new_program_is_understood() {
        let bytes = words(&[
            2, 0x1000, 0x1005, 0, 0x1010, 0x1020, 0, AT_UID, 7, AT_EUID, 0, AT_SECURE, 1,
            AT_EXECFN, 0x2000, AT_NULL, 0,
        ]);
        let layout = Layout::parse(&bytes, 8).unwrap();
        assert_eq!((layout.count, layout.first_argument), (2, 0x1000));
        assert_eq!((layout.first_variable, layout.path), (0x1010, 0x2000));
        assert!(layout.is_complete && layout.ids.is_secure);
        assert_eq!((layout.ids.uid, layout.ids.euid), (7, 0));
    }

    #[test]
    fn a_stack_that_was_cut_is_not_complete() {
        let bytes = words(&[2, 0x1000, 0x1005, 0, 0x1010]);
        assert!(!Layout::parse(&bytes, 8).unwrap().is_complete);
        assert_eq!(Layout::parse(&bytes[..20], 8), None);
    }

    #[test]
    fn no_arguments_and_no_environment() {
        let bytes = words(&[0, 0, 0, AT_EXECFN, 0x2000, AT_NULL, 0]);
        let layout = Layout::parse(&bytes, 8).unwrap();
        assert_eq!(
            (layout.count, layout.first_argument, layout.path),
            (0, 0, 0x2000)
        );
        assert!(layout.is_complete);
    }

    #[test]
    fn a_hostile_count_does_not_overflow() {
        assert_eq!(Layout::parse(&words(&[u64::MAX, 1, 2]), 8), None);
    }

    #[test]
    fn arguments_are_split_at_their_ends() {
        let all: Vec<_> = split(b"sh\0-c\0\0", 3).collect();
        assert_eq!(all, [&b"sh"[..], b"-c", b""]);
        assert_eq!(split(b"", 0).count(), 0);
        assert_eq!(split(b"a\0PATH=x\0", 1).collect::<Vec<_>>(), [b"a"]);
    }

    #[test]
    fn names_are_cut_as_the_kernel_does() {
        assert_eq!(
            base_name(b"/usr/bin/a-very-long-name-of-a-program"),
            b"a-very-long-nam"
        );
        assert_eq!(base_name(b"sh"), b"sh");
    }
}
