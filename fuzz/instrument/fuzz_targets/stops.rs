//! Any sequence of stops, and any arguments of any call: nothing may panic, and no thread may be
//! forgotten while it stands still.

#![no_main]

use std::collections::BTreeSet;

use instrument::brain::{Brain, Child, Decision, Kin, Learnt, Next, Pace, Step, Stop};
use instrument::live::{Live, Moment};
use instrument::process::{Image, Processes};
use instrument::table::rows;
use instrument::world::World;
use instrument::{decode, memo::Memo};
use libfuzzer_sys::fuzz_target;
use sys::{Abi, Call, ForkKind, Memory, Pid, Resume, Signal, Tid};

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0..=127, rest)) => stops(rest),
        Some((_, rest)) => calls(rest),
        None => {}
    }
});

/// The kernel's side of the protocol: a thread that stands still is not reported again.
fn stops(bytes: &[u8]) {
    let mut brain: Brain<u8> = Brain::default();
    brain.seized(Tid(1), Tid(1), Pace::Filtered);
    let mut processes = Processes::new(Pid(1), 1);
    let mut held: BTreeSet<Tid> = BTreeSet::new();
    for chunk in bytes.chunks_exact(3) {
        let (what, who, other) = (chunk[0], chunk[1], chunk[2]);
        let tid = Tid(i32::from(who % 12) + 1);
        if held.contains(&tid) {
            continue;
        }
        if what % 16 == 15 {
            let step = brain.on_gone(tid);
            settle(&mut brain, &mut processes, &mut held, step, None);
            continue;
        }
        let stop = stop(what, other, tid);
        let step = brain.on_stop(tid, stop);
        settle(&mut brain, &mut processes, &mut held, step, Some((tid, stop, other)));
    }
    // Whoever is held when its maker is gone is let go.
    let step = brain.on_gone(Tid(1));
    settle(&mut brain, &mut processes, &mut held, step, None);
    assert!(held.is_empty(), "held for ever: {held:?}");
    for tid in 1..=12 {
        brain.on_gone(Tid(tid));
    }
    assert!(brain.is_empty());
}

fn stop(what: u8, other: u8, tid: Tid) -> Stop {
    let call = call_of(u64::from(other));
    match what % 16 {
        0..=2 => Stop::Entry(call),
        3 | 4 => Stop::Exit(i64::from(other.cast_signed())),
        5 => Stop::Exit(-512 - i64::from(other % 6)),
        6 => Stop::Group,
        7 => Stop::Signal(Signal(i32::from(other % 65))),
        8 | 9 => Stop::Trap,
        10 => Stop::Exec {
            former: Tid(i32::from(other % 12) + 1),
        },
        11 => Stop::Ending,
        _ => Stop::Forked(Child {
            tid: Tid(i32::from(other % 12) + 1),
            kind: [ForkKind::Fork, ForkKind::Clone, ForkKind::Vfork][usize::from(other % 3)],
            kin: match (what / 16) % 3 {
                0 => Kin::Child,
                1 => Kin::Sibling,
                _ => Kin::Thread,
            },
        })
        .checked(tid),
    }
}

trait Checked {
    fn checked(self, tid: Tid) -> Self;
}

impl Checked for Stop {
    /// Nobody makes itself.
    fn checked(self, tid: Tid) -> Self {
        match self {
            Self::Forked(child) if child.tid == tid => Self::Trap,
            stop => stop,
        }
    }
}

