//! Many short-lived things at once: threads, processes, signals.

use e2e::parity;
use e2e::parity::case;

parity! {
    threads: case("thread_storm").minutes(5);
    processes: case("fork_storm").minutes(5);
    processes_of_pid_1: case("fork_storm").args(["2000"]).as_pid_1().minutes(5);
    alarms: case("alarm_storm").minutes(5);
    urgent_signals: case("urgent_storm").minutes(5);
}
