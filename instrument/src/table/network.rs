//! Sockets, and descriptors put in the place of others.

use event::EventType as E;

use super::Condition::{AtMost, NonNull};
use super::Kind::{Address, Enum, Fd, Flags, Int, MessageAddress, Result, Uint};
use super::{FdOf, Made, Numbers, Row, n, old, p};

pub(super) static ROWS: &[Row] = &[
    Row::new("socket", n(41, &[359], 198))
        .event(E::Socket)
        .params(&[
            p("fd", Result),
            p("domain", Enum(0)),
            p("type", Uint(1)),
            p("proto", Uint(2)),
        ])
        .fd(FdOf::Made(Made::Socket))
        .why("raw and packet sockets see the traffic of others"),
    Row::new("connect", n(42, &[362], 203))
        .event(E::Connect)
        .params(&[p("fd", Fd(0)), p("addr", Address(1))])
        .fd(FdOf::ArgumentTo(0, Address(1)))
        .result()
        .why("contact with another machine"),
    Row::new("bind", n(49, &[361], 200))
        .event(E::Bind)
        .params(&[p("fd", Fd(0)), p("addr", Address(1))])
        .fd(FdOf::Argument(0))
        .why("a place to be contacted"),
    Row::new("listen", n(50, &[363], 201))
        .event(E::Listen)
        .params(&[p("fd", Fd(0)), p("backlog", Int(1))])
        .fd(FdOf::Argument(0))
        .result()
        .why("waits for contact"),
    Row::new("accept", Numbers::new(Some(43), &[], Some(202)))
        .event(E::Accept)
        .params(&[p("fd", Result)])
        .fd(FdOf::Accepted)
        .result()
        .why("contact from another machine"),
    Row::new("accept4", n(288, &[364], 242))
        .event(E::Accept4)
        .params(&[p("fd", Result), p("flags", Flags(3))])
        .fd(FdOf::Accepted)
        .result()
        .why("contact from another machine"),
    Row::new("sendto", n(44, &[369], 206))
        .event(E::Sendto)
        .params(&[p("fd", Fd(0)), p("size", Uint(2)), p("addr", Address(4))])
        .fd(FdOf::ArgumentTo(0, Address(4)))
        .when(&[&[NonNull(4)]])
        .result()
        .why("contact without a connection; without an address it is a plain write"),
    Row::new("sendmsg", n(46, &[370], 211).x32(518))
        .event(E::Sendmsg)
        .params(&[p("fd", Fd(0)), p("addr", MessageAddress(1))])
        .fd(FdOf::ArgumentTo(0, MessageAddress(1)))
        .result()
        .why("contact without a connection"),
    Row::new("sendmmsg", n(307, &[345], 269).x32(538))
        .event(E::Sendmsg)
        .params(&[p("fd", Fd(0)), p("addr", MessageAddress(1))])
        .fd(FdOf::ArgumentTo(0, MessageAddress(1)))
        .result()
        .why("contact without a connection; its first message, which rules know as sendmsg"),
    Row::new("recvfrom", n(45, &[371], 207).x32(517))
        .event(E::Recvfrom)
        .params(&[p("fd", Fd(0)), p("size", Uint(2))])
        .fd(FdOf::Argument(0))
        .when(&[&[NonNull(4)]])
        .result()
        .why("contact without a connection; without an address it is a plain read"),
    Row::new("recvmsg", n(47, &[372], 212).x32(519))
        .event(E::Recvmsg)
        .params(&[p("fd", Fd(0))])
        .fd(FdOf::Argument(0))
        .result()
        .why("contact without a connection"),
    Row::new("dup", n(32, &[41], 23))
        .event(E::Dup)
        .params(&[p("fd", Result), p("oldfd", Fd(0))])
        .fd(FdOf::Duplicated(0))
        .result()
        .why("may put a socket in the place of standard input"),
    Row::new("dup2", old(33, &[63]))
        .event(E::Dup2)
        .params(&[p("fd", Result), p("oldfd", Fd(0)), p("newfd", Fd(1))])
        .fd(FdOf::Duplicated(0))
        .when(&[&[AtMost(1, 2)]])
        .result()
        .why("a socket in the place of standard input is a reverse shell"),
    Row::new("dup3", n(292, &[330], 24))
        .event(E::Dup3)
        .params(&[
            p("fd", Result),
            p("oldfd", Fd(0)),
            p("newfd", Fd(1)),
            p("flags", Flags(2)),
        ])
        .fd(FdOf::Duplicated(0))
        .when(&[&[AtMost(1, 2)]])
        .result()
        .why("a socket in the place of standard input is a reverse shell"),
];
