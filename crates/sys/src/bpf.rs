//! Seccomp programs: instructions, and their installation. What they test is decided elsewhere.

use nix::errno::Errno;

/// One instruction of classic BPF, as the kernel takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    code: u16,
    jump_true: u8,
    jump_false: u8,
    value: u32,
}

/// What a filter answers for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Let it pass.
    Allow,
    /// Fail with this error number.
    Fail(u16),
    /// Stop for the tracer, with these data.
    Trace(u16),
}

/// A complete program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    program: Vec<Instruction>,
}

/// The program cannot be a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// It has no instruction: installing it would watch nothing.
    Empty,
    /// It has more than the 4096 instructions that the kernel takes.
    TooLong(usize),
}

/// The kernel refused the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeccompError {
    /// `PR_SET_NO_NEW_PRIVS` failed.
    NoNewPrivs(Errno),
    /// `PR_SET_SECCOMP` failed.
    Install(Errno),
}

const LOAD_WORD: u16 = code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS);
const AND: u16 = code(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K);
const JUMP: u16 = code(libc::BPF_JMP | libc::BPF_JA);
const JUMP_EQUAL: u16 = code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
const JUMP_GREATER: u16 = code(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K);
const JUMP_AT_LEAST: u16 = code(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K);
const JUMP_ANY_BIT: u16 = code(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K);
const RETURN: u16 = code(libc::BPF_RET | libc::BPF_K);

#[expect(
    clippy::cast_possible_truncation,
    reason = "operation codes have 16 bits; libc types them as its constants"
)]
const fn code(bits: u32) -> u16 {
    bits as u16
}

const MAX_INSTRUCTIONS: usize = 4096;

impl Instruction {
    /// Offset of the call's number in `seccomp_data`.
    pub const NUMBER: u32 = 0;
    /// Offset of the audit architecture.
    pub const ARCH: u32 = 4;

    /// Offset of the low 32 bits of an argument. Both supported machines are little-endian.
    pub const fn argument_low(index: u8) -> u32 {
        16 + 8 * index as u32
    }

    /// Offset of the high 32 bits of an argument.
    pub const fn argument_high(index: u8) -> u32 {
        Self::argument_low(index) + 4
    }

    const fn plain(code: u16, value: u32) -> Self {
        Self {
            code,
            jump_true: 0,
            jump_false: 0,
            value,
        }
    }

    const fn jump(code: u16, value: u32, jump_true: u8, jump_false: u8) -> Self {
        Self {
            code,
            jump_true,
            jump_false,
            value,
        }
    }

    /// Loads the word at an offset of `seccomp_data`.
    pub const fn load(offset: u32) -> Self {
        Self::plain(LOAD_WORD, offset)
    }

    /// Keeps these bits of what was loaded.
    pub const fn and(bits: u32) -> Self {
        Self::plain(AND, bits)
    }

    /// Skips that many instructions.
    pub const fn skip(count: u32) -> Self {
        Self::plain(JUMP, count)
    }

    /// Skips `yes` or `no` instructions: is it equal?
    pub const fn is_equal(value: u32, yes: u8, no: u8) -> Self {
        Self::jump(JUMP_EQUAL, value, yes, no)
    }

    /// Skips `yes` or `no` instructions: is it greater?
    pub const fn is_greater(value: u32, yes: u8, no: u8) -> Self {
        Self::jump(JUMP_GREATER, value, yes, no)
    }

    /// Skips `yes` or `no` instructions: is it at least that?
    pub const fn is_at_least(value: u32, yes: u8, no: u8) -> Self {
        Self::jump(JUMP_AT_LEAST, value, yes, no)
    }

    /// Skips `yes` or `no` instructions: is any of these bits set?
    pub const fn has_any(bits: u32, yes: u8, no: u8) -> Self {
        Self::jump(JUMP_ANY_BIT, bits, yes, no)
    }

    /// Ends the program.
    pub const fn answer(action: Action) -> Self {
        let value = match action {
            Action::Allow => libc::SECCOMP_RET_ALLOW,
            Action::Fail(errno) => libc::SECCOMP_RET_ERRNO | errno as u32,
            Action::Trace(data) => libc::SECCOMP_RET_TRACE | data as u32,
        };
        Self::plain(RETURN, value)
    }
}

impl Filter {
    /// Checks the length; the kernel checks the rest.
    pub fn new(program: Vec<Instruction>) -> Result<Self, FilterError> {
        match program.len() {
            0 => Err(FilterError::Empty),
            len if len > MAX_INSTRUCTIONS => Err(FilterError::TooLong(len)),
            _ => Ok(Self { program }),
        }
    }

    /// The instructions.
    pub fn program(&self) -> &[Instruction] {
        &self.program
    }

