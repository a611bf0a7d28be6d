//! The ways in which a workload is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::libc;

use e2e::config;
use e2e::target::{self, Linkage};

/// The calls that the bare tracer and `strace` stop at: what the upstream rules need to see, but for
/// those that only stop after a look at their arguments (`dup2`, `sendto`, `clone`, `kill`, …).
const CALLS: &[(&str, libc::c_long)] = &[
    ("accept", libc::SYS_accept),
    ("accept4", libc::SYS_accept4),
    ("bind", libc::SYS_bind),
    ("bpf", libc::SYS_bpf),
    ("capset", libc::SYS_capset),
    ("chroot", libc::SYS_chroot),
    ("connect", libc::SYS_connect),
    ("execve", libc::SYS_execve),
    ("execveat", libc::SYS_execveat),
    ("fchmod", libc::SYS_fchmod),
    ("fchmodat", libc::SYS_fchmodat),
    ("fchown", libc::SYS_fchown),
    ("fchownat", libc::SYS_fchownat),
    ("finit_module", libc::SYS_finit_module),
    ("init_module", libc::SYS_init_module),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("linkat", libc::SYS_linkat),
    ("listen", libc::SYS_listen),
    ("memfd_create", libc::SYS_memfd_create),
    ("mkdirat", libc::SYS_mkdirat),
    ("mount", libc::SYS_mount),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("openat", libc::SYS_openat),
    ("openat2", libc::SYS_openat2),
    ("pivot_root", libc::SYS_pivot_root),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("ptrace", libc::SYS_ptrace),
    ("renameat2", libc::SYS_renameat2),
    ("seccomp", libc::SYS_seccomp),
    ("setns", libc::SYS_setns),
    ("setresgid", libc::SYS_setresgid),
    ("setresuid", libc::SYS_setresuid),
    ("setsid", libc::SYS_setsid),
    ("setuid", libc::SYS_setuid),
    ("symlinkat", libc::SYS_symlinkat),
    ("umount2", libc::SYS_umount2),
    ("unlinkat", libc::SYS_unlinkat),
    ("unshare", libc::SYS_unshare),
    ("userfaultfd", libc::SYS_userfaultfd),
];

/// Calls that only the older machines have.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[(&str, libc::c_long)] = &[
    ("chmod", libc::SYS_chmod),
    ("chown", libc::SYS_chown),
    ("creat", libc::SYS_creat),
    ("link", libc::SYS_link),
    ("mkdir", libc::SYS_mkdir),
    ("open", libc::SYS_open),
    ("rename", libc::SYS_rename),
    ("rmdir", libc::SYS_rmdir),
    ("symlink", libc::SYS_symlink),
    ("unlink", libc::SYS_unlink),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_CALLS: &[(&str, libc::c_long)] = &[];

/// A way to start a workload.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Its name in tables and pictures.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: String,
    /// The words before the workload's own.
    pub(crate) prefix: Vec<OsString>,
}

impl Variant {
    /// Whether it is what we measure, and not a yardstick.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("instrument")
    }
}

/// Every way that this machine has, native first, and why another one is missing.
pub(crate) fn all(instrument: &Path, alerts: &Path) -> Result<(Vec<Variant>, Vec<String>), String> {
    let floor = target::build("floor", Linkage::Static).map_err(|error| error.to_string())?;
    let calls = || CALLS.iter().chain(OLD_CALLS);
    let numbers = joined(calls().map(|(_, number)| number.to_string()));
    let names = joined(calls().map(|(name, _)| (*name).to_owned()));
    let count = calls().count();
    let mut variants = vec![
        variant("native", "nothing in between", Vec::new()),
        variant(
            "floor",
            &format!("a bare tracer in C: {count} calls, entry stops, nothing read"),
            vec![floor.clone().into(), numbers.clone().into(), "bare".into()],
        ),
        variant(
            "floor+read",
            "the same with the call and its path read, the least that any tracer must do",
            vec![floor.into(), numbers.into(), "read".into()],
        ),
        variant(
            "instrument",
            "default rules",
            words(instrument, alerts, None),
        ),
    ];
    let mut missing = Vec::new();
    match rules() {
        Some(list) => variants.push(variant(
            "instrument+all",
            "all upstream rules",
            words(instrument, alerts, Some(&list)),
        )),
        None => {
            missing.push("instrument+all: FALCO_RULES_DIR names no directory with rules".into());
        }
    }
    match config::find_program("strace") {
        Some(strace) => variants.push(variant(
            "strace",
            "strace -f --seccomp-bpf of the same calls",
            vec![
                strace.into(),
                "-f".into(),
                "--seccomp-bpf".into(),
                "-o/dev/null".into(),
                format!("-etrace={names}").into(),
            ],
        )),
        None => missing.push("strace: not installed".into()),
    }
    Ok((variants, missing))
}

fn variant(name: &'static str, about: &str, prefix: Vec<OsString>) -> Variant {
    Variant {
        name,
        about: about.to_owned(),
        prefix,
    }
}

fn words(instrument: &Path, alerts: &Path, rules: Option<&str>) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![instrument.into(), "--output".into(), alerts.into()];
    if let Some(rules) = rules {
        words.extend(["--rules".into(), rules.into()]);
    }
    words.push("--".into());
    words
}

/// The upstream rule files, in the order in which they build on each other.
fn rules() -> Option<String> {
    let directory = config::falco_rules()?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    // The stable rules come first: the other files use their macros.
    files.sort_by_key(|path| (!path.ends_with("falco_rules.yaml"), path.clone()));
    (!files.is_empty()).then(|| joined(files.iter().map(|path| path.display().to_string())))
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(",")
}
