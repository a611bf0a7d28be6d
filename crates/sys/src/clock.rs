//! Time, as the kernel counts it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds from 1970 to the machine's boot: what must be added to a process's start time.
pub fn boot_offset() -> u64 {
    let mut boot = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `boot` is a valid, writable timespec; the clock id is a constant of the kernel.
    let rc = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut boot) };
    if rc != 0 {
        return 0;
    }
    let seconds = u64::try_from(boot.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(boot.tv_nsec).unwrap_or(0);
    now().saturating_sub(seconds * 1_000_000_000 + nanos)
}

/// Ticks per second in `/proc/PID/stat`.
pub fn clock_ticks() -> u64 {
    // SAFETY: `sysconf` reads a constant and touches no memory of ours.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100).max(1)
}
