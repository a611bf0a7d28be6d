//! Users, groups and capabilities.

use event::EventType as E;

use super::Kind::{Gid, Uid};
use super::{Row, n, p};

pub(super) static ROWS: &[Row] = &[
    Row::new("setuid", n(105, &[23, 213], 146))
        .event(E::Setuid)
        .params(&[p("uid", Uid(0))])
        .why("becomes another user"),
    Row::new("setgid", n(106, &[46, 214], 144))
        .event(E::Setgid)
        .params(&[p("gid", Gid(0))])
        .why("becomes another group"),
    Row::new("setresuid", n(117, &[164, 208], 147))
        .event(E::Setresuid)
        .params(&[p("ruid", Uid(0)), p("euid", Uid(1)), p("suid", Uid(2))])
        .why("becomes another user"),
    Row::new("setresgid", n(119, &[170, 210], 149))
        .event(E::Setresgid)
        .params(&[p("rgid", Gid(0)), p("egid", Gid(1)), p("sgid", Gid(2))])
        .why("becomes another group"),
    Row::new("capset", n(126, &[185], 91))
        .event(E::Capset)
        .why("changes what a process may do"),
];
