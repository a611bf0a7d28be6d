//! All that depends on the machine's architecture: registers, calling conventions, audit numbers.

#[cfg(target_arch = "aarch64")]
#[path = "arch/aarch64.rs"]
mod native;
#[cfg(target_arch = "x86_64")]
#[path = "arch/x86_64.rs"]
mod native;

pub use native::Registers;

/// `AUDIT_ARCH_X86_64`.
pub const AUDIT_X86_64: u32 = 0xc000_003e;
/// `AUDIT_ARCH_I386`.
pub const AUDIT_I386: u32 = 0x4000_0003;
/// `AUDIT_ARCH_AARCH64`.
pub const AUDIT_AARCH64: u32 = 0xc000_00b7;
/// `AUDIT_ARCH_ARM`.
pub const AUDIT_ARM: u32 = 0x4000_0028;

/// The bit that marks a call of the x32 convention.
pub const X32_BIT: u32 = 0x4000_0000;

/// A convention for system calls: which numbers mean what, how wide a pointer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Abi {
    /// 64-bit ARM.
    Aarch64,
    /// `int 0x80`, from 32-bit programs or from 64-bit code that hides.
    I386,
    /// Something that no table of ours knows.
    Other,
    /// 32-bit pointers with 64-bit registers; numbers carry [`X32_BIT`].
    X32,
    /// 64-bit x86.
    X86_64,
}

impl Abi {
    /// The conventions that a program of this machine can call by.
    pub const HERE: &'static [Self] = native::ABIS;

    /// The convention of a call with this audit architecture and number, and the plain number.
    pub fn of(audit: u32, number: u64) -> (Self, u32) {
        // The kernel looks at the low 32 bits only.
        let number = (number & 0xffff_ffff) as u32;
        match audit {
            AUDIT_X86_64 if number & X32_BIT != 0 && number != u32::MAX => {
                (Self::X32, number & !X32_BIT)
            }
            AUDIT_X86_64 => (Self::X86_64, number),
            AUDIT_I386 => (Self::I386, number),
            AUDIT_AARCH64 => (Self::Aarch64, number),
            _ => (Self::Other, number),
        }
    }

    /// The audit architecture under which a filter sees calls of this convention.
    pub const fn audit(self) -> Option<u32> {
        match self {
            Self::Aarch64 => Some(AUDIT_AARCH64),
            Self::I386 => Some(AUDIT_I386),
            Self::Other => None,
            Self::X32 | Self::X86_64 => Some(AUDIT_X86_64),
        }
    }

    /// `O_DIRECTORY`, which is another bit on each architecture (`asm/fcntl.h`).
    pub const fn directory_bit(self) -> u32 {
        match self {
            Self::Aarch64 => 0o40_000,
            Self::I386 | Self::Other | Self::X32 | Self::X86_64 => 0o200_000,
        }
    }

    /// Bytes of a pointer.
    pub const fn pointer_width(self) -> usize {
        match self {
            Self::Aarch64 | Self::Other | Self::X86_64 => 8,
            Self::I386 | Self::X32 => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x32_is_told_by_its_bit() {
        assert_eq!(Abi::of(AUDIT_X86_64, 257), (Abi::X86_64, 257));
        assert_eq!(Abi::of(AUDIT_X86_64, 0x4000_0101), (Abi::X32, 257));
        assert_eq!(Abi::of(AUDIT_I386, 11), (Abi::I386, 11));
        assert_eq!(Abi::of(AUDIT_AARCH64, 56), (Abi::Aarch64, 56));
        assert_eq!(Abi::of(AUDIT_ARM, 5), (Abi::Other, 5));
    }

    #[test]
    fn a_skipped_call_is_not_x32() {
        assert_eq!(Abi::of(AUDIT_X86_64, u64::MAX), (Abi::X86_64, u32::MAX));
    }
}
