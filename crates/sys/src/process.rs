//! Making the tracer's process, and turning this one into the workload.

use std::ffi::{CStr, CString};
use std::os::fd::RawFd;

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, sigaction};

use crate::{Pid, Signal, Tid};

/// Which of the two processes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The new one.
    Child,
    /// The old one, with the pid of the new one.
    Parent(Pid),
}

/// While it lives, signals to the calling thread wait, but for SIGKILL and SIGSTOP.
///
/// A traced thread stops for each signal that reaches it, and for none that waits.
#[derive(Debug)]
#[must_use = "signals come through again when this is dropped"]
pub struct Hush(SigSet);

impl Hush {
    /// Lets signals wait from here on.
    pub fn signals() -> Result<Self, Errno> {
        SigSet::all()
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map(Self)
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        // A mask that the kernel gave us is one that it takes.
        let restored = self.0.thread_set_mask();
        debug_assert!(restored.is_ok());
    }
}

/// Whether a signal went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It did.
    Yes,
    /// There is no such process.
    Gone,
}

/// Forks a child with exit signal 0: the parent's `wait*()` do not see it unless they ask for it
/// with `__WCLONE` or `__WALL`, and its end sends no signal.
///
/// Must be called while the process has one thread.
pub fn fork_unseen() -> Result<Fork, Errno> {
    // SAFETY: without CLONE_VM the child has its own copy of all memory and goes on at the same
    // place on its own stack, as after `fork`; with one thread no lock is held by anybody else.
    let rc = unsafe { libc::syscall(libc::SYS_clone, 0_usize, 0_usize, 0_usize, 0_usize, 0_usize) };
    match rc {
        -1 => Err(Errno::last()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(Pid(i32::try_from(pid).unwrap_or(i32::MAX)))),
    }
}

/// Tells Yama that `tracer` may trace this process. Without Yama there is nobody to tell.
pub fn allow_tracer(tracer: Pid) {
    let pid = usize::try_from(tracer.0).unwrap_or(0);
    // SAFETY: this prctl takes a pid by value. A kernel without Yama answers EINVAL, which is fine.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, pid, 0_usize, 0_usize, 0_usize) };
}

/// Leaves the process group of the workload, so that no terminal and no `kill(0)` reaches this
/// process, turns a deaf ear to signals that would end it, and closes `/proc/self` to everyone
/// without privileges.
///
/// The session stays the same: where the kernel groups sessions for scheduling
/// (`CONFIG_SCHED_AUTOGROUP`), a tracer in a session of its own doubles the price of a stop on a
/// busy machine.
pub fn become_invisible() -> Result<(), Errno> {
    nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0))?;
    for signal in DEAF_TO {
        // SAFETY: ignoring a signal installs no code of ours.
        unsafe { nix::sys::signal::signal(*signal, SigHandler::SigIgn) }?;
    }
    // SAFETY: this prctl takes a flag by value.
    let rc = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0_usize, 0_usize, 0_usize, 0_usize) };
    Errno::result(rc).map(drop)
}

/// Signals that would end or stop a process which has no handler. It ends with the workload.
const DEAF_TO: &[nix::sys::signal::Signal] = &[
    nix::sys::signal::SIGALRM,
    nix::sys::signal::SIGHUP,
    nix::sys::signal::SIGINT,
    nix::sys::signal::SIGPIPE,
    nix::sys::signal::SIGQUIT,
    nix::sys::signal::SIGTERM,
    nix::sys::signal::SIGTSTP,
    nix::sys::signal::SIGTTIN,
    nix::sys::signal::SIGTTOU,
    nix::sys::signal::SIGUSR2,
];

/// Closes every descriptor but these.
pub fn close_all_but(keep: &[RawFd]) -> Result<(), Errno> {
    let mut keep: Vec<RawFd> = keep.to_vec();
    keep.sort_unstable();
    let mut first: RawFd = 0;
    for fd in keep {
        if fd > first {
            close_range(first, fd - 1)?;
        }
        first = first.max(fd + 1);
    }
    close_range(first, RawFd::MAX)
}

