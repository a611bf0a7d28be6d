use sys::Abi;

use super::*;

const LEADER: Tid = Tid(100);
const WORKER: Tid = Tid(101);
const OTHER: Tid = Tid(102);
const GO: Next = Next::Resume(Resume::Continue(None));
const TO_EXIT: Next = Next::Resume(Resume::ToSyscall(None));

fn call(number: u32) -> Call {
    Call {
        abi: Abi::X86_64,
        number,
        args: [0; 6],
    }
}

fn brain() -> Brain<&'static str> {
    let mut brain = Brain::default();
    brain.seized(LEADER, LEADER, Pace::Filtered);
    brain
}

fn forked(tid: Tid, kin: Kin) -> Stop {
    Stop::Forked(Child {
        tid,
        kind: ForkKind::Fork,
        kin,
    })
}

fn with_worker() -> Brain<&'static str> {
    let mut brain = brain();
    brain.on_stop(LEADER, forked(WORKER, Kin::Thread));
    assert_eq!(brain.on_stop(WORKER, Stop::Trap).next, GO);
    brain
}

#[test]
fn the_maker_tells_first() {
    let mut brain = brain();
    let step = brain.on_stop(LEADER, forked(OTHER, Kin::Child));
    assert_eq!(step.next, GO);
    assert_eq!(step.release, []);
    assert!(matches!(
        step.learnt[..],
        [Learnt::Born { maker: LEADER, .. }]
    ));
    assert_eq!(brain.on_stop(OTHER, Stop::Trap).next, GO);
    assert_eq!(brain.leader(OTHER), Some(OTHER));
}

#[test]
fn the_child_stops_first_and_waits_for_its_makers_word() {
    let mut brain = brain();
    assert_eq!(brain.on_stop(OTHER, Stop::Trap).next, Next::Hold);
    let step = brain.on_stop(LEADER, forked(OTHER, Kin::Child));
    assert_eq!(step.release, [(OTHER, Resume::Continue(None))]);
    assert_eq!(
        brain.on_stop(OTHER, Stop::Entry(call(1))).next,
        Next::Examine
    );
}

#[test]
fn a_child_born_into_a_group_stop_stays_stopped() {
    let mut brain = brain();
    assert_eq!(brain.on_stop(OTHER, Stop::Group).next, Next::Hold);
    let step = brain.on_stop(LEADER, forked(OTHER, Kin::Child));
    assert_eq!(step.release, [(OTHER, Resume::Listen)]);
}

#[test]
fn a_maker_killed_before_its_word_leaves_a_stray() {
    let mut brain = brain();
    brain.on_stop(OTHER, Stop::Trap);
    let step = brain.on_gone(LEADER);
    assert_eq!(
        step.learnt,
        [
            Learnt::Ended { leader: LEADER },
            Learnt::Stray { tid: OTHER }
        ]
    );
    assert_eq!(step.release, [(OTHER, Resume::Continue(None))]);
}

#[test]
fn a_call_is_followed_to_its_exit_when_asked() {
    let mut brain = brain();
    assert_eq!(
        brain.on_stop(LEADER, Stop::Entry(call(2))).next,
        Next::Examine
    );
    let order = brain.decided(LEADER, call(2), Decision::Return("open"));
    assert_eq!(order, Resume::ToSyscall(None));
    let step = brain.on_stop(LEADER, Stop::Exit(3));
    assert_eq!(step.next, GO);
    assert_eq!(
        step.learnt,
        [Learnt::Finished {
            pending: "open",
            result: 3
        }]
    );
}

#[test]
fn an_interrupted_call_that_starts_again_is_one_call() {
    let mut brain = brain();
    brain.on_stop(LEADER, Stop::Entry(call(43)));
    brain.decided(LEADER, call(43), Decision::Return("accept"));
    assert_eq!(brain.on_stop(LEADER, Stop::Exit(-512)).learnt, []);
    let signal = Signal(14);
    assert_eq!(
        brain.on_stop(LEADER, Stop::Signal(signal)).next,
        Next::Resume(Resume::Continue(Some(signal)))
    );
    assert_eq!(brain.on_stop(LEADER, Stop::Entry(call(43))).next, TO_EXIT);
    assert_eq!(
        brain.on_stop(LEADER, Stop::Exit(7)).learnt,
        [Learnt::Finished {
            pending: "accept",
            result: 7
        }]
    );
}

#[test]
fn an_interrupted_call_that_does_not_start_again_failed() {
    let mut brain = brain();
    brain.on_stop(LEADER, Stop::Entry(call(43)));
    brain.decided(LEADER, call(43), Decision::Return("accept"));
    brain.on_stop(LEADER, Stop::Exit(-512));
    let step = brain.on_stop(LEADER, Stop::Entry(call(2)));
    assert_eq!(step.next, Next::Examine);
    assert_eq!(
        step.learnt,
        [Learnt::Finished {
            pending: "accept",
            result: -4
        }]
    );
}

#[test]
fn job_control_is_left_to_the_kernel() {
    let mut brain = brain();
    assert_eq!(
        brain.on_stop(LEADER, Stop::Group).next,
        Next::Resume(Resume::Listen)
    );
    assert_eq!(brain.on_stop(LEADER, Stop::Trap).next, GO);
}

#[test]
fn exec_from_a_thread_that_does_not_lead_moves_its_state() {
    let mut brain = with_worker();
    brain.on_stop(WORKER, Stop::Entry(call(59)));
    brain.decided(WORKER, call(59), Decision::Return("execve"));
    let step = brain.on_stop(LEADER, Stop::Exec { former: WORKER });
    assert_eq!(
        step.learnt,
        [Learnt::Executed {
            leader: LEADER,
            pending: Some("execve")
        }]
    );
    assert_eq!(brain.leader(WORKER), None);
    assert_eq!(brain.len(), 1);
    assert_eq!(
        brain.on_stop(LEADER, Stop::Ending).learnt,
        [Learnt::Ended { leader: LEADER }]
    );
}

