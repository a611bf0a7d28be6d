//! Registers of x86-64, in the 64-bit layout whatever the traced program is.

use std::mem::MaybeUninit;

use nix::errno::Errno;

use super::{AUDIT_I386, AUDIT_X86_64, Abi};
use crate::Tid;
use crate::ptrace::Call;

pub(super) const ABIS: &[Abi] = &[Abi::X86_64, Abi::X32, Abi::I386];

/// Segment selectors of 64-bit and 32-bit user code.
const USER_CS_32: u64 = 0x23;

const NR_I386_CLONE: u64 = 120;
const NR_I386_FORK: u64 = 2;
const NR_I386_VFORK: u64 = 190;

/// The general registers of a stopped thread.
#[derive(Clone, Copy, Debug)]
pub struct Registers(libc::user_regs_struct);

impl Registers {
    /// Reads them.
    pub fn read(tid: Tid) -> Result<Self, Errno> {
        let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
        // SAFETY: PTRACE_GETREGS writes one `user_regs_struct`, for which there is room.
        let rc =
            unsafe { libc::ptrace(libc::PTRACE_GETREGS, tid.0, 0_usize, registers.as_mut_ptr()) };
        Errno::result(rc)?;
        // SAFETY: the kernel filled the structure, which holds integers only.
        Ok(Self(unsafe { registers.assume_init() }))
    }

    /// Writes them back.
    pub fn write(&self, tid: Tid) -> Result<(), Errno> {
        // SAFETY: PTRACE_SETREGS reads one `user_regs_struct`.
        let rc = unsafe { libc::ptrace(libc::PTRACE_SETREGS, tid.0, 0_usize, &raw const self.0) };
        Errno::result(rc).map(drop)
    }

    /// The call that the thread is in. A 64-bit program inside `int 0x80` looks like one that is
    /// not, so the numbers that make processes are told apart by themselves: on the 64-bit side
    /// they make none.
    pub fn call(&self) -> Call {
        let r = &self.0;
        let hidden = matches!(
            r.orig_rax & 0xffff_ffff,
            NR_I386_CLONE | NR_I386_FORK | NR_I386_VFORK
        );
        let (audit, args) = if r.cs == USER_CS_32 || hidden {
            (AUDIT_I386, [r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp])
        } else {
            (AUDIT_X86_64, [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9])
        };
        let (abi, number) = Abi::of(audit, r.orig_rax);
        Call { abi, number, args }
    }

    /// Makes the kernel skip the call that the thread is about to do.
    pub fn skip(&mut self, value: i64) {
        self.0.orig_rax = u64::MAX;
        self.0.rax = value.cast_unsigned();
    }

    /// What a program sees after `call`: its own registers, and the result.
    pub fn leave_call(&mut self, call: &Call, value: i64) {
        self.set_arguments(call);
        self.0.rax = value.cast_unsigned();
    }

    /// Steps back onto the two bytes of `syscall` or `int 0x80`, to do `call`.
    pub fn call_again(&mut self, call: &Call) {
        self.0.rip = self.0.rip.wrapping_sub(2);
        self.0.rax = u64::from(call.number);
        self.set_arguments(call);
    }

    /// Sets the arguments where the call's convention has them. A 64-bit program that calls by
    /// `int 0x80` keeps the upper halves, which the kernel does not look at.
    pub fn set_arguments(&mut self, call: &Call) {
        let r = &mut self.0;
        if call.abi != Abi::I386 {
            [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9] = call.args;
            return;
        }
        let slots = [
            &mut r.rbx, &mut r.rcx, &mut r.rdx, &mut r.rsi, &mut r.rdi, &mut r.rbp,
        ];
        for (slot, value) in slots.into_iter().zip(call.args) {
            *slot = *slot & !0xffff_ffff | value & 0xffff_ffff;
        }
    }
}
