//! Putting a filter into a process from outside: which call it has to do next.
//!
//! At the entry of a call of its own, one thread is made to skip that call and to do three of ours:
//! memory for the program, `seccomp` for all threads, the memory back. Then it does its own call,
//! from the beginning and with its own registers. Nothing of the call has happened at its entry,
//! so that nothing is done twice, and signals stay blocked meanwhile, so that no handler of the
//! program sees the borrowed registers.

use sys::{Abi, Call, Errno};

/// `SECCOMP_SET_MODE_FILTER` and `SECCOMP_FILTER_FLAG_TSYNC` (`linux/seccomp.h`).
const SET_MODE_FILTER: u64 = 1;
const ALL_THREADS: u64 = 1;

/// `PROT_READ | PROT_WRITE` and `MAP_PRIVATE | MAP_ANONYMOUS`.
const READ_WRITE: u64 = 3;
const PRIVATE_ANONYMOUS: u64 = 0x22;

/// Bytes of a `struct sock_fprog`.
const HEADER: u64 = 16;

/// Numbers of the calls that are borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    mmap: u32,
    munmap: u32,
    seccomp: u32,
}

impl Numbers {
    /// Only where the native convention is in use; nobody else is worth the trouble.
    const fn of(abi: Abi) -> Option<Self> {
        match abi {
            Abi::Aarch64 => Some(Self {
                mmap: 222,
                munmap: 215,
                seccomp: 277,
            }),
            Abi::X86_64 => Some(Self {
                mmap: 9,
                munmap: 11,
                seccomp: 317,
            }),
            Abi::I386 | Abi::Other | Abi::X32 => None,
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its own call is being skipped.
    Skipping,
    /// Memory was asked for.
    Mapping,
    /// The filter was offered; the memory is there.
    Installing { at: u64 },
    /// The memory is being given back.
    Unmapping { outcome: Outcome },
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The kernel refused one of the calls.
    Failed(Errno),
    /// All threads have the filter.
    Installed,
    /// Another thread has filters that ours cannot be added to.
    Diverged,
}

/// What the thread must do at the exit of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// This call next.
    Call(Call),
    /// The program goes to this address; then this call.
    Write(u64, Call),
    /// Its own call, as if nothing had been.
    Finish(Call, Outcome),
}

/// One process being given a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Injection {
    own: Call,
    numbers: Numbers,
    bytes: u64,
    stage: Stage,
}

impl Injection {
    /// Begins at the entry of a call, which must be skipped. `None` where it cannot be done.
    pub(super) fn begin(own: Call, program_bytes: usize) -> Option<Self> {
        Some(Self {
            own,
            numbers: Numbers::of(own.abi)?,
            bytes: HEADER + program_bytes as u64,
            stage: Stage::Skipping,
        })
    }

    /// Takes the result of the call that was borrowed.
    pub(super) fn on_exit(&mut self, result: i64) -> Act {
        let errno = (-4095..0)
            .contains(&result)
            .then(|| Errno::from_raw(i32::try_from(-result).unwrap_or(0)));
        match (self.stage, errno) {
            (Stage::Skipping, _) => {
                self.stage = Stage::Mapping;
                let args = [0, self.bytes, READ_WRITE, PRIVATE_ANONYMOUS, u64::MAX, 0];
                Act::Call(self.call(self.numbers.mmap, args))
            }
            (Stage::Mapping, Some(errno)) => Act::Finish(self.own, Outcome::Failed(errno)),
            (Stage::Mapping, None) => {
                let at = result.cast_unsigned();
                self.stage = Stage::Installing { at };
                let args = [SET_MODE_FILTER, ALL_THREADS, at, 0, 0, 0];
                Act::Write(at, self.call(self.numbers.seccomp, args))
            }
            (Stage::Installing { at }, errno) => self.unmap(
                at,
                match (result, errno) {
                    (_, Some(errno)) => Outcome::Failed(errno),
                    (0, None) => Outcome::Installed,
                    (_, None) => Outcome::Diverged,
                },
            ),
            (Stage::Unmapping { outcome }, _) => Act::Finish(self.own, outcome),
        }
    }

    /// The program could not be written: the memory is given back, and nothing else.
    pub(super) fn cannot_write(&mut self, errno: Errno) -> Act {
        match self.stage {
            Stage::Installing { at } => self.unmap(at, Outcome::Failed(errno)),
            Stage::Skipping | Stage::Mapping | Stage::Unmapping { .. } => {
                Act::Finish(self.own, Outcome::Failed(errno))
            }
        }
    }