#[test]
fn threads_that_die_for_an_exec_do_not_end_the_process() {
    let mut brain = with_worker();
    brain.on_stop(LEADER, forked(OTHER, Kin::Thread));
    brain.on_stop(OTHER, Stop::Trap);
    // The kernel kills OTHER for WORKER's exec; its end may be reported before or after.
    assert_eq!(brain.on_stop(OTHER, Stop::Ending).learnt, []);
    brain.on_stop(LEADER, Stop::Exec { former: WORKER });
    assert_eq!(brain.on_gone(OTHER).learnt, []);
    assert!(!brain.is_last());
}

#[test]
fn a_process_ends_with_its_last_thread() {
    let mut brain = with_worker();
    assert_eq!(brain.on_stop(LEADER, Stop::Ending).learnt, []);
    assert!(!brain.is_last());
    assert_eq!(
        brain.on_stop(WORKER, Stop::Ending).learnt,
        [Learnt::Ended { leader: LEADER }]
    );
    assert!(brain.is_last());
    assert_eq!(brain.on_gone(WORKER).learnt, []);
    assert_eq!(brain.on_gone(LEADER).learnt, []);
    assert!(brain.is_empty());
}

#[test]
fn a_thread_killed_without_its_last_stop_ends_all_the_same() {
    let mut brain = brain();
    assert_eq!(
        brain.on_gone(LEADER).learnt,
        [Learnt::Ended { leader: LEADER }]
    );
}

#[test]
fn without_a_filter_every_order_leads_to_the_next_call() {
    let mut brain = brain();
    brain.set_pace(LEADER, Pace::Every);
    assert_eq!(brain.on_stop(LEADER, Stop::Exit(0)).next, TO_EXIT);
    assert_eq!(
        brain.on_stop(LEADER, Stop::Signal(Signal(10))).next,
        Next::Resume(Resume::ToSyscall(Some(Signal(10))))
    );
    let order = brain.decided(LEADER, call(1), Decision::Go);
    assert_eq!(order, Resume::ToSyscall(None));
    brain.on_stop(LEADER, forked(OTHER, Kin::Child));
    assert_eq!(brain.on_stop(OTHER, Stop::Trap).next, TO_EXIT);
}

#[test]
fn pids_are_used_again() {
    let mut brain = brain();
    for _ in 0..3 {
        brain.on_stop(LEADER, forked(OTHER, Kin::Child));
        brain.on_stop(OTHER, Stop::Trap);
        brain.on_stop(OTHER, Stop::Ending);
        brain.on_gone(OTHER);
    }
    assert_eq!(brain.len(), 1);
}

proptest::proptest! {
    /// The kernel's side of the protocol at random: nobody is held for ever, released without being
    /// held, or given an order that loses a signal or wakes a stopped process.
    #[test]
    fn no_sequence_of_stops_forgets_a_thread(
        steps in proptest::collection::vec((0_u8..15, 1_i32..9, 0_i32..9, 0_u8..3), 0..200),
    ) {
        let mut brain: Brain<u8> = Brain::default();
        brain.seized(Tid(1), Tid(1), Pace::Filtered);
        let mut held = std::collections::BTreeSet::new();
        for (what, tid, other, kin) in steps {
            let (tid, other) = (Tid(tid), Tid(other));
            if held.contains(&tid) {
                continue;
            }
            let kin = [Kin::Child, Kin::Sibling, Kin::Thread][usize::from(kin)];
            let stop = match what {
                0..=2 => Stop::Entry(call(9)),
                3 | 4 => Stop::Exit(i64::from(other.0)),
                5 => Stop::Exit(-512),
                6 => Stop::Group,
                7 => Stop::Signal(Signal(other.0)),
                10 => Stop::Exec { former: other },
                11 => Stop::Ending,
                12 | 13 if other != tid => forked(other, kin),
                8 | 9 | 12 | 13 => Stop::Trap,
                _ => {
                    let step = brain.on_gone(tid);
                    release(&mut held, &step);
                    continue;
                }
            };
            let step = brain.on_stop(tid, stop);
            match (step.next, stop) {
                (Next::Hold, _) => assert!(held.insert(tid), "held twice"),
                (Next::Examine, Stop::Entry(entry)) => {
                    let decision = match other.0 % 3 {
                        0 => Decision::Return(1),
                        1 => Decision::Exit,
                        _ => Decision::Go,
                    };
                    brain.decided(tid, entry, decision);
                }
                (Next::Resume(order), Stop::Group) => assert_eq!(order, Resume::Listen),
                (Next::Resume(order), Stop::Signal(signal)) => assert!(
                    [Resume::Continue(Some(signal)), Resume::ToSyscall(Some(signal))]
                        .contains(&order)
                ),
                (Next::Examine, stop) => panic!("nothing to examine in {stop:?}"),
                (Next::Resume(_), _) => {}
            }
            release(&mut held, &step);
        }
        for tid in 1..9 {
            let step = brain.on_gone(Tid(tid));
            release(&mut held, &step);
        }
        assert!(held.is_empty(), "held for ever: {held:?}");
    }
}

fn release(held: &mut std::collections::BTreeSet<Tid>, step: &Step<u8>) {
    for (tid, _) in &step.release {
        assert!(held.remove(tid), "released without being held: {tid:?}");
    }
}
