//! Circumstances that containers bring: no `/proc`, a root that cannot be written, little memory.

use e2e::parity;
use e2e::parity::{Case, case};

/// A mount namespace of its own, changed by the script before the program starts.
fn mounted(case: Case, script: &str) -> Case {
    case.root()
        .needs(&["unshare", "mount"])
        .under(&["unshare", "--mount", "sh", "-c", script, "sh"])
}

/// `/proc` is taken away before anything of ours starts.
fn without_proc(case: Case) -> Case {
    mounted(case, "umount -l /proc && exec \"$@\"")
}

/// Only the run's own directory can be written.
fn read_only(case: Case) -> Case {
    let script = "cd .. && mount --bind . \"$PWD\" && mount -o remount,bind,ro / && \
                  cd \"$PWD/work\" && exec \"$@\"";
    mounted(case, script)
}

parity! {
    zombies_without_proc: without_proc(case("zombies"));
    processes_without_proc: without_proc(case("spawn_ways"));
    stops_without_proc: without_proc(case("stop_continue"));
    threads_without_proc: without_proc(case("exec_from_thread"));
    zombies_on_a_read_only_root: read_only(case("zombies"));
    relations_on_a_read_only_root: read_only(case("relations"));
    little_address_space:
        case("zombies").needs(&["prlimit"]).under(&["prlimit", "--as=100000000"]);
    few_processes: case("process_limit").user(4711).under_shell("ulimit -u 12; exec \"$@\"");
}
