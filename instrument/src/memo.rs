//! Calls that were judged dull before.
//!
//! Programs open the same files again and again. When the rules said "no" to a call, and asked for
//! nothing but facts that are in the key (the program with its arguments and its ancestors', the
//! call's scalar arguments, a path and where it starts), then they will say "no" again, and need not be
//! asked: not even of another process that executes the same. The key is a hash under a secret, so
//! that no program can make two calls look alike.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use event::EventType;
use sys::Call;

use crate::table::{FdOf, Kind, Row};

/// Calls that are remembered; a power of two.
const SIZE: usize = 4096;

/// Calls to which the rules said "no".
#[derive(Debug)]
pub struct Memo {
    secret: RandomState,
    known: Box<[u64]>,
}

/// A call, as far as rules can tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Default for Memo {
    fn default() -> Self {
        Self {
            secret: RandomState::new(),
            known: vec![0; SIZE].into_boxed_slice(),
        }
    }
}

/// The register of the one path of a call that can be remembered. Calls with other things in
/// memory, or about a descriptor, say something else each time.
pub fn path_register(row: &Row) -> Option<u8> {
    if !matches!(row.fd, FdOf::Nothing | FdOf::Opened) {
        return None;
    }
    let mut path = None;
    for param in row.params {
        match param.kind {
            Kind::Path(at) | Kind::PathAt(_, at) if path.is_none() => path = Some(at),
            Kind::Enum(_)
            | Kind::Fd(_)
            | Kind::Flags(_)
            | Kind::Gid(_)
            | Kind::Int(_)
            | Kind::Mode(_)
            | Kind::Pid(_)
            | Kind::Result
            | Kind::Uid(_)
            | Kind::Uint(_) => {}
            _ => return None,
        }
    }
    path
}

impl Memo {
    /// The key of a call of a process in a certain state. What a relative path means may change
    /// with every call, so that it has one only together with the directory from which it starts.
    pub fn key(
        &self,
        row: &Row,
        call: &Call,
        state: u64,
        (base, path): (Option<&[u8]>, &[u8]),
    ) -> Option<Key> {
        if base.is_none() && path.first() != Some(&b'/') {
            return None;
        }
        let at = path_register(row)?;
        let mut hasher = self.secret.build_hasher();
        hasher.write_u64(state);
        hasher.write_usize(std::ptr::from_ref(row).addr());
        for (register, word) in (0..).zip(call.args) {
            if register != at && reads(row, register) {
                hasher.write_u64(word);
            }
        }
        if let Some(base) = base {
            hasher.write(base);
            // No path holds it.
            hasher.write_u8(0);
        }
        hasher.write(path);
        // Zero marks an empty place.
        Some(Key(hasher.finish() | 1))
    }

    /// The key of the event that a process in a certain state executes its program.
    pub fn key_of_exec(&self, kind: EventType, state: u64) -> Key {
        let mut hasher = self.secret.build_hasher();
        hasher.write_u64(state);
        // Less than any row's address.
        hasher.write_usize(kind as usize);
        Key(hasher.finish() | 1)
    }

    /// Whether the rules said "no" to such a call.
    pub fn is_dull(&self, key: Key) -> bool {
        self.known.get(place(key)) == Some(&key.0)
    }

    /// The rules said "no", and asked for nothing that is not in the key.
    pub fn note(&mut self, key: Key) {
        if let Some(known) = self.known.get_mut(place(key)) {
            *known = key.0;
        }
    }

    /// Other rules may say otherwise.
    pub fn forget(&mut self) {
        self.known.fill(0);
    }
}

/// Whether an argument of the call comes from a register. Others hold leftovers of the program's
/// that would make every call look new.
fn reads(row: &Row, register: u8) -> bool {
    row.params.iter().any(|param| match param.kind {
        Kind::Enum(at)
        | Kind::Fd(at)
        | Kind::Flags(at)
        | Kind::Gid(at)
        | Kind::Int(at)
        | Kind::Mode(at)
        | Kind::Pid(at)
        | Kind::Uid(at)
        | Kind::Uint(at) => at == register,
        _ => false,
    })
}

const fn place(key: Key) -> usize {
    (key.0 >> 1) as usize % SIZE
}

#[cfg(test)]
mod tests {
    use sys::Abi;

    use super::*;
    use crate::table::rows;

    fn row(call: &str) -> &'static Row {
        rows().find(|(_, row)| row.call == call).unwrap().1
    }

    fn call(args: [u64; 6]) -> Call {
        Call {
            abi: Abi::X86_64,
            number: 0,
            args,
        }
    }

    #[test]
    fn only_calls_with_one_path_are_remembered() {
        for (name, expected) in [
            ("open", Some(0)),
            ("openat", Some(1)),
            ("openat2", None),
            ("rename", None),
            ("connect", None),
            ("fchmod", None),
            ("unlinkat", Some(1)),
            ("execve", None),
        ] {
            assert_eq!(path_register(row(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_key_tells_calls_apart_and_nothing_else() {
        let memo = Memo::default();
        let key = |args, state, path: &str| {
            memo.key(row("openat"), &call(args), state, (None, path.as_bytes()))
        };
        let one = key([5, 100, 0, 0, 7, 8], 1, "/etc/passwd");
        assert!(one.is_some());
        assert_eq!(one, key([5, 999, 0, 0, 1, 2], 1, "/etc/passwd"));
        for other in [
            key([5, 100, 1, 0, 7, 8], 1, "/etc/passwd"),
            key([6, 100, 0, 0, 7, 8], 1, "/etc/passwd"),
            key([5, 100, 0, 0, 7, 8], 2, "/etc/passwd"),
            key([5, 100, 0, 0, 7, 8], 3, "/etc/passwd"),
            key([5, 100, 0, 0, 7, 8], 1, "/etc/shadow"),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(key([5, 100, 0, 0, 7, 8], 1, "etc/passwd"), None);
    }

    #[test]
    fn a_relative_path_is_told_apart_by_where_it_starts() {
        let memo = Memo::default();
        let key = |base: &str, path: &str| {
            let names = (Some(base.as_bytes()), path.as_bytes());
            memo.key(row("openat"), &call([0; 6]), 1, names).unwrap()
        };
        assert_eq!(key("/etc", "passwd"), key("/etc", "passwd"));
        assert_ne!(key("/etc", "passwd"), key("/tmp", "passwd"));
        assert_ne!(key("/a", "b/c"), key("/a/b", "c"));
        assert_ne!(key("/a", "bc"), key("/ab", "c"));
    }

    #[test]
    fn executions_are_told_apart_by_program_and_call() {
        let memo = Memo::default();
        let key = |kind, state| memo.key_of_exec(kind, state);
        assert_eq!(key(EventType::Execve, 1), key(EventType::Execve, 1));
        assert_ne!(key(EventType::Execve, 1), key(EventType::Execve, 2));
        assert_ne!(key(EventType::Execve, 1), key(EventType::Execveat, 1));
    }

    #[test]
    fn what_was_noted_is_known_until_it_is_forgotten() {
        let mut memo = Memo::default();
        let key = memo
            .key(row("open"), &call([0; 6]), 1, (None, b"/a"))
            .unwrap();
        assert!(!memo.is_dull(key));
        memo.note(key);
        assert!(memo.is_dull(key));
        memo.forget();
        assert!(!memo.is_dull(key));
    }
}