/// Puts `/dev/null` on the standard descriptors, so that nothing that is opened later is taken for
/// one of them.
pub fn null_standard_descriptors() -> Result<(), Errno> {
    for fd in 0..3 {
        // SAFETY: opening takes a constant path; the lowest free number is given, which is `fd`
        // because all lower ones are taken.
        let mut rc = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        if rc == -1 {
            // An image without devices: an empty file in memory serves as well.
            // SAFETY: the name is a constant string, the flags are none.
            rc = unsafe { libc::memfd_create(c"null".as_ptr(), 0) };
        }
        if Errno::result(rc)? > fd {
            // SAFETY: the descriptor was just made, and nobody else knows it.
            unsafe { libc::close(rc) };
        }
    }
    Ok(())
}

/// Waits for the end of a child made by [`fork_unseen`]. Left alone it would become a zombie that
/// nobody sees, and its end a SIGCHLD once this process has executed another program.
pub fn reap_unseen(child: Pid) {
    loop {
        // SAFETY: a null status is allowed; nothing else of ours is touched.
        let rc = unsafe { libc::waitpid(child.0, std::ptr::null_mut(), libc::__WALL) };
        if rc != -1 || Errno::last() != Errno::EINTR {
            return;
        }
    }
}

fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: the caller gives up every descriptor outside of its list; nothing that owns one of
    // them is used afterwards, because the tracer's own descriptors are all in the list.
    let rc = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    match Errno::result(rc) {
        // Profiles older than the call refuse it with EPERM.
        Err(Errno::ENOSYS | Errno::EPERM) => {
            for fd in first..last.min(4096) {
                // SAFETY: as above.
                unsafe { libc::close(fd) };
            }
            Ok(())
        }
        other => other.map(drop),
    }
}

/// Becomes another program. Returns only with the reason why not.
pub fn execute(path: &CStr, argv: &[CString], env: &[CString]) -> Errno {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings
            .iter()
            .map(|s| s.as_ptr())
            .chain([std::ptr::null()])
            .collect()
    };
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: both arrays end with a null pointer, and the strings outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    Errno::last()
}

/// The environment as it was given: order, duplicates and odd entries included.
///
/// Must be called while the process has one thread.
pub fn raw_environment() -> Vec<CString> {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    let mut strings = Vec::new();
    // SAFETY: reading the pointer itself; with one thread nobody changes it.
    let mut entry = unsafe { environ };
    if entry.is_null() {
        return strings;
    }
    loop {
        // SAFETY: the array ends with a null pointer, at which the loop ends.
        let string = unsafe { *entry };
        if string.is_null() {
            return strings;
        }
        // SAFETY: entries of the environment are NUL-terminated strings.
        strings.push(unsafe { CStr::from_ptr(string) }.to_owned());
        // SAFETY: this entry was not the null pointer, so that another follows.
        entry = unsafe { entry.add(1) };
    }
}

/// Overwrites the value of an environment variable where the kernel shows it
/// (`/proc/self/environ`), for this process and all that it forks.
///
/// Must be called while the process has one thread.
pub fn forget_variable(name: &CStr) {
    // SAFETY: with one thread nobody changes the environment while it is searched.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return;
    }
    // SAFETY: `getenv` returned a NUL-terminated string inside of the environment block.
    let len = unsafe { libc::strlen(value) };
    // SAFETY: the block is writable memory of this process, and `len` bytes belong to the value.
    unsafe { std::ptr::write_bytes(value, b'*', len) };
}

