//! What the start hands on, and starts that fail.

use e2e::parity;
use e2e::parity::{Case, case, program};

/// A little below what the kernel takes: two megabytes with pointers and the tracer's own words.
fn long_arguments() -> Case {
    let word = "a".repeat(100_000);
    case("arguments").args((0..19).map(|index| format!("{index}{word}")))
}

fn many_arguments() -> Case {
    case("arguments").args((0..100_000).map(|index| format!("{index}")))
}

/// A file in the run's own directory, made by the shell that starts both runs.
fn script(first_line: &str) -> Case {
    let make = format!(
        "printf '%s\\n' '{first_line}' 'echo $0 $# $1' 'exit 9' >s; chmod +x s; exec \"$@\""
    );
    program("./s").under_shell(&make).args(["one", "two"])
}

parity! {
    everything_is_handed_on: case("surroundings");
    everything_is_handed_on_without_root: case("surroundings").user(65534);
    ignored_signals_stay_ignored:
        case("surroundings").under_shell("trap '' PIPE HUP USR1 CHLD; exec \"$@\"");
    blocked_signals_stay_blocked: case("surroundings").under(&["env", "--block-signal=USR2,TERM"]);
    limits_stay: case("surroundings").under_shell("ulimit -n 77; ulimit -s 1024; exec \"$@\"");
    umask_and_nice_stay: case("surroundings").under_shell("umask 027; exec nice -n 5 \"$@\"");
    descriptors_stay:
        case("surroundings").under_shell("exec 7</dev/null 9>/dev/null; exec \"$@\"");
    low_limit_of_descriptors: case("surroundings").under_shell("ulimit -n 8; exec \"$@\"");
    death_signal_stays: case("surroundings").needs(&["setpriv"]).under(&["setpriv", "--pdeathsig", "TERM"]);
    capabilities_stay:
        case("surroundings").root().needs(&["setpriv"])
            .under(&["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-sys_admin"]);
    no_new_privs_before:
        case("relations").needs(&["setpriv"]).under(&["setpriv", "--no-new-privs"]);
    empty_environment: case("arguments").under(&["env", "-i"]);
    two_megabytes_of_arguments: long_arguments();
    a_hundred_thousand_arguments: many_arguments();
    an_empty_argument: case("arguments").args(["", "", "--", "--output"]);
    closed_stdin: case("closed_stdin").under_shell("exec \"$@\" <&-");
    closed_stdin_and_stdout: case("closed_stdin").under_shell("exec \"$@\" <&- >&-");
    input_from_a_pipe: program("cat").input("a\nb\n");
    output_to_a_closed_pipe:
        program("yes").under_shell("\"$@\" | head -n 1; exec sh -c 'exit 0'");
    a_script: script("#!/bin/sh");
    a_script_with_an_argument: script("#!/bin/sh -e");
    a_script_of_a_script: script("#!/usr/bin/env sh");
    found_on_the_path: program("/usr/bin/env").args(["sh", "-c", "echo $0; exit 4"]);
    another_argv0:
        program("bash").needs(&["bash"]).args(["-c", "exec -a other sh -c 'echo $0; exit 5'"]);
}