fn settle(
    brain: &mut Brain<u8>,
    processes: &mut Processes,
    held: &mut BTreeSet<Tid>,
    step: Step<u8>,
    stopped: Option<(Tid, Stop, u8)>,
) {
    if let Some((tid, stop, other)) = stopped {
        match (step.next, stop) {
            (Next::Hold, _) => {
                assert!(held.insert(tid), "held twice: {tid:?}");
            }
            (Next::Examine, Stop::Entry(call)) => {
                let decision = match other % 3 {
                    0 => Decision::Return(other),
                    1 => Decision::Exit,
                    _ => Decision::Go,
                };
                let is_awaited = matches!(decision, Decision::Return(_) | Decision::Exit);
                let order = brain.decided(tid, call, decision);
                assert_eq!(order == Resume::ToSyscall(None), is_awaited);
            }
            (Next::Examine, _) => panic!("nothing to examine in {stop:?}"),
            (Next::Resume(order), Stop::Group) => assert_eq!(order, Resume::Listen),
            (Next::Resume(order), Stop::Signal(signal)) => assert!(
                matches!(order, Resume::Continue(Some(s)) | Resume::ToSyscall(Some(s)) if s == signal),
                "a signal got lost: {order:?}"
            ),
            (Next::Resume(_), _) => {}
        }
    }
    for (tid, _) in step.release {
        assert!(held.remove(&tid), "released without being held: {tid:?}");
    }
    for learnt in step.learnt {
        processes.next_event();
        match learnt {
            Learnt::Born { maker, child } if child.kin != Kin::Thread => {
                let maker = brain.leader(maker).unwrap_or(maker).as_leader();
                processes.fork(maker, child.tid.as_leader(), child.kin == Kin::Sibling, 2);
            }
            Learnt::Ended { leader } => processes.end(leader.as_leader()),
            Learnt::Executed { leader, .. } => {
                processes.exec(leader.as_leader(), Image::default());
            }
            Learnt::Stray { tid } => brain.adopt(tid, tid, Pace::Filtered),
            Learnt::Born { .. } | Learnt::Finished { .. } => {}
        }
    }
    for pid in 1..=12 {
        // Lineage ends.
        let depth = (0..200).take_while(|n| processes.ancestor(Pid(pid), *n).is_some());
        assert!(depth.count() < 200, "a process is its own ancestor");
    }
}

fn call_of(word: u64) -> Call {
    Call {
        abi: Abi::X86_64,
        number: 1,
        args: [word; 6],
    }
}

/// Arguments point into the input, or anywhere.
fn calls(bytes: &[u8]) {
    let Some((head, memory)) = bytes.split_first_chunk::<16>() else {
        return;
    };
    let base = memory.as_ptr().addr() as u64;
    let mut args = [0; 6];
    for (arg, pair) in args.iter_mut().zip(head[4..].chunks_exact(2)) {
        let offset = u64::from(u16::from_le_bytes([pair[0], pair[1]]));
        *arg = match pair[1] >> 6 {
            0 => base + offset % (memory.len() as u64 + 1),
            1 => offset,
            2 => u64::MAX - offset,
            _ => offset.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
    }
    let call = Call {
        abi: [Abi::X86_64, Abi::I386, Abi::X32, Abi::Aarch64][usize::from(head[0] % 4)],
        number: u32::from(head[1]),
        args,
    };
    let count = rows().count();
    let Some((_, row)) = rows().nth(usize::from(head[2]) % count) else {
        return;
    };
    let tid = Tid::this();
    let outcome = if head[3] & 1 == 0 {
        event::Outcome::Pending
    } else {
        event::Outcome::Returned(i64::from(head[3].cast_signed()))
    };
    let decoded = decode::args(row, (tid, &call), outcome, None);
    assert!(decoded.items.len() <= row.params.len());
    drop(decode::parse_address(memory));
    drop(event::absolute(memory, head));
    let start = (head[0] & 1 == 0).then_some(&head[..]);
    let key = Memo::default().key(row, &call, 1, (start, memory));
    assert!(key.is_none() || start.is_some() || memory.first() == Some(&b'/'));
    let stack = (call.abi, base);
    drop(Image::from_stack(Pid::this(), Memory::of(tid), stack, 1, &mut Vec::new()));
    let kind = row.event.unwrap_or(event::EventType::Openat);
    let world = World::new(Processes::new(Pid::this(), 1));
    let mut moment = Moment::entry(row, kind, call, tid, Pid::this());
    if head[3] & 1 == 1 {
        moment.returned(i64::from(head[3].cast_signed()));
    }
    RULES.with_borrow_mut(|rules| {
        drop(rules.alerts(&Live::new(&moment, &world), "fuzz"));
    });
}

thread_local! {
    static RULES: std::cell::RefCell<rules::RuleSet> = std::cell::RefCell::new(
        rules::RuleSet::load(&rules::default_rules()).expect("the default rules load"),
    );
}
