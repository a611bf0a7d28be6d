//! Exit codes. A traced program's own status or signal is always passed on as it is; these are
//! what our programs say for themselves.

/// Everything asked for was done.
pub const SUCCESS: i32 = 0;

/// `patcher`: something failed that no other code names (unreadable file, invalid template).
pub const FAILURE: i32 = 1;

/// `patcher patch --check`: the file would change. Command lines that cannot be understood
/// also end in 2, as users of command-line tools expect.
pub const CHANGE_NEEDED: i32 = 2;

/// Every program: the command line cannot be understood.
pub const USAGE: i32 = 2;

/// `patcher`: an entrypoint is unknown and cannot be looked up; nothing was written.
pub const UNRESOLVED: i32 = 4;

/// `instrument`: refused to start the workload (bad settings, or priority `security` and no
/// tracing), or the request makes no sense.
pub const REFUSED: i32 = 125;

/// `instrument`: the workload's program was found but cannot be executed, as a shell says it.
pub const CANNOT_EXECUTE: i32 = 126;

/// `instrument`: the workload's program was not found, as a shell says it.
pub const NOT_FOUND: i32 = 127;
