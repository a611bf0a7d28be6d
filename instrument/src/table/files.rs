//! Files and directories.

use event::EventType as E;

use super::Kind::{
    Fd, Flags, Gid, HowFlags, HowMode, HowResolve, Mode, Path, PathAt, Result, Text, Uid,
};
use super::{FdOf, Guard, Row, n, old, p};

pub(super) static ROWS: &[Row] = &[
    Row::new("open", old(2, &[5]))
        .event(E::Open)
        .params(&[
            p("fd", Result),
            p("name", Path(0)),
            p("flags", Flags(1)),
            p("mode", Mode(2)),
        ])
        .fd(FdOf::Opened)
        .result()
        .why("a file is read or written"),
    Row::new("openat", n(257, &[295], 56))
        .event(E::Openat)
        .params(&[
            p("fd", Result),
            p("dirfd", Fd(0)),
            p("name", PathAt(0, 1)),
            p("flags", Flags(2)),
            p("mode", Mode(3)),
        ])
        .fd(FdOf::Opened)
        .result()
        .why("a file is read or written"),
    Row::new("openat2", n(437, &[437], 437))
        .event(E::Openat2)
        .params(&[
            p("fd", Result),
            p("dirfd", Fd(0)),
            p("name", PathAt(0, 1)),
            p("flags", HowFlags(2)),
            p("mode", HowMode(2)),
            p("resolve", HowResolve(2)),
        ])
        .fd(FdOf::Opened)
        .result()
        .why("a file is read or written"),
    Row::new("open_by_handle_at", n(304, &[342], 265))
        .event(E::OpenByHandleAt)
        .params(&[p("fd", Result), p("mountfd", Fd(0)), p("flags", Flags(2))])
        .fd(FdOf::Made(super::Made::Other))
        .result()
        .why("opens a file past its path: a way out of a container"),
    Row::new("creat", old(85, &[8]))
        .event(E::Creat)
        .params(&[p("fd", Result), p("name", Path(0)), p("mode", Mode(1))])
        .fd(FdOf::Opened)
        .result()
        .why("a file is written"),
    Row::new("link", old(86, &[9]))
        .event(E::Link)
        .params(&[p("oldpath", Path(0)), p("newpath", Path(1))])
        .why("another name for a file, past the rules for the first"),
    Row::new("linkat", n(265, &[303], 37))
        .event(E::Linkat)
        .params(&[
            p("olddir", Fd(0)),
            p("oldpath", PathAt(0, 1)),
            p("newdir", Fd(2)),
            p("newpath", PathAt(2, 3)),
            p("flags", Flags(4)),
        ])
        .why("another name for a file, past the rules for the first"),
    Row::new("symlink", old(88, &[83]))
        .event(E::Symlink)
        .params(&[p("target", Text(0)), p("linkpath", Path(1))])
        .guard(Guard::Always)
        .why("another name for a file, past the rules for the first"),
    Row::new("symlinkat", n(266, &[304], 36))
        .event(E::Symlinkat)
        .params(&[
            p("target", Text(0)),
            p("linkdirfd", Fd(1)),
            p("linkpath", PathAt(1, 2)),
        ])
        .guard(Guard::Always)
        .why("another name for a file, past the rules for the first"),
    Row::new("unlink", old(87, &[10]))
        .event(E::Unlink)
        .params(&[p("path", Path(0))])
        .why("removes a file, perhaps a trace"),
    Row::new("unlinkat", n(263, &[301], 35))
        .event(E::Unlinkat)
        .params(&[
            p("dirfd", Fd(0)),
            p("name", PathAt(0, 1)),
            p("flags", Flags(2)),
        ])
        .why("removes a file, perhaps a trace"),
    Row::new("rmdir", old(84, &[40]))
        .event(E::Rmdir)
        .params(&[p("path", Path(0))])
        .why("removes a directory"),
    Row::new("rename", old(82, &[38]))
        .event(E::Rename)
        .params(&[p("oldpath", Path(0)), p("newpath", Path(1))])
        .why("puts a file in the place of another"),
    Row::new("renameat", n(264, &[302], 38))
        .event(E::Renameat)
        .params(&[
            p("olddirfd", Fd(0)),
            p("oldpath", PathAt(0, 1)),
            p("newdirfd", Fd(2)),
            p("newpath", PathAt(2, 3)),
        ])
        .why("puts a file in the place of another"),
    Row::new("renameat2", n(316, &[353], 276))
        .event(E::Renameat2)
        .params(&[
            p("olddirfd", Fd(0)),
            p("oldpath", PathAt(0, 1)),
            p("newdirfd", Fd(2)),
            p("newpath", PathAt(2, 3)),
            p("flags", Flags(4)),
        ])
        .why("puts a file in the place of another"),
    Row::new("mkdir", old(83, &[39]))
        .event(E::Mkdir)
        .params(&[p("path", Path(0)), p("mode", Mode(1))])
        .why("a directory where none belongs"),
    Row::new("mkdirat", n(258, &[296], 34))
        .event(E::Mkdirat)
        .params(&[
            p("dirfd", Fd(0)),
            p("path", PathAt(0, 1)),
            p("mode", Mode(2)),
        ])
        .why("a directory where none belongs"),
    Row::new("chmod", old(90, &[15]))
        .event(E::Chmod)
        .params(&[p("filename", Path(0)), p("mode", Mode(1))])
        .why("makes a file executable or setuid"),
    Row::new("fchmod", n(91, &[94], 52))
        .event(E::Fchmod)
        .params(&[p("fd", Fd(0)), p("mode", Mode(1))])
        .fd(FdOf::Argument(0))
        .why("makes a file executable or setuid"),
    Row::new("fchmodat", n(268, &[306], 53))
        .event(E::Fchmodat)
        .params(&[
            p("dirfd", Fd(0)),
            p("filename", PathAt(0, 1)),
            p("mode", Mode(2)),
        ])
        .why("makes a file executable or setuid"),
    Row::new("fchmodat2", n(452, &[452], 452))
        .event(E::Fchmodat)
        .params(&[
            p("dirfd", Fd(0)),
            p("filename", PathAt(0, 1)),
            p("mode", Mode(2)),
        ])
        .why("makes a file executable or setuid; rules know it as fchmodat"),
    Row::new("chown", old(92, &[182, 212]))
        .event(E::Chown)
        .params(&[p("path", Path(0)), p("uid", Uid(1)), p("gid", Gid(2))])
        .why("gives a file to another user"),
    Row::new("lchown", old(94, &[16, 198]))
        .event(E::Lchown)
        .params(&[p("path", Path(0)), p("uid", Uid(1)), p("gid", Gid(2))])
        .why("gives a file to another user"),
    Row::new("fchown", n(93, &[95, 207], 55))
        .event(E::Fchown)
        .params(&[p("fd", Fd(0)), p("uid", Uid(1)), p("gid", Gid(2))])
        .fd(FdOf::Argument(0))
        .why("gives a file to another user"),
    Row::new("fchownat", n(260, &[298], 54))
        .event(E::Fchownat)
        .params(&[
            p("dirfd", Fd(0)),
            p("pathname", PathAt(0, 1)),
            p("uid", Uid(2)),
            p("gid", Gid(3)),
            p("flags", Flags(4)),
        ])
        .why("gives a file to another user"),
];
