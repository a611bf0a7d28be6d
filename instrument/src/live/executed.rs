//! The arguments of a successful exec, from what the kernel made of them.

use std::borrow::Cow;

use event::{Arg, Args, ProcessFacts as _, absolute};

use crate::process::Process;

/// Bits of `evt.arg.flags`, in the numbering of the event table (`EXE_…`).
const EXE_WRITABLE: u64 = 1 << 0;
const EXE_UPPER_LAYER: u64 = 1 << 1;
const EXE_FROM_MEMFD: u64 = 1 << 2;

/// Falco's arguments of an exec.
pub(super) fn args(process: &Process) -> Args<'static> {
    let image = process.image();
    let mut items = vec![
        ("exe", Arg::Bytes(Cow::Owned(image.exe.clone()))),
        ("args", Arg::Vector(Cow::Owned(image.args.clone()))),
        ("comm", Arg::Bytes(Cow::Owned(image.comm.clone()))),
    ];
    if let Some(file) = &image.file {
        let resolved = if file.first() == Some(&b'/') {
            Some(absolute(b"/", file))
        } else {
            process.cwd().map(|cwd| absolute(&cwd, file))
        };
        let path = |absolute: Option<Vec<u8>>| Arg::Path {
            raw: Cow::Owned(file.clone()),
            absolute: absolute.map(Cow::Owned),
        };
        items.push(("filename", path(resolved.clone())));
        items.push(("pathname", path(resolved)));
    }
    if let Some(exe) = process.exe_file() {
        let bit = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
        items.push((
            "flags",
            Arg::Flags(
                bit(exe.is_writable, EXE_WRITABLE)
                    | bit(exe.is_drift, EXE_UPPER_LAYER)
                    | bit(exe.is_memfd, EXE_FROM_MEMFD),
            ),
        ));
    }
    Args { items }
}
