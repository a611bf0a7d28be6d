//! Calls that are watched for the tracer's own sake only.

use super::{Guard, Numbers, Row, n};

/// `__WALL` and `__WCLONE`.
const WAIT_FOR_CLONES: u32 = 0xc000_0000;

/// How `setpriority` and `ioprio_set` say that they are about a user.
const PRIO_USER: u32 = 2;
const IOPRIO_WHO_USER: u32 = 3;

/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`.
const NEW_LISTENER: u32 = 8;

/// `F_SETOWN` and `F_SETOWN_EX`.
const SET_OWNER: &[u32] = &[8, 15];

/// `FIOSETOWN` and `SIOCSPGRP`.
const SET_OWNER_OF_SOCKET: &[u32] = &[0x8901, 0x8902];

pub(super) static ROWS: &[Row] = &[
    Row::new("wait4", n(61, &[114], 260))
        .guard(Guard::AnyBit(2, WAIT_FOR_CLONES))
        .why("the first process would find the tracer among its children"),
    Row::new("waitpid", Numbers::new(None, &[7], None))
        .guard(Guard::AnyBit(2, WAIT_FOR_CLONES))
        .why("the first process would find the tracer among its children"),
    Row::new("waitid", n(247, &[284], 95).x32(529))
        .guard(Guard::AnyBit(3, WAIT_FOR_CLONES))
        .why("the first process would find the tracer among its children"),
    Row::new("setpgid", n(109, &[57], 154))
        .guard(Guard::EitherTracer(0, 1))
        .why("in one process group with the workload, the tracer would get its signals"),
    Row::new("fcntl", n(72, &[55], 25))
        .guard(Guard::OneOf(1, SET_OWNER))
        .why("the owner of a file gets signals from it, of any number"),
    Row::new("fcntl64", Numbers::new(None, &[221], None))
        .guard(Guard::OneOf(1, SET_OWNER))
        .why("the owner of a file gets signals from it, of any number"),
    Row::new("ioctl", n(16, &[54], 29).x32(514))
        .guard(Guard::OneOf(1, SET_OWNER_OF_SOCKET))
        .why("the owner of a socket gets signals from it, of any number"),
    Row::new("pidfd_getfd", n(438, &[438], 438))
        .guard(Guard::Always)
        .why("the tracer's descriptors are refused"),
    Row::new("seccomp", n(317, &[354], 277))
        .guard(Guard::AnyBit(1, NEW_LISTENER))
        .why("a filter with a listener goes before ours: calls that the listener lets go on would not stop"),
    Row::new("memfd_secret", n(447, &[447], 447))
        .guard(Guard::Always)
        .why("arguments in memory that only the program itself can read would not be seen"),
    Row::new("socketcall", Numbers::new(None, &[102], None))
        .guard(Guard::Always)
        .why("32-bit programs reach all socket calls through it; it is read as the call meant"),
    Row::new("rt_sigqueueinfo", n(129, &[178], 138).x32(524))
        .guard(Guard::Tracer(0))
        .why("signals to the tracer are refused"),
    Row::new("rt_tgsigqueueinfo", n(297, &[335], 240).x32(536))
        .guard(Guard::Tracer(0))
        .why("signals to the tracer are refused"),
    Row::new("pidfd_open", n(434, &[434], 434))
        .guard(Guard::Tracer(0))
        .why("a handle on the tracer is refused"),
    Row::new("process_vm_readv", n(310, &[347], 270).x32(539))
        .guard(Guard::Tracer(0))
        .why("the tracer's memory is refused"),
    Row::new("sched_setaffinity", n(203, &[241], 122))
        .guard(Guard::Tracer(0))
        .why("slowing the tracer down is refused"),
    Row::new("sched_setscheduler", n(144, &[156], 119))
        .guard(Guard::Tracer(0))
        .why("slowing the tracer down is refused"),
    Row::new("sched_setparam", n(142, &[154], 118))
        .guard(Guard::Tracer(0))
        .why("slowing the tracer down is refused"),
    Row::new("sched_setattr", n(314, &[351], 274))
        .guard(Guard::Tracer(0))
        .why("slowing the tracer down is refused"),
    Row::new("setpriority", n(141, &[97], 140))
        .guard(Guard::TracerOrUser(1, PRIO_USER))
        .why("slowing the tracer down is refused"),
    Row::new("ioprio_set", n(251, &[289], 30))
        .guard(Guard::TracerOrUser(1, IOPRIO_WHO_USER))
        .why("slowing the tracer down is refused"),
    Row::new("process_madvise", n(440, &[440], 440))
        .guard(Guard::Always)
        .why("slowing the tracer down is refused"),
    Row::new("perf_event_open", n(298, &[336], 241))
        .guard(Guard::Tracer(1))
        .why("samples show the tracer's memory, and a counter can signal whom it counts"),
    Row::new("kcmp", n(312, &[349], 272))
        .guard(Guard::EitherTracer(0, 1))
        .why("looks into the tracer"),
    Row::new("get_robust_list", n(274, &[312], 100).x32(531))
        .guard(Guard::Tracer(0))
        .why("looks into the tracer"),
    Row::new("migrate_pages", n(256, &[294], 238))
        .guard(Guard::Tracer(0))
        .why("slowing the tracer down is refused"),
    Row::new("move_pages", n(279, &[317], 239).x32(533))
        .guard(Guard::Tracer(0))
        .why("slowing the tracer down is refused"),
];