/// Overwrites the arguments of this process where the kernel shows them (`/proc/self/cmdline`), cut
/// to the room that they have. Without `/proc` nobody reads them either, and they stay.
///
/// Must be called while the process has one thread and nobody holds a part of them.
pub fn show_as(title: &str) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Some((start, end)) = argument_area(&stat).filter(|(start, end)| start < end) else {
        return;
    };
    let (room, title) = (end - start, title.as_bytes());
    let length = title.len().min(room - 1);
    let area = std::ptr::with_exposed_provenance_mut::<u8>(start);
    // SAFETY: the kernel says that the area from `start` to `end` is where it put the arguments:
    // writable memory of this process's first stack, which lives as long as the process, and which
    // nobody else uses now.
    let area = unsafe { std::slice::from_raw_parts_mut(area, room) };
    area.fill(0);
    area[..length].copy_from_slice(&title[..length]);
}

/// `arg_start` and `arg_end`, the 48th and 49th field of `/proc/PID/stat` (proc(5)). The second may
/// contain anything, parentheses too.
fn argument_area(stat: &str) -> Option<(usize, usize)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(48 - 3);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

extern "C" fn woken(_: libc::c_int) {}

/// Installs a handler that does nothing but interrupt a blocked wait with `EINTR`.
pub fn on_wake() -> Result<(), Errno> {
    let action = SigAction::new(
        SigHandler::Handler(woken),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler touches nothing, so that it is safe at any point.
    unsafe { sigaction(nix::sys::signal::SIGUSR1, &action) }?;
    // Every stop of a traced thread would send SIGCHLD, only to be ignored.
    let quiet = SigAction::new(SigHandler::SigDfl, SaFlags::SA_NOCLDSTOP, SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    unsafe { sigaction(nix::sys::signal::SIGCHLD, &quiet) }.map(drop)
}

/// Interrupts a blocked wait of a thread of this process.
pub fn wake_thread(thread: Tid) -> Result<Sent, Errno> {
    // SAFETY: `tgkill` takes numbers by value.
    let rc = unsafe { libc::syscall(libc::SYS_tgkill, Pid::this().0, thread.0, libc::SIGUSR1) };
    sent(Errno::result(rc).map(drop))
}

/// Whether a thread belongs to that process, whatever rights we have on it.
pub fn is_thread_of(thread: Tid, process: Pid) -> bool {
    // SAFETY: `tgkill` takes numbers by value; signal 0 is never delivered.
    let rc = unsafe { libc::syscall(libc::SYS_tgkill, process.0, thread.0, 0) };
    Errno::result(rc).map(drop) != Err(Errno::ESRCH)
}

/// Sends a signal to a process.
pub fn send_signal(pid: Pid, signal: Signal) -> Result<Sent, Errno> {
    // SAFETY: `kill` takes numbers by value.
    let rc = unsafe { libc::kill(pid.0, signal.0) };
    sent(Errno::result(rc).map(drop))
}

fn sent(result: Result<(), Errno>) -> Result<Sent, Errno> {
    match result {
        Ok(()) => Ok(Sent::Yes),
        Err(Errno::ESRCH) => Ok(Sent::Gone),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_wait_and_the_mask_comes_back() {
        let of_thread = || SigSet::thread_get_mask().unwrap();
        let mut before = of_thread();
        before.add(nix::sys::signal::SIGWINCH);
        before.thread_set_mask().unwrap();
        let hush = Hush::signals().unwrap();
        assert!(of_thread().contains(nix::sys::signal::SIGTERM));
        drop(hush);
        assert_eq!(of_thread(), before);
    }

    #[test]
    fn the_arguments_are_found() {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let (start, end) = argument_area(&stat).unwrap();
        let shown = std::fs::read("/proc/self/cmdline").unwrap();
        assert_eq!(end - start, shown.len());
        assert_eq!(argument_area("1 (a) b) S 1 2"), None);
    }

    #[test]
    fn a_thread_belongs_to_its_process_alone() {
        let thread = std::thread::spawn(|| is_thread_of(Tid::this(), Pid::this()));
        assert!(thread.join().unwrap());
        assert!(is_thread_of(Tid(1), Pid(1)));
        assert!(!is_thread_of(Tid::this(), Pid(1)));
    }
}
