//! The one table of system calls: the filter, the decoder and `docs/syscalls.md` derive from it.
//!
//! A row is a call by all its numbers, with its arguments under the names that rules use, the test
//! that the filter makes before it stops anybody, and the reason why it is watched.

mod files;
mod guard;
mod identity;
mod network;
mod page;
mod program;

use event::EventType;
use sys::Abi;

pub use page::page;

/// Every row, in a fixed order: the index is what the filter hands to the tracer.
pub static ROWS: &[&[Row]] = &[
    program::ROWS,
    files::ROWS,
    network::ROWS,
    identity::ROWS,
    guard::ROWS,
];

/// One system call.
#[derive(Debug)]
pub struct Row {
    /// The kernel's name.
    pub call: &'static str,
    /// The event that it makes; `None` for calls that are only guarded.
    pub event: Option<EventType>,
    /// Its numbers.
    pub numbers: Numbers,
    /// Its arguments, under Falco's names and in Falco's order.
    pub params: &'static [Param],
    /// What the descriptor of the event is.
    pub fd: FdOf,
    /// When it is worth a stop, provided that the event is asked for.
    pub when: Test,
    /// When it must stop whatever is asked for.
    pub guard: Guard,
    /// Whether rules can depend on its result, so that an exit stop may be asked for.
    pub result: bool,
    /// Why it is watched.
    pub why: &'static str,
}

/// The numbers of a call; x32 has the number of x86-64 unless it says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    x86_64: Option<u32>,
    x32: Option<u32>,
    i386: &'static [u32],
    aarch64: Option<u32>,
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The name in `evt.arg.NAME`.
    pub name: &'static str,
    /// Where it comes from and what it is.
    pub kind: Kind,
}

/// Where an argument comes from and what it is. Numbers are argument registers, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A socket address; its length is in the next register.
    Address(u8),
    /// A socket address inside of a `msghdr`.
    MessageAddress(u8),
    /// A named constant.
    Enum(u8),
    /// A descriptor.
    Fd(u8),
    /// Named bits.
    Flags(u8),
    /// A group id.
    Gid(u8),
    /// `flags` of the `open_how` structure.
    HowFlags(u8),
    /// `mode` of the `open_how` structure.
    HowMode(u8),
    /// `resolve` of the `open_how` structure.
    HowResolve(u8),
    /// A signed 32-bit number.
    Int(u8),
    /// Permission bits.
    Mode(u8),
    /// A path, relative to the working directory.
    Path(u8),
    /// A path, relative to the directory descriptor in the first register named.
    PathAt(u8, u8),
    /// A process id.
    Pid(u8),
    /// The result: the descriptor that the call makes.
    Result,
    /// A string that is not looked up.
    Text(u8),
    /// A user id.
    Uid(u8),
    /// An unsigned number.
    Uint(u8),
    /// An array of strings.
    Vector(u8),
}

/// What the descriptor of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdOf {
    /// The call makes one for an incoming connection.
    Accepted,
    /// An existing one.
    Argument(u8),
    /// An existing socket, and the address that it will be tied to or talk to.
    ArgumentTo(u8, Kind),
    /// The call makes another descriptor for what this one refers to.
    Duplicated(u8),
    /// It is about none.
    Nothing,
    /// The call makes one for the file that its path names.
    Opened,
    /// The call makes one for something without a path.
    Made(Made),
}

/// What a call makes that has no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A file in memory.
    Memfd,
    /// A socket of the domain in the first register.
    Socket,
    /// Something else.
    Other,
}

/// A test that the filter makes on argument registers: any of these groups, all conditions of it.
/// No group at all is always true.
pub type Test = &'static [&'static [Condition]];

/// A condition on one argument register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Any of these bits is set (low 32 bits).
    AnyBit(u8, u32),
    /// It is at most that (low 32 bits, unsigned).
    AtMost(u8, u32),
    /// It is that (low 32 bits: pids and descriptors are ints).
    Is(u8, u32),
    /// None of these bits is set (low 32 bits).
    NoBit(u8, u32),
    /// It is not zero: a pointer that points somewhere.
    NonNull(u8),
}

