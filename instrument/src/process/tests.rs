//! The table of processes, with no process behind it.

use super::*;

fn table() -> Processes {
    Processes::new(Pid(1_000_001), 5)
}

const ROOT: Pid = Pid(1_000_001);
const A: Pid = Pid(1_000_002);
const B: Pid = Pid(1_000_003);
const C: Pid = Pid(1_000_004);

#[test]
fn an_orphan_keeps_its_lineage() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    table.fork(A, B, false, 7);
    table.end(A);
    assert_eq!(table.ancestor(B, 1).map(Process::id), Some(A));
    assert_eq!(table.ancestor(B, 2).map(Process::id), Some(ROOT));
    assert!(table.get(A).is_none());
    table.end(B);
    assert_eq!(table.slots.iter().flatten().count(), 1);
}

#[test]
fn one_walk_finds_every_ancestor() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    table.fork(A, B, false, 7);
    table.fork(B, C, false, 8);
    table.end(A);
    for pid in [ROOT, A, B, C] {
        let walked: Vec<_> = table.ancestors(pid).map(Process::id).collect();
        let counted = (1..).map_while(|n| table.ancestor(pid, n).map(Process::id));
        assert_eq!(walked, counted.collect::<Vec<_>>(), "{pid:?}");
    }
    assert_eq!(table.ancestors(C).count(), 3);
}

#[test]
fn a_sibling_has_the_makers_parent() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    table.fork(A, B, true, 7);
    assert_eq!(table.ancestor(B, 1).map(Process::id), Some(ROOT));
}

#[test]
fn a_reused_pid_is_another_process() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    table.fork(A, B, false, 7);
    table.fork(ROOT, A, false, 8);
    assert_eq!(table.get(A).map(|p| p.started), Some(8));
    assert_eq!(table.ancestor(B, 1).map(|p| p.started), Some(6));
}

#[test]
fn nobody_is_its_own_ancestor() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    table.fork(A, A, false, 7);
    assert!(table.ancestor(A, 1).is_none());
    table.fork(ROOT, B, false, 8);
    table.fork(B, B, true, 9);
    assert_eq!(table.ancestor(B, 1).map(Process::id), Some(ROOT));
}

#[test]
fn a_chain_of_orphans_does_not_grow_for_ever() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    let mut last = A;
    for n in 0..1000 {
        let next = Pid(2_000_000 + n);
        table.fork(last, next, false, 7);
        table.end(last);
        last = next;
    }
    assert!(table.slots.iter().flatten().count() <= MAX_DEAD_ANCESTORS + 3);
    let generations = (0..100).take_while(|n| table.ancestor(last, *n).is_some());
    let top = table.ancestor(last, generations.count() - 1);
    assert_eq!(top.map(Process::id), Some(ROOT));
}

#[test]
fn many_short_processes_leave_nothing() {
    let mut table = table();
    for n in 0..10_000 {
        table.fork(ROOT, Pid(2_000_000 + n % 7), false, 6);
        table.end(Pid(2_000_000 + n % 7));
    }
    table.fork(ROOT, C, false, 6);
    assert_eq!(table.slots.len(), 2);
}

fn program(name: &str) -> Image {
    Image {
        comm: name.as_bytes().to_vec(),
        ..Image::default()
    }
}

#[test]
fn the_same_program_under_the_same_ancestors_is_the_same_state() {
    let mut table = table();
    table.exec(ROOT, program("server"));
    for (pid, name) in [(A, "sh"), (B, "sh"), (C, "cat")] {
        table.fork(ROOT, pid, false, 6);
        table.exec(pid, program(name));
    }
    assert_eq!(table.state(A), table.state(B));
    assert_ne!(table.state(A), table.state(C));
    assert_ne!(table.state(A), table.state(ROOT));
    let before = table.state(A);
    assert_eq!(before, table.state(A));
    // The ancestor of all of them becomes another one.
    table.exec(ROOT, program("other"));
    assert_ne!(table.state(A), before);
    assert_eq!(table.state(A), table.state(B));
    table.exec(ROOT, program("server"));
    assert_eq!(table.state(A), before);
}

#[test]
fn the_same_program_deeper_down_is_another_state() {
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    table.fork(A, B, false, 6);
    table.fork(B, C, false, 6);
    let states = [ROOT, A, B, C].map(|pid| table.state(pid).unwrap());
    for (n, state) in states.iter().enumerate() {
        assert!(!states[..n].contains(state));
    }
}

#[test]
fn too_long_a_lineage_has_no_state() {
    let mut table = table();
    let mut last = ROOT;
    for n in 0..100 {
        let next = Pid(2_000_000 + n);
        table.fork(last, next, false, 6);
        last = next;
    }
    assert_eq!(table.state(last), None);
    assert!(table.state(Pid(2_000_010)).is_some());
}

#[test]
fn what_tells_a_process_from_its_like_is_volatile() {
    use event::ProcessFacts as _;
    let mut table = table();
    table.fork(ROOT, A, false, 6);
    let asks: [fn(&Process) -> bool; 6] = [
        |p| p.pid() == 0,
        |p| p.vpid() == 0,
        |p| p.started() == 0,
        |p| p.executed() == 1,
        |p| p.tty().is_some(),
        |p| p.ppid().is_some(),
    ];
    for ask in asks {
        table.next_event();
        assert!(!table.is_volatile());
        assert!(!ask(table.get(A).unwrap()), "there is no such process");
        assert!(table.is_volatile());
    }
    table.next_event();
    assert!(table.get(A).unwrap().comm().is_empty());
    assert!(!table.is_volatile());
    // An ancestor that has ended answers nothing, and once it answered otherwise.
    table.fork(A, B, false, 6);
    table.end(A);
    table.next_event();
    assert_eq!(table.ancestor(B, 1).unwrap().tty(), None);
    assert!(table.is_volatile());
}
