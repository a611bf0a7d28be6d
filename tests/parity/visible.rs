//! Where a workload can see that it is traced: the whole list, with what it sees.
//!
//! A case here fails when a difference goes away as well, so that the list in
//! `docs/design/parity.md` stays true.

use e2e::parity;
use e2e::parity::{Case, Visible, case, program};
use e2e::target::{self, Linkage};

/// A copy of the program that root owns and that is setuid, run by `nobody`.
fn setuid_copy(rights: &str) -> Case {
    let copy = target::build("setuid", Linkage::Dynamic).unwrap_or_default();
    let script = format!(
        "cp {} s && chmod 4755 s && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
         {rights} \"$@\"",
        copy.display()
    );
    program("./s")
        .root()
        .needs(&["cc", "setpriv"])
        .under_shell(&script)
}

parity! {
    status_of_the_process: case("seen_by_workload").visible(Visible {
        native: "traced: 0\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n\
            prctl no_new_privs 0, seccomp 0\n",
        seccomp: "traced: 1\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n\
            prctl no_new_privs 1, seccomp 2\n",
        full: "traced: 1\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n\
            prctl no_new_privs 0, seccomp 0\n",
    });
    setuid_programs: setuid_copy("").visible(Visible {
        native: "uid 65534, effective 0, secure 1\n",
        seccomp: "uid 65534, effective 65534, secure 0\n",
        full: "uid 65534, effective 65534, secure 1\n",
    });
    setuid_programs_and_a_tracer_with_sys_ptrace:
        setuid_copy("--inh-caps=+sys_ptrace --ambient-caps=+sys_ptrace").visible(Visible {
            native: "uid 65534, effective 0, secure 1\n",
            seccomp: "uid 65534, effective 65534, secure 0\n",
            full: "uid 65534, effective 0, secure 1\n",
        });
    ptrace_of_its_own: case("own_ptrace").visible(Visible {
        native: "traceme: ok\nchild exited 1\nseize: ok\nchild killed by KILL\n",
        seccomp: "traceme: EPERM\nchild exited 1\nseize: EPERM\nchild killed by KILL\n",
        full: "traceme: EPERM\nchild exited 1\nseize: EPERM\nchild killed by KILL\n",
    });
    ignored_signals_end_some_waits:
        case("ignored_signals").args(["epoll", "recv", "sigtimedwait"]).visible(Visible {
            native: "epoll exited 0\nrecv exited 0\nsigtimedwait exited 0\n",
            seccomp: "epoll exited 4\nrecv exited 4\nsigtimedwait exited 4\n",
            full: "epoll exited 4\nrecv exited 4\nsigtimedwait exited 4\n",
        });
}