    fn unmap(&mut self, at: u64, outcome: Outcome) -> Act {
        self.stage = Stage::Unmapping { outcome };
        Act::Call(self.call(self.numbers.munmap, [at, self.bytes, 0, 0, 0, 0]))
    }

    const fn call(&self, number: u32, args: [u64; 6]) -> Call {
        Call {
            abi: self.own.abi,
            number,
            args,
        }
    }
}

/// A `struct sock_fprog` at address `at`, followed by its program.
pub(super) fn image(at: u64, program: &[u8]) -> Vec<u8> {
    // An instruction has eight bytes, and a program at most 4096 instructions.
    let count = u16::try_from(program.len() / 8).unwrap_or(u16::MAX);
    let mut image = Vec::with_capacity(program.len() + 16);
    image.extend_from_slice(&count.to_ne_bytes());
    image.extend_from_slice(&[0; 6]);
    image.extend_from_slice(&(at + HEADER).to_ne_bytes());
    image.extend_from_slice(program);
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Call = Call {
        abi: Abi::X86_64,
        number: 0,
        args: [3, 0x7000, 100, 4, 5, 6],
    };

    fn begun() -> Injection {
        Injection::begin(OWN, 800).unwrap()
    }

    fn number(act: Act) -> u32 {
        match act {
            Act::Call(call) | Act::Write(_, call) | Act::Finish(call, _) => call.number,
        }
    }

    #[test]
    fn memory_filter_memory_back_and_on_with_its_own_call() {
        let mut injection = begun();
        let Act::Call(mmap) = injection.on_exit(0) else {
            panic!("no mmap");
        };
        assert_eq!((mmap.number, mmap.args[1]), (9, 816));
        let Act::Write(at, seccomp) = injection.on_exit(0x5000) else {
            panic!("no seccomp");
        };
        assert_eq!((at, seccomp.number), (0x5000, 317));
        assert_eq!(seccomp.args[..3], [1, 1, 0x5000]);
        let Act::Call(munmap) = injection.on_exit(0) else {
            panic!("no munmap");
        };
        assert_eq!(
            (munmap.number, munmap.args[0], munmap.args[1]),
            (11, 0x5000, 816)
        );
        assert_eq!(injection.on_exit(0), Act::Finish(OWN, Outcome::Installed));
    }

    #[test]
    fn every_failure_ends_with_its_own_call_and_no_memory_left() {
        let denied = Outcome::Failed(Errno::EACCES);
        let table: [(&str, &[i64], Outcome); 3] = [
            ("no memory", &[0, -13], denied),
            ("no filter", &[0, 0x5000, -13, 0], denied),
            (
                "a thread with other filters",
                &[0, 0x5000, 77, 0],
                Outcome::Diverged,
            ),
        ];
        for (name, results, expected) in table {
            let mut injection = begun();
            let acts: Vec<Act> = results.iter().map(|r| injection.on_exit(*r)).collect();
            assert_eq!(acts.last(), Some(&Act::Finish(OWN, expected)), "{name}");
            let mapped = acts.iter().any(|act| number(*act) == 317);
            let unmapped = acts.iter().any(|act| number(*act) == 11);
            assert_eq!(mapped, unmapped, "{name}");
        }
    }

    #[test]
    fn a_program_that_cannot_be_written_is_not_installed() {
        let mut injection = begun();
        injection.on_exit(0);
        injection.on_exit(0x5000);
        assert_eq!(number(injection.cannot_write(Errno::EFAULT)), 11);
        let failed = Outcome::Failed(Errno::EFAULT);
        assert_eq!(injection.on_exit(0), Act::Finish(OWN, failed));
    }

    #[test]
    fn conventions_that_are_not_native_are_left_alone() {
        for abi in [Abi::I386, Abi::X32, Abi::Other] {
            assert_eq!(Injection::begin(Call { abi, ..OWN }, 8), None);
        }
    }

    #[test]
    fn the_image_points_at_its_program() {
        let image = image(0x5000, &[7; 24]);
        assert_eq!(image.len(), 40);
        assert_eq!(image[..8], [3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(image[8..16], 0x5010_u64.to_ne_bytes());
    }
}
