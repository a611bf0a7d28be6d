//! Ways around a tracer that looks at system calls.

use e2e::parity::End;

use crate::watched::{Watched, root, target};

/// The tracer reads a path before the kernel does; a second thread changes it in between. What is
/// told once the call has returned is what the kernel really opened.
#[test]
fn a_racing_thread_cannot_hide_what_was_opened() {
    let test = "a_racing_thread_cannot_hide_what_was_opened";
    let Some(program) = target(test, "attack_race").filter(|_| root(test)) else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    let really: Vec<&str> = told.outcome.stdout.lines().collect();
    let opened: Vec<&str> = told
        .events("openat")
        .iter()
        .filter(|event| event["outcome"]["returned"].as_i64() >= Some(0))
        .filter_map(|event| event["fd"]["name"].as_str())
        .filter(|name| ["/etc/shadow", "/etc/hostname"].contains(name))
        .collect();
    assert_eq!(opened, really, "{}", told.outcome);
    let hidden = really.iter().filter(|name| **name == "/etc/shadow").count();
    assert!(hidden > 0, "the race was never won: {}", told.outcome);
}

/// An alert names the file that was opened, not the one that was asked for.
#[test]
fn an_alert_names_what_was_opened() {
    let Some(program) = target("an_alert_names_what_was_opened", "attack_race") else {
        return;
    };
    let told = Watched::new().run(&[&program]);
    for alert in told.alerts("sensitive file") {
        assert_eq!(alert["output_fields"]["fd.name"], "/etc/shadow", "{alert}");
    }
}

#[test]
fn untraced_clones_are_traced_and_told() {
    let Some(program) = target("untraced_clones_are_traced_and_told", "clone_untraced") else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    assert_eq!(told.outcome.stdout, "clone exited 60\nclone3 exited 60\n");
    let shells = told
        .events("execve")
        .iter()
        .filter(|event| event["processes"][0]["comm"] == "sh")
        .count();
    assert_eq!(shells, 2, "a shell of each untraced child is seen");
    told.expect_alert("hidden from tracing");
}

#[test]
fn calls_of_32_bit_programs_are_seen() {
    let Some(program) = target("calls_of_32_bit_programs_are_seen", "int80") else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    if told.outcome.stdout.contains("no i386 calls") {
        return e2e::parity::skip("calls_of_32_bit_programs_are_seen", "no i386 calls here");
    }
    for (kind, name) in [("open", "/etc/hostname"), ("openat", "/no/such/file")] {
        let found = told.events(kind);
        let is_there = found.iter().any(|event| event["fd"]["name"] == name);
        assert!(is_there, "no {kind} of {name}: {found:#?}");
    }
    assert!(!told.events("socket").is_empty(), "socketcall is read");
    let execs = told.events("execve");
    let is_shell = |event: &&&serde_json::Value| event["processes"][0]["comm"] == "sh";
    assert_eq!(execs.iter().filter(is_shell).count(), 1, "{execs:#?}");
}

#[test]
fn programs_from_memory_are_told() {
    let Some(program) = target("programs_from_memory_are_told", "attack_memfd") else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    assert_eq!(told.outcome.end, End::Exit(0), "{}", told.outcome);
    let from_memory = told
        .lines_with_memfd()
        .filter(|line| line["kind"].is_string())
        .count();
    assert_eq!(from_memory, 2, "{:?}", told.rules());
    assert!(told.alerts("memory").len() >= 2, "{:?}", told.rules());
}

#[test]
fn rings_are_told_and_refused_when_asked_for() {
    let Some(program) = target("rings_are_told", "attack_io_uring") else {
        return;
    };
    let told = Watched::new().run(&[&program]);
    if told.outcome.stdout.contains("ENOSYS") {
        return e2e::parity::skip(
            "rings_are_told_and_refused_when_asked_for",
            "no io_uring here",
        );
    }
    told.expect_alert("io_uring");
    let told = Watched::new()
        .set("WORKLOAD_AGENT_IO_URING", "deny")
        .run(&[&program]);
    assert_eq!(told.outcome.stdout, "io_uring_setup: EPERM\n");
    told.expect_alert("io_uring");
}

#[test]
fn reaching_into_another_process_is_seen() {
    let Some(program) = target("reaching_into_another_process_is_seen", "attack_inject") else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    for kind in ["process_vm_writev", "ptrace"] {
        assert_eq!(told.events(kind).len(), 1, "{kind}: {}", told.outcome);
    }
    let opens = told.events("openat");
    let is_memory = |event: &&&serde_json::Value| {
        let name = event["fd"]["name"].as_str().unwrap_or_default();
        name.starts_with("/proc/") && name.ends_with("/mem")
    };
    assert_eq!(opens.iter().filter(is_memory).count(), 1, "{opens:#?}");
    told.expect_alert("debugger");
}