/// When a call must stop whatever rules ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Each time.
    Always,
    /// When one of these bits is set.
    AnyBit(u8, u32),
    /// When either register names the tracer.
    EitherTracer(u8, u8),
    /// Never.
    Never,
    /// When the register holds one of these.
    OneOf(u8, &'static [u32]),
    /// When the register names the tracer.
    Tracer(u8),
    /// When the register names the tracer, its group, or everybody.
    TracerOrAll(u8),
    /// When the register names the tracer, or the first one says with this number that the call is
    /// about all processes of a user.
    TracerOrUser(u8, u32),
}

impl Numbers {
    const fn new(x86_64: Option<u32>, i386: &'static [u32], aarch64: Option<u32>) -> Self {
        Self {
            x86_64,
            x32: x86_64,
            i386,
            aarch64,
        }
    }

    /// x32 has a number of its own where structures hold pointers.
    const fn x32(mut self, number: u32) -> Self {
        self.x32 = Some(number);
        self
    }

    /// The numbers under a convention.
    pub fn under(self, abi: Abi) -> impl Iterator<Item = u32> {
        let (one, many): (Option<u32>, &'static [u32]) = match abi {
            Abi::Aarch64 => (self.aarch64, &[]),
            Abi::I386 => (None, self.i386),
            Abi::Other => (None, &[]),
            Abi::X32 => (self.x32, &[]),
            Abi::X86_64 => (self.x86_64, &[]),
        };
        one.into_iter().chain(many.iter().copied())
    }
}

impl Row {
    const fn new(call: &'static str, numbers: Numbers) -> Self {
        Self {
            call,
            event: None,
            numbers,
            params: &[],
            fd: FdOf::Nothing,
            when: &[],
            guard: Guard::Never,
            result: false,
            why: "",
        }
    }

    const fn event(mut self, event: EventType) -> Self {
        self.event = Some(event);
        self
    }

    const fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    const fn fd(mut self, fd: FdOf) -> Self {
        self.fd = fd;
        self
    }

    const fn when(mut self, when: Test) -> Self {
        self.when = when;
        self
    }

    const fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    const fn result(mut self) -> Self {
        self.result = true;
        self
    }

    const fn why(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }
}

const fn p(name: &'static str, kind: Kind) -> Param {
    Param { name, kind }
}

/// Numbers of x86-64, i386 (several where a call exists with old and new ids) and aarch64.
const fn n(x86_64: u32, i386: &'static [u32], aarch64: u32) -> Numbers {
    Numbers::new(Some(x86_64), i386, Some(aarch64))
}

/// Numbers of a call that aarch64 never had.
const fn old(x86_64: u32, i386: &'static [u32]) -> Numbers {
    Numbers::new(Some(x86_64), i386, None)
}

/// All rows, with their index.
pub fn rows() -> impl Iterator<Item = (u16, &'static Row)> {
    (0..).zip(ROWS.iter().copied().flatten())
}

/// The row with an index, as the filter handed it over.
pub fn row(index: u16) -> Option<&'static Row> {
    let mut index = usize::from(index);
    for group in ROWS {
        match group.get(index) {
            Some(row) => return Some(row),
            None => index -= group.len(),
        }
    }
    None
}

/// From convention and number to rows: for threads that stop at every call.
#[derive(Debug)]
pub struct ByNumber {
    sorted: Vec<((Abi, u32), &'static Row)>,
}

impl Default for ByNumber {
    fn default() -> Self {
        let mut sorted: Vec<_> = rows()
            .flat_map(|(_, row)| {
                Abi::HERE.iter().flat_map(move |abi| {
                    row.numbers
                        .under(*abi)
                        .map(move |number| ((*abi, number), row))
                })
            })
            .collect();
        sorted.sort_by_key(|(key, _)| *key);
        Self { sorted }
    }
}

impl ByNumber {
    /// The row of a call by its name.
    pub fn named(&self, call: &str) -> Option<&'static Row> {
        let (_, row) = self.sorted.iter().find(|(_, row)| row.call == call)?;
        Some(row)
    }

    /// The row of a call.
    pub fn get(&self, abi: Abi, number: u32) -> Option<&'static Row> {
        let at = self
            .sorted
            .binary_search_by_key(&(abi, number), |(key, _)| *key);
        at.ok()
            .and_then(|at| self.sorted.get(at))
            .map(|(_, row)| *row)
    }
}

#[cfg(test)]
mod tests;
