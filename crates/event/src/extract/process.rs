//! `proc.*` and `thread.*`: who acts, and on whose behalf.

use super::arguments::push_joined;
use super::{
    Lookup, Scratch, flag, index, int, key, maybe_int, maybe_text, maybe_uint, text, uint,
};
use crate::names::push_capabilities;
use crate::{Facts, Field, FieldId, ProcessFacts};

/// Shells, for `proc.loginshellid`.
const SHELLS: &[&[u8]] = &[
    b"ash", b"bash", b"csh", b"dash", b"fish", b"ksh", b"sh", b"tcsh", b"zsh",
];

#[expect(
    clippy::too_many_lines,
    reason = "one arm per field reads best in one place"
)]
pub(super) fn extract<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    use FieldId as F;
    let generation = match field.id {
        F::ProcAcmdline | F::ProcAexe | F::ProcAexepath | F::ProcAname | F::ProcApid => {
            match index(field) {
                Some(generation) => generation,
                // Without a number the field stands for every ancestor; see `any_ancestor`. Shown
                // in an output it is the chain, nearest first.
                None => return chain(field.id, facts, scratch),
            }
        }
        F::ProcPargs
        | F::ProcPcmdline
        | F::ProcPexe
        | F::ProcPexepath
        | F::ProcPname
        | F::ProcPpidDuration
        | F::ProcPpidTs
        | F::ProcPvpid => 1,
        _ => 0,
    };
    let Some(process) = facts.process(generation) else {
        return Lookup::Unset;
    };
    match field.id {
        F::ProcAcmdline | F::ProcCmdline | F::ProcPcmdline => {
            push_command(process.comm(), process, scratch);
            text(scratch)
        }
        F::ProcExeline => {
            push_command(process.exe(), process, scratch);
            text(scratch)
        }
        F::ProcArgs | F::ProcPargs => match process.args() {
            [] => text(b""),
            [only] => text(only),
            several => {
                push_joined(several, b' ', scratch);
                text(scratch)
            }
        },
        F::ProcAexe | F::ProcExe | F::ProcPexe => text(process.exe()),
        F::ProcAexepath | F::ProcExepath | F::ProcPexepath => maybe_text(process.exe_path()),
        F::ProcAname | F::ProcName | F::ProcPname => text(process.comm()),
        F::ProcApid | F::ProcPid => int(process.pid()),
        F::ProcPvpid | F::ProcVpid => int(process.vpid()),
        F::ProcPpid => maybe_int(process.ppid()),
        F::ProcCmdnargs => uint(process.args().len() as u64),
        F::ProcCmdlenargs => uint(process.args().iter().map(|arg| arg.len() as u64).sum()),
        F::ProcCwd => match process.cwd() {
            Some(cwd) => Lookup::Is(crate::Value::Text(cwd)),
            None => Lookup::Unset,
        },
        F::ProcEnv => environment(field, process, scratch),
        F::ProcTty => maybe_uint(process.tty().map(u64::from)),
        F::ProcDuration | F::ProcPpidDuration => {
            uint(facts.time().saturating_sub(process.started()))
        }
        F::ProcPidTs | F::ProcPpidTs => uint(process.started()),
        F::ProcPidnsInitStartTs => maybe_uint(facts.task().started),
        F::ProcSid => maybe_int(process.sid()),
        F::ProcPgid | F::ProcVpgid => maybe_int(process.pgid()),
        F::ProcSname | F::ProcSidExe | F::ProcSidExepath => {
            leader(facts, |process| process.sid()).map_or(Lookup::Unset, |p| identity(field.id, p))
        }
        F::ProcPgidName
        | F::ProcPgidExe
        | F::ProcPgidExepath
        | F::ProcVpgidName
        | F::ProcVpgidExe
        | F::ProcVpgidExepath => {
            leader(facts, |process| process.pgid()).map_or(Lookup::Unset, |p| identity(field.id, p))
        }
        F::ProcIsSidLeader => leads(process, process.sid()),
        F::ProcIsPgidLeader | F::ProcIsVpgidLeader => leads(process, process.pgid()),
        F::ProcLoginshellid => login_shell(facts),
        _ => executable(field.id, facts, process),
    }
}

/// `thread.*`.
pub(super) fn extract_thread<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    use FieldId as F;
    let Some(process) = facts.process(0) else {
        return Lookup::Unset;
    };
    let set = |pick: fn(crate::Capabilities) -> u64, scratch: &'a mut Scratch| {
        let Some(all) = process.capabilities() else {
            return Lookup::Unset;
        };
        push_capabilities(pick(all), scratch);
        text(scratch)
    };
    match field.id {
        F::ThreadCapEffective => set(|all| all.effective, scratch),
        F::ThreadCapInheritable => set(|all| all.inheritable, scratch),
        F::ThreadCapPermitted => set(|all| all.permitted, scratch),
        F::ThreadIsmain => flag(facts.tid() == process.pid() || facts.tid() == process.vpid()),
        F::ThreadTid | F::ThreadVtid => int(facts.tid()),
        _ => Lookup::Unset,
    }
}

