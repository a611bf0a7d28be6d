//! Runs one command twice, as it is and under `instrument`, and compares all that the outside sees.
//!
//! What is compared: the exit code or the signal with its core flag, every byte of standard output
//! and standard error, and that the run ends at all. The pid that the kernel gave is the only thing
//! replaced in the output. Where a tracer is known to be visible, a case says so with both texts,
//! and fails when either changes.

#[expect(clippy::panic, reason = "a case that fails ends its test")]
mod case;
mod outcome;
#[expect(clippy::panic, reason = "a run that cannot be made ends its test")]
mod run;

pub use case::{Case, Mode, Visible, case, instrument, program, skip};
pub use outcome::{End, Outcome};
pub use run::{Input, Run, without_pid};

/// Makes one test per case and mode, so that each can be run, skipped and seen by its name.
#[macro_export]
macro_rules! parity {
    ($($(#[$about:meta])* $name:ident: $case:expr;)*) => {
        mod seccomp {
            use super::*;
            $($(#[$about])* #[test] fn $name() {
                $case.check(stringify!($name), $crate::parity::Mode::Seccomp);
            })*
        }
        mod full {
            use super::*;
            $($(#[$about])* #[test] fn $name() {
                $case.check(stringify!($name), $crate::parity::Mode::Full);
            })*
        }
    };
}