/// Whatever a program puts into registers and memory, the tracer makes an event of it and goes on.
#[test]
fn arguments_that_nothing_can_be_made_of_are_no_fault() {
    let test = "arguments_that_nothing_can_be_made_of_are_no_fault";
    let Some(program) = target(test, "hostile_arguments") else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    assert_eq!(told.outcome.end, End::Exit(0), "{}", told.outcome);
    assert!(told.events("openat").len() > 20, "{:?}", told.rules());
    assert_eq!(told.own_alerts(), Vec::<&str>::new());
}

/// Ways to a file that are there in every container, and whose text names another file.
#[test]
fn a_file_is_told_by_whatever_path_it_was_reached() {
    let test = "a_file_is_told_by_whatever_path_it_was_reached";
    if !root(test) {
        return;
    }
    for script in [
        "cat /proc/self/root/etc/shadow",
        "cat /proc/self/root/../etc/shadow",
        "cat /proc/$$/root/etc/shadow",
        "cd /proc/self; cat root/etc/shadow",
        "exec 3</etc; cat /proc/self/fd/3/shadow",
        "exec 3</etc; cat /dev/fd/3/shadow",
        "cd /etc; cat ./shadow",
        "cd /etc; cat /proc/self/cwd/shadow",
        "cd /; cat //etc/./shadow",
        // Up from where a link leads, not from where it is.
        "exec 3</etc/ssl; cat /proc/self/fd/3/../shadow",
    ] {
        let told = Watched::new().run(&["sh", "-c", script]);
        assert_eq!(told.outcome.end, End::Exit(0), "{script}: {}", told.outcome);
        let names: Vec<_> = told
            .alerts("sensitive file")
            .iter()
            .map(|alert| alert["output_fields"]["fd.name"].clone())
            .collect();
        assert_eq!(names, ["/etc/shadow"], "{script}");
    }
}

/// Pages for writing only are ones that the kernel reads and that a debugger's usual call does not.
#[test]
fn arguments_in_hidden_memory_are_seen() {
    let test = "arguments_in_hidden_memory_are_seen";
    let Some(program) = target(test, "attack_unseen") else {
        return;
    };
    let told = Watched::new().events().run(&[&program]);
    for (kind, names) in [
        ("openat", ["/etc/hostname", "/etc/shadow", "/etc/passwd"]),
        ("connect", ["127.0.0.71", "127.0.0.72", "127.0.0.73"]),
        ("openat2", ["/etc/shadow"; 3]),
    ] {
        let events = told.events(kind);
        for name in names {
            let is_there = events.iter().any(|event| event.to_string().contains(name));
            assert!(is_there, "no {kind} of {name}: {}", told.outcome);
        }
    }
    let opened_again = told
        .events("openat")
        .iter()
        .filter(|event| event["fd"]["name"] == "/etc/hostname")
        .count();
    assert_eq!(opened_again, 2, "{}", told.outcome);
    told.expect_alert("sensitive file");
}

/// Whatever would let calls pass unseen, hide their arguments or hold up the tracer.
#[test]
fn what_would_blind_the_tracer_is_refused_and_told() {
    let test = "what_would_blind_the_tracer_is_refused_and_told";
    let Some(program) = target(test, "attack_unseen") else {
        return;
    };
    let told = Watched::new().run(&[&program]);
    let last: Vec<&str> = told.outcome.stdout.lines().skip(8).collect();
    let expected = [
        "memfd_secret: ENOSYS",
        "userfaultfd: EPERM",
        "listener: EBUSY",
        "listener: EBUSY",
    ];
    assert_eq!(last, expected, "{}", told.outcome);
    for rule in ["secret memory", "page faults", "listener refused"] {
        told.expect_alert(rule);
    }
}

/// There each call stops before any filter is asked.
#[test]
fn a_listener_works_where_every_call_stops() {
    let test = "a_listener_works_where_every_call_stops";
    let Some(program) = target(test, "attack_unseen") else {
        return;
    };
    let told = Watched::new()
        .set("WORKLOAD_AGENT_MODE", "full")
        .run(&[&program]);
    let has_listener = told.outcome.stdout.ends_with("listener: ok\n");
    assert!(has_listener, "{}", told.outcome);
    told.expect_alert("listener made");
}

#[test]
fn a_program_under_another_name_is_told_by_its_own() {
    let test = "a_program_under_another_name_is_told_by_its_own";
    let Some(program) = target(test, "attack_disguise").filter(|_| root(test)) else {
        return;
    };
    let told = Watched::new().run(&[&program, "hidden"]);
    assert_eq!(told.outcome.stdout, "open: ok\n", "{}", told.outcome);
    let alerts = told.alerts("sensitive file");
    let fields: Vec<_> = alerts.iter().map(|alert| &alert["output_fields"]).collect();
    assert_eq!(fields.len(), 1, "{alerts:#?}");
    assert_eq!(fields[0]["proc.name"], "attack_disguise");
    assert_eq!(fields[0]["proc.cmdline"], "attack_disguise hidden");
}
