//! Attacks on the tracer itself.

use std::fs;
use std::process::{Command, Stdio};

use e2e::pace::Deadline;
use e2e::parity::End;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::watched::{Watched, root, target};

/// A pid namespace with its own `/proc`.
const NAMESPACE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

#[test]
fn every_way_to_harm_the_tracer_is_refused_and_told() {
    let test = "every_way_to_harm_the_tracer_is_refused_and_told";
    let Some(program) = target(test, "attack_tracer") else {
        return;
    };
    let told = Watched::new().run(&[&program]);
    let (attempts, last) = told
        .outcome
        .stdout
        .trim_end()
        .rsplit_once('\n')
        .expect("many lines");
    let through: Vec<&str> = attempts
        .lines()
        .filter(|line| !line.ends_with(": refused"))
        .collect();
    assert_eq!(through, Vec::<&str>::new(), "{}", told.outcome);
    assert!(attempts.lines().count() >= 100, "{}", told.outcome);
    assert!(last.starts_with("still traced: 1"), "{}", told.outcome);
    told.expect_alert("tampering");
    if last.ends_with("file ok") {
        // What comes after the attacks is seen as ever.
        told.expect_alert("sensitive file");
    }
}

#[test]
fn killing_everybody_spares_the_tracer() {
    let test = "killing_everybody_spares_the_tracer";
    let Some(program) = target(test, "attack_kill_all").filter(|_| root(test)) else {
        return;
    };
    let told = Watched::new().under(NAMESPACE).run(&[&program]);
    let round = |signal| {
        format!(
            "kill(-1): ok\n{}",
            format!("child killed by {signal}\n").repeat(3)
        )
    };
    let rounds = ["KILL", "TERM", "KILL"].map(round).concat();
    let expected = format!("{rounds}goes on: ok\n");
    assert_eq!(told.outcome.stdout, expected, "{}", told.outcome);
    assert_eq!(told.outcome.end, End::Exit(0));
    told.expect_alert("sensitive file");
}

/// `ps`, `lsof`, `ss` and their kin read the environment or the descriptors of every process. They
/// get of the tracer's what they get of another user's, and nobody is called for it.
#[test]
fn looking_at_every_process_is_no_attack() {
    let script = "cat /proc/*/environ | wc -l; ls /proc/*/fd | wc -l; cd /proc/$$ && cat ../*/environ | wc -l; \
                  cat /proc/self/root/proc/*/environ | wc -l";
    let told = Watched::new().run(&["sh", "-c", script]);
    assert_eq!(told.outcome.end, End::Exit(0), "{}", told.outcome);
    assert!(
        !told.outcome.stderr.contains("Operation not permitted"),
        "{}",
        told.outcome
    );
    assert!(told.alerts("tampering").is_empty(), "{:?}", told.rules());
    let tracer = "/proc/$(sed -n 's/TracerPid:[^0-9]*//p' /proc/self/status)";
    // Nor does a search for the workload's command line find the tracer.
    let name = format!("tr -d '\\0' < {tracer}/cmdline; cat {tracer}/comm");
    let told = Watched::new().run(&["sh", "-c", &name]);
    assert_eq!(
        told.outcome.stdout, "instrument: tracerinstrument\n",
        "{}",
        told.outcome
    );
    Watched::new()
        .run(&["sh", "-c", &format!("cat {tracer}/mem")])
        .expect_alert("tampering");
}

/// In a pid namespace, whose processes are all that these calls reach.
#[test]
fn slowing_down_a_user_does_not_slow_down_the_tracer() {
    let test = "slowing_down_a_user_does_not_slow_down_the_tracer";
    let Some(program) = target(test, "attack_user").filter(|_| root(test)) else {
        return;
    };
    let told = Watched::new().under(NAMESPACE).run(&[&program]);
    let expected = "setpriority, own user: EPERM\nsetpriority, named user: EPERM\n\
        ioprio_set, own user: EPERM\nioprio_set, named user: EPERM\n\
        setpriority, other user: ESRCH\nsetpriority, itself: ok\n";
    assert_eq!(told.outcome.stdout, expected, "{}", told.outcome);
    told.expect_alert("tampering");
}

/// By a mount of the same `/proc`, by a new one, and from a pid namespace below.
#[test]
fn another_proc_does_not_lead_to_the_tracer() {
    let test = "another_proc_does_not_lead_to_the_tracer";
    if !root(test) {
        return;
    }
    let script = "t=$(sed -n 's/^TracerPid:[^0-9]*//p' /proc/self/status)\n\
        try() { (exec 3<\"$1/$t/mem\") 2>/dev/null && echo \"$2: OPENED\" || echo \"$2: refused\"; }\n\
        mkdir proc && try /proc directly\n\
        mount --bind /proc proc && try proc 'bound'; umount proc\n\
        mount -t proc proc proc && try proc 'mounted'; umount proc\n\
        unshare --pid --fork sh -c '(exec 3<\"/proc/$0/mem\") 2>/dev/null || echo below: refused' $t";
    let told = Watched::new().run(&["unshare", "--mount", "sh", "-c", script]);
    let expected = "directly: refused\nbound: refused\nmounted: refused\nbelow: refused\n";
    assert_eq!(told.outcome.stdout, expected, "{}", told.outcome);
    let tampers = told.alerts("tampering").len();
    assert_eq!(tampers, 4, "{:#?}", told.rules());
    told.expect_alert("mount tried");
}

/// From outside of the container the tracer can be killed; then the workload ends with it and never
/// runs unseen.
#[test]
fn without_its_tracer_the_workload_ends() {
    let watched = Watched::new();
    let words = watched.command(&["sh", "-c", "sleep 1000 & echo $!; wait"]);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdout(Stdio::piped())
        .spawn()
        .expect("instrument starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)
        .expect("the shell says its child's pid");
    let grandchild = line.trim().to_owned();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"))
        .and_then(|pid| pid.trim().parse().ok())
        .expect("it is traced");
    kill(Pid::from_raw(tracer), Signal::SIGKILL).expect("we may");
    let end = End::from(child.wait().expect("our child"));
    let killed = End::Signal {
        number: 9,
        core: false,
    };
    assert_eq!(end, killed);
    let is_gone = || {
        let status = fs::read_to_string(format!("/proc/{grandchild}/status")).unwrap_or_default();
        (status.is_empty() || status.contains("State:\tZ")).then_some(())
    };
    let gone = Deadline::seconds(120).poll(is_gone);
    assert_eq!(gone, Some(()), "process {grandchild} lives on untraced");
}
