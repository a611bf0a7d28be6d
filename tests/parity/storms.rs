//! Many short-lived things at once: threads, processes, signals.

use e2e::parity;
use e2e::parity::case;

parity! {
    threads: case("thread_storm").minutes(6);
    processes: case("fork_storm").minutes(6);
    processes_of_pid_1: case("fork_storm").args(["2000"]).as_pid_1().minutes(6);
    alarms: case("alarm_storm").minutes(6);
    urgent_signals: case("urgent_storm").minutes(6);
}
