//! Terminals: job control, sizes, the foreground.

use e2e::parity;
use e2e::parity::{case, program};

/// What a person does at a prompt: a job stopped, listed, put behind and brought back.
const JOBS: &str = "\
set -m
sleep 0.2 & wait $!; echo waited $?
sh -c 'kill -STOP $$; exit 3' ; echo stopped $?
jobs | sed 's/[0-9][0-9]*//g'
fg >/dev/null; echo back $?
(exit 6) & wait %%; echo job $?
trap 'echo int' INT; kill -INT $$
tty | sed 's/[0-9].*//'
exit 11
";

parity! {
    job_control_on_a_terminal_of_its_own: case("tty_background");
    relations_on_a_terminal: case("relations").args(["terminal"]).in_terminal();
    a_shell_with_jobs: program("bash").args(["--norc", "-c", JOBS]).in_terminal();
    a_shell_with_jobs_but_no_terminal: program("bash").args(["--norc", "-c", "set -m\nsleep 0.1 &\nwait $!; echo $?"]);
    size_of_the_terminal: program("stty").args(["-a"]).in_terminal();
}
