//! Registers of 64-bit ARM.
//!
//! What differs from other machines (`arch/arm64/kernel/ptrace.c`, `syscall.c`): the number of the
//! call is a register set of its own, `NT_ARM_SYSTEM_CALL`; x0 is the first argument and then the
//! result, so that arguments have to be noted at the entry; x7 tells entry from exit and cannot be
//! written at either. Threads of 32-bit programs show other, smaller registers.

use std::mem::MaybeUninit;

use nix::errno::Errno;

use super::{AUDIT_AARCH64, AUDIT_ARM, Abi};
use crate::Tid;
use crate::ptrace::Call;

pub(super) const ABIS: &[Abi] = &[Abi::Aarch64];

const NT_PRSTATUS: usize = 1;
const NT_ARM_SYSTEM_CALL: usize = 0x404;

/// The general registers of a stopped thread.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    general: libc::user_regs_struct,
    /// A 32-bit program: the kernel showed registers that are not these.
    is_32: bool,
    /// The number becomes "no call": one that was to begin does not, and one that has ended is not
    /// taken for one to restart.
    forgets_call: bool,
}

impl Registers {
    /// Reads them.
    pub fn read(tid: Tid) -> Result<Self, Errno> {
        let mut general = MaybeUninit::<libc::user_regs_struct>::zeroed();
        let mut iov = libc::iovec {
            iov_base: general.as_mut_ptr().cast(),
            iov_len: size_of::<libc::user_regs_struct>(),
        };
        // SAFETY: `iov` describes `general`, into which the kernel writes at most its length.
        let rc = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, tid.0, NT_PRSTATUS, &raw mut iov) };
        Errno::result(rc)?;
        Ok(Self {
            // SAFETY: zeroed integers, over which the kernel wrote integers.
            general: unsafe { general.assume_init() },
            is_32: iov.iov_len != size_of::<libc::user_regs_struct>(),
            forgets_call: false,
        })
    }

    /// Writes them back. Those of 32-bit programs are left as they are: `EOPNOTSUPP`.
    pub fn write(&self, tid: Tid) -> Result<(), Errno> {
        if self.is_32 {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.forgets_call {
            let number: i32 = -1;
            let iov = libc::iovec {
                iov_base: (&raw const number).cast_mut().cast(),
                iov_len: size_of::<i32>(),
            };
            // SAFETY: the kernel reads the four bytes of `number`.
            let rc = unsafe {
                libc::ptrace(
                    libc::PTRACE_SETREGSET,
                    tid.0,
                    NT_ARM_SYSTEM_CALL,
                    &raw const iov,
                )
            };
            Errno::result(rc)?;
        }
        let iov = libc::iovec {
            iov_base: (&raw const self.general).cast_mut().cast(),
            iov_len: size_of::<libc::user_regs_struct>(),
        };
        // SAFETY: the kernel reads the general registers that `iov` describes.
        let rc =
            unsafe { libc::ptrace(libc::PTRACE_SETREGSET, tid.0, NT_PRSTATUS, &raw const iov) };
        Errno::result(rc).map(drop)
    }

    /// The call that the thread is in. Inside of a call x0 still holds the first argument, and x8
    /// the number that the program asked for. Nothing is known of the calls of 32-bit programs.
    pub fn call(&self) -> Call {
        let mut args = [0; 6];
        if self.is_32 {
            let (abi, number) = Abi::of(AUDIT_ARM, u64::MAX);
            return Call { abi, number, args };
        }
        args.copy_from_slice(&self.general.regs[..6]);
        let (abi, number) = Abi::of(AUDIT_AARCH64, self.general.regs[8]);
        Call { abi, number, args }
    }

    /// Makes the kernel skip the call that the thread is about to do.
    pub fn skip(&mut self, value: i64) {
        self.forgets_call = true;
        self.general.regs[0] = value.cast_unsigned();
    }

    /// What a program sees after `call`: its own registers, and the result.
    pub fn leave_call(&mut self, call: &Call, value: i64) {
        self.general.regs[8] = u64::from(call.number);
        self.set_arguments(call);
        self.general.regs[0] = value.cast_unsigned();
    }

    /// Sets the arguments.
    pub fn set_arguments(&mut self, call: &Call) {
        self.general.regs[..6].copy_from_slice(&call.args);
    }

    /// Steps back onto the `svc` instruction, to do `call`. Its first argument stands where the
    /// kernel looks for an order to restart, hence the forgetting.
    pub fn call_again(&mut self, call: &Call) {
        self.forgets_call = true;
        self.general.pc = self.general.pc.wrapping_sub(4);
        self.general.regs[8] = u64::from(call.number);
        self.set_arguments(call);
    }
}
