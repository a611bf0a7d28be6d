//! Signals: handlers, defaults, stops, interrupted calls, faults.

use e2e::parity;
use e2e::parity::{Case, case};
use nix::sys::signal::Signal;

fn dies_by(signal: &str) -> Case {
    case("die_by").args([signal])
}

fn handles(signal: Signal) -> Case {
    case("wait_for_signal").args(["handle"]).signal(signal)
}

fn ends_at(signal: Signal) -> Case {
    case("wait_for_signal").signal(signal)
}

parity! {
    handlers_run_in_order: case("signals_handled");
    sigterm_from_outside_is_handled: handles(Signal::SIGTERM);
    sigint_from_outside_is_handled: handles(Signal::SIGINT);
    sigquit_from_outside_is_handled: handles(Signal::SIGQUIT);
    sighup_from_outside_is_handled: handles(Signal::SIGHUP);
    sigtrap_from_outside_is_handled: handles(Signal::SIGTRAP);
    sigterm_from_outside_ends_it: ends_at(Signal::SIGTERM);
    sigint_from_outside_ends_it: ends_at(Signal::SIGINT);
    sigquit_from_outside_ends_it: ends_at(Signal::SIGQUIT);
    sigkill_from_outside_ends_it: ends_at(Signal::SIGKILL);
    dies_by_segv: dies_by("SEGV");
    dies_by_fpe: dies_by("FPE");
    dies_by_ill: dies_by("ILL");
    dies_by_bus: dies_by("BUS");
    dies_by_abrt: dies_by("ABRT");
    dies_by_trap: dies_by("TRAP");
    dies_by_pipe: dies_by("PIPE");
    dies_by_xcpu: dies_by("XCPU");
    dies_by_xfsz: dies_by("XFSZ");
    dies_by_sys: dies_by("SYS");
    dies_by_kill: dies_by("KILL");
    dies_by_term: dies_by("TERM");
    dies_by_quit: dies_by("QUIT");
    dies_by_usr1: dies_by("USR1");
    dies_by_alrm: dies_by("ALRM");
    dies_by_a_real_time_signal: dies_by("RTMIN");
    children_die_by_every_signal: case("children_die_by");
    a_parent_hears_of_stop_and_continue: case("stop_continue");
    stops_itself: case("stop_self");
    stopped_while_it_forks: case("stop_while_forking");
    every_thread_stops: case("stop_threads");
    an_orphaned_group_is_hung_up: case("orphaned_group");
    queued_signals_keep_order_and_payload: case("queued_signals");
    children_signal_their_parent: case("child_signals");
    handlers_interrupt_waits: case("interrupted");
    stops_do_not_interrupt_waits: case("restarted");
    ignored_signals_do_not_interrupt: case("ignored_signals").args(["poll", "read"]);
    a_parents_death_is_signalled: case("death_signal");
    faults_are_the_programs_own: case("faults");
}
