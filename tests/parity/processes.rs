//! Processes and threads: how they are made, become programs, end and are waited for.

use e2e::parity;
use e2e::parity::case;

parity! {
    relations_are_as_the_starter_made_them: case("relations");
    every_way_to_make_a_process: case("spawn_ways");
    clone_parent_makes_a_sibling: case("clone_parent");
    clone_untraced_works_like_any_other: case("clone_untraced");
    a_daemon_leaves_its_session: case("daemon");
    children_of_every_kind: case("wait_all");
    zombies_are_collected_once: case("zombies");
    zombies_of_pid_1: case("zombies").as_pid_1();
    orphans_come_to_pid_1: case("orphans").as_pid_1();
    a_daemon_under_pid_1: case("daemon").as_pid_1();
    pid_1_ends_everybody: case("kill_everybody").as_pid_1();
    pids_are_reused: case("pid_reuse").as_pid_1();
    exec_from_a_thread: case("exec_from_thread");
    exec_again_and_again: case("exec_chain");
    every_way_an_exec_fails: case("exec_failures");
    exit_group_with_1000_threads: case("thousand_threads");
    exit_group_from_one_of_1000_threads: case("thousand_threads").args(["thread"]);
    a_signal_ends_1000_threads: case("thousand_threads").args(["signal"]);
    the_leader_leaves_first: case("leader_leaves");
}
