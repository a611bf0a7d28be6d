//! Registers of 64-bit ARM.

use std::mem::MaybeUninit;

use nix::errno::Errno;

use super::{AUDIT_AARCH64, Abi};
use crate::Tid;
use crate::ptrace::Call;

pub(super) const ABIS: &[Abi] = &[Abi::Aarch64];

const NT_PRSTATUS: usize = 1;
const NT_ARM_SYSTEM_CALL: usize = 0x404;

/// The general registers of a stopped thread. The number of the call is a register set of its own.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    general: libc::user_regs_struct,
    skipped: bool,
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
            skipped: false,
        })
    }

    /// Writes them back.
    pub fn write(&self, tid: Tid) -> Result<(), Errno> {
        if self.skipped {
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
    /// the number that the program asked for.
    pub fn call(&self) -> Call {
        let mut args = [0; 6];
        args.copy_from_slice(&self.general.regs[..6]);
        let (abi, number) = Abi::of(AUDIT_AARCH64, self.general.regs[8]);
        Call { abi, number, args }
    }

    /// Makes the kernel skip the call that the thread is about to do.
    pub fn skip(&mut self, value: i64) {
        self.skipped = true;
        self.general.regs[0] = value.cast_unsigned();
    }

    /// Sets the value that a call returned.
    pub fn set_result(&mut self, value: i64) {
        self.general.regs[0] = value.cast_unsigned();
    }

    /// Sets an argument.
    pub fn set_argument(&mut self, index: usize, value: u64) {
        if let Some(slot) = self.general.regs[..6].get_mut(index) {
            *slot = value;
        }
    }

    /// Steps back onto the `svc` instruction, to do `call`.
    pub fn call_again(&mut self, call: &Call) {
        self.general.pc = self.general.pc.wrapping_sub(4);
        self.general.regs[8] = u64::from(call.number);
        self.general.regs[..6].copy_from_slice(&call.args);
    }
}