/// Facts about the executed file.
fn executable(id: FieldId, facts: &dyn Facts, process: &dyn ProcessFacts) -> Lookup<'static> {
    use FieldId as F;
    let Some(file) = process.exe_file() else {
        return Lookup::Unset;
    };
    match id {
        F::ProcExeIno => uint(file.ino),
        F::ProcExeInoCtime => uint(file.ctime),
        F::ProcExeInoMtime => uint(file.mtime),
        F::ProcExeInoCtimeDurationProcStart => {
            maybe_uint(process.started().checked_sub(file.ctime))
        }
        F::ProcExeInoCtimeDurationPidnsStart => maybe_uint(
            facts
                .task()
                .started
                .and_then(|started| file.ctime.checked_sub(started)),
        ),
        F::ProcIsExeFromMemfd => flag(file.is_memfd),
        F::ProcIsExeLowerLayer => flag(!file.is_drift && !file.is_memfd),
        F::ProcIsExeUpperLayer => flag(file.is_drift),
        F::ProcIsExeWritable => flag(file.is_writable),
        _ => Lookup::Unset,
    }
}

/// `name arg arg …`, as `proc.cmdline` has it.
fn push_command(first: &[u8], process: &dyn ProcessFacts, out: &mut Scratch) {
    out.extend_from_slice(first);
    for arg in process.args() {
        out.push(b' ');
        out.extend_from_slice(arg);
    }
}

fn environment<'a>(
    field: &Field,
    process: &'a dyn ProcessFacts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    let Some(variables) = process.env() else {
        return Lookup::Unset;
    };
    let variables = variables.strip_suffix(b"\0").unwrap_or(&variables);
    let Some(name) = key(field) else {
        scratch.extend_from_slice(variables);
        for end in scratch.iter_mut().filter(|byte| **byte == 0) {
            *end = b' ';
        }
        return text(scratch);
    };
    let value = variables.split(|byte| *byte == 0).find_map(|variable| {
        variable
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
    });
    match value {
        Some(value) => {
            scratch.extend_from_slice(value);
            text(scratch)
        }
        None => Lookup::Unset,
    }
}

/// The farthest process of the chain with the same session or group.
fn leader(
    facts: &dyn Facts,
    group: fn(&dyn ProcessFacts) -> Option<i64>,
) -> Option<&dyn ProcessFacts> {
    let process = facts.process(0)?;
    let wanted = group(process)?;
    let mut leader = process;
    super::any_ancestor(facts, |ancestor| {
        if group(ancestor) != Some(wanted) {
            return true;
        }
        leader = ancestor;
        false
    });
    Some(leader)
}

fn identity(id: FieldId, process: &dyn ProcessFacts) -> Lookup<'_> {
    use FieldId as F;
    match id {
        F::ProcPgidExe | F::ProcSidExe | F::ProcVpgidExe => text(process.exe()),
        F::ProcPgidExepath | F::ProcSidExepath | F::ProcVpgidExepath => {
            maybe_text(process.exe_path())
        }
        _ => text(process.comm()),
    }
}

fn leads(process: &dyn ProcessFacts, group: Option<i64>) -> Lookup<'static> {
    group.map_or(Lookup::Unset, |group| {
        flag(group == process.pid() || group == process.vpid())
    })
}

fn login_shell(facts: &dyn Facts) -> Lookup<'static> {
    let mut oldest = None;
    super::any_ancestor(facts, |ancestor| {
        if SHELLS.contains(&ancestor.comm()) {
            oldest = Some(ancestor.pid());
        }
        false
    });
    maybe_int(oldest)
}

fn chain<'a>(id: FieldId, facts: &'a dyn Facts, scratch: &'a mut Scratch) -> Lookup<'a> {
    let mut is_empty = true;
    super::any_ancestor(facts, |ancestor| {
        if !is_empty {
            scratch.extend_from_slice(b"->");
        }
        is_empty = false;
        match id {
            FieldId::ProcAcmdline => push_command(ancestor.comm(), ancestor, scratch),
            FieldId::ProcAexe => scratch.extend_from_slice(ancestor.exe()),
            FieldId::ProcAexepath => {
                scratch.extend_from_slice(ancestor.exe_path().unwrap_or_default());
            }
            FieldId::ProcApid => scratch.extend_from_slice(ancestor.pid().to_string().as_bytes()),
            _ => scratch.extend_from_slice(ancestor.comm()),
        }
        false
    });
    if is_empty {
        Lookup::Unset
    } else {
        text(scratch)
    }
}