    /// The program as it stands in the memory of a process that installs it (`struct sock_filter`).
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |i: &Instruction| {
            let [code_low, code_high] = i.code.to_ne_bytes();
            let [a, b, c, d] = i.value.to_ne_bytes();
            [code_low, code_high, i.jump_true, i.jump_false, a, b, c, d]
        };
        self.program.iter().flat_map(bytes).collect()
    }

    /// Reads what [`Self::to_bytes`] wrote; a rest that is no whole instruction is left out.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FilterError> {
        let (chunks, _) = bytes.as_chunks();
        let instruction =
            |&[code_low, code_high, jump_true, jump_false, a, b, c, d]: &[u8; 8]| Instruction {
                code: u16::from_ne_bytes([code_low, code_high]),
                jump_true,
                jump_false,
                value: u32::from_ne_bytes([a, b, c, d]),
            };
        Self::new(chunks.iter().map(instruction).collect())
    }

    /// Runs the program as the kernel would, on one call: the proof of the compiler in tests.
    pub fn run(&self, audit: u32, number: u32, args: [u64; 6]) -> Action {
        let word = |offset: u32| -> u32 {
            let at = offset as usize;
            match at {
                0 => number,
                4 => audit,
                16..64 if (at - 16).is_multiple_of(8) => (args[(at - 16) / 8] & 0xffff_ffff) as u32,
                16..64 => (args[(at - 16) / 8] >> 32) as u32,
                _ => 0,
            }
        };
        let (mut pc, mut accumulator) = (0, 0_u32);
        while let Some(i) = self.program.get(pc) {
            pc += 1;
            let test = match i.code {
                LOAD_WORD => {
                    accumulator = word(i.value);
                    continue;
                }
                AND => {
                    accumulator &= i.value;
                    continue;
                }
                JUMP => {
                    pc += i.value as usize;
                    continue;
                }
                RETURN => return Action::of(i.value),
                JUMP_EQUAL => accumulator == i.value,
                JUMP_GREATER => accumulator > i.value,
                JUMP_AT_LEAST => accumulator >= i.value,
                _ => accumulator & i.value != 0,
            };
            pc += usize::from(if test { i.jump_true } else { i.jump_false });
        }
        Action::Allow
    }

    /// Puts the filter on the calling thread and all that it will make. Without
    /// `CAP_SYS_ADMIN` the kernel wants `no_new_privs`, which is set in any case, so that the
    /// behaviour does not depend on who starts the container.
    pub fn install(&self) -> Result<(), SeccompError> {
        // SAFETY: this prctl takes flags by value.
        let rc = unsafe {
            libc::prctl(
                libc::PR_SET_NO_NEW_PRIVS,
                1_usize,
                0_usize,
                0_usize,
                0_usize,
            )
        };
        Errno::result(rc).map_err(SeccompError::NoNewPrivs)?;
        let program = libc::sock_fprog {
            len: u16::try_from(self.program.len()).unwrap_or(u16::MAX),
            filter: self.program.as_ptr().cast_mut().cast(),
        };
        // SAFETY: `program` describes `self.program`, whose elements have the layout of
        // `sock_filter` (`repr(C)`, same fields); the kernel copies it.
        let rc = unsafe {
            libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER as usize,
                &raw const program,
                0_usize,
                0_usize,
            )
        };
        Errno::result(rc).map_err(SeccompError::Install).map(drop)
    }
}

impl Action {
    fn of(value: u32) -> Self {
        let data = (value & 0xffff) as u16;
        match value & 0xffff_0000 {
            libc::SECCOMP_RET_TRACE => Self::Trace(data),
            libc::SECCOMP_RET_ERRNO => Self::Fail(data),
            _ => Self::Allow,
        }
    }
}

impl std::fmt::Display for FilterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("the filter is empty"),
            Self::TooLong(len) => write!(
                f,
                "the filter has {len} instructions, the kernel takes 4096"
            ),
        }
    }
}

impl std::error::Error for FilterError {}

impl std::fmt::Display for SeccompError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoNewPrivs(errno) => write!(f, "no_new_privs was refused: {}", errno.desc()),
            Self::Install(errno) => write!(f, "the seccomp filter was refused: {}", errno.desc()),
        }
    }
}

impl std::error::Error for SeccompError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_filter_is_refused() {
        assert_eq!(Filter::new(Vec::new()), Err(FilterError::Empty));
    }

    #[test]
    fn a_filter_is_the_same_after_a_way_as_bytes() {
        let filter = Filter::new(vec![
            Instruction::load(Instruction::NUMBER),
            Instruction::is_equal(0x1234_5678, 3, 7),
            Instruction::answer(Action::Trace(42)),
        ]);
        let bytes = filter.as_ref().unwrap().to_bytes();
        assert_eq!(Filter::from_bytes(&bytes), filter);
        assert_eq!(Filter::from_bytes(&bytes[..7]), Err(FilterError::Empty));
    }

    #[test]
    fn the_interpreter_follows_jumps() {
        let filter = Filter::new(vec![
            Instruction::load(Instruction::NUMBER),
            Instruction::is_equal(7, 0, 1),
            Instruction::answer(Action::Trace(42)),
            Instruction::load(Instruction::argument_high(1)),
            Instruction::has_any(1, 0, 1),
            Instruction::answer(Action::Fail(38)),
            Instruction::answer(Action::Allow),
        ])
        .unwrap();
        assert_eq!(filter.run(0, 7, [0; 6]), Action::Trace(42));
        assert_eq!(filter.run(0, 8, [0; 6]), Action::Allow);
        assert_eq!(filter.run(0, 8, [0, 1 << 32, 0, 0, 0, 0]), Action::Fail(38));
    }

    #[test]
    fn instructions_have_the_layout_of_the_kernel() {
        assert_eq!(size_of::<Instruction>(), size_of::<libc::sock_filter>());
        let ours = Instruction::is_equal(0x0403_0201, 5, 6);
        assert_eq!((ours.code, ours.jump_true, ours.jump_false), (0x15, 5, 6));
    }
}
