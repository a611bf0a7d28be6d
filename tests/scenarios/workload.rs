//! The workload is what it is without us: exit codes, signals, first process, users, images.
//!
//! Each test runs the same definition plain and patched, and compares.

use e2e::fargate::Setup;
use e2e::fargate::task::Task;
use e2e::lab::{self, GLIBC, Lab, MUSL};
use e2e::stage::{WEB_IMAGE, WORKER_IMAGE};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::words::{SIDECAR, deadline, shell, task, wait_for_alert, with};

/// Runs a definition twice: as it is, and patched.
fn both(lab: &Lab, containers: &[Value]) -> [Task; 2] {
    let plain = task(containers);
    let patched = lab::patched(&plain, &[]);
    [
        lab.run(&plain, Setup::default()),
        lab.run(&patched, Setup::default()),
    ]
}

#[test]
fn exit_codes_are_the_workloads() {
    let Some(lab) = Lab::open("exit_codes_are_the_workloads") else {
        return;
    };
    for (script, code) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -9 $$; exit 3", 3),
        ("nonsense", 127),
    ] {
        for task in both(lab, &[shell("a", script)]) {
            let found = task.wait_for_exit("a", deadline()).unwrap();
            assert_eq!(found, code, "`{script}`:\n{}", task.output("a"));
        }
    }
}

#[test]
fn the_first_process_looks_the_same() {
    let Some(lab) = Lab::open("the_first_process_looks_the_same") else {
        return;
    };
    let look = "echo pid $$ parent $PPID; readlink /proc/1/exe; tr '\\0' ' ' </proc/1/cmdline; echo; \
                cut -d' ' -f4-8 /proc/1/stat; ls /proc/self/fd; grep -E '^(Uid|SigBlk|SigIgn|SigCgt)' /proc/1/status";
    let outputs = both(lab, &[shell("a", look)]).map(|task| {
        task.wait_for_exit("a", deadline()).unwrap();
        task.output("a")
    });
    assert!(outputs[0].starts_with("pid 1 parent 0\n"), "{}", outputs[0]);
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn sigterm_reaches_the_workload_and_its_handler() {
    let Some(lab) = Lab::open("sigterm_reaches_the_workload_and_its_handler") else {
        return;
    };
    let orderly = "trap 'echo bye; exit 9' TERM; echo up; while true; do sleep 0.1; done";
    for task in both(lab, &[shell("a", orderly)]) {
        task.wait_for_line("a", "up", deadline()).unwrap();
        task.stop();
        assert_eq!(
            task.wait_for_exit("a", deadline()).unwrap(),
            9,
            "{}",
            task.output("a")
        );
        assert!(task.output("a").contains("bye"));
    }
}

#[test]
fn a_first_process_without_a_handler_ignores_sigterm_and_dies_by_sigkill() {
    let Some(lab) =
        Lab::open("a_first_process_without_a_handler_ignores_sigterm_and_dies_by_sigkill")
    else {
        return;
    };
    for task in both(lab, &[shell("a", "echo up; exec sleep 600")]) {
        task.wait_for_line("a", "up", deadline()).unwrap();
        task.signal("a", Signal::SIGTERM).unwrap();
        task.stop();
        assert_eq!(task.wait_for_exit("a", deadline()).unwrap(), 137);
    }
}

#[test]
fn readonly_roots_and_other_users_work() {
    let Some(lab) = Lab::open("readonly_roots_and_other_users_work") else {
        return;
    };
    let definition = task(&[with(
        shell(
            "a",
            "id -u; touch /x || echo read-only; sh -c 'cat /etc/passwd >/dev/null'; exit 4",
        ),
        &json!({"user": "1000:1000", "readonlyRootFilesystem": true}),
    )]);
    let patched = lab.run(&lab::patched(&definition, &[]), Setup::default());
    assert_eq!(
        patched.wait_for_exit("a", deadline()).unwrap(),
        4,
        "{}",
        patched.output("a")
    );
    let output = patched.output("a");
    assert!(
        output.contains("1000\n") && output.contains("read-only\n"),
        "{output}"
    );
}

#[test]
fn other_users_are_watched_too() {
    let Some(lab) = Lab::open("other_users_are_watched_too") else {
        return;
    };
    // A client of the credential endpoint that is no AWS program.
    let script = "wget -qO- http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; sleep 1";
    let definition = task(&[with(
        shell("a", script),
        &json!({"user": "1000:1000", "readonlyRootFilesystem": true}),
    )]);
    let task = lab.run(&lab::patched(&definition, &[]), Setup::default());
    let alert = wait_for_alert(&task, "an alert of user 1000", |alert| {
        alert.field("container.name") == "a" && alert.rule.to_lowercase().contains("credential")
    });
    assert!(alert.output.contains("wget"), "{alert:?}");
}

#[test]
fn a_shell_of_ecs_exec_is_watched_like_any_other() {
    let Some(lab) = Lab::open("a_shell_of_ecs_exec_is_watched_like_any_other") else {
        return;
    };
    let definition = lab::patched(&task(&[shell("a", "echo up; exec sleep 600")]), &[]);
    let task = lab.run(&definition, Setup::default());
    task.wait_for_line("a", "up", deadline()).unwrap();
    // Long enough to be found; then it does what an intruder does.
    let script = "sleep 5; echo x > /bin/dropped; sleep 1; exit 8";
    let done = task.run_beside("a", &["sh", "-c", script]).unwrap();
    assert_eq!(done.status.code(), Some(8), "{done:?}");
    wait_for_alert(&task, "an alert of its entry", |alert| {
        alert.field("container.name") == "a" && alert.rule == "Process entered the container"
    });
    let alert = wait_for_alert(&task, "an alert of what it does", |alert| {
        alert.field("container.name") == "a" && alert.rule == "Write below a binary directory"
    });
    assert!(alert.output.contains("/bin/dropped"), "{alert:?}");
    task.stop();
}

#[test]
fn without_a_sidecar_the_workload_runs() {
    let Some(lab) = Lab::open("without_a_sidecar_the_workload_runs") else {
        return;
    };
    let mut definition = lab::patched(&task(&[shell("a", "echo ran; exit 6")]), &[]);
    let containers = definition["containerDefinitions"].as_array_mut().unwrap();
    for container in containers.iter_mut().filter(|one| one["name"] == SIDECAR) {
        // It ends at once, so that nobody ever listens.
        container["command"] = json!(["--version"]);
    }
    let task = lab.run(&definition, Setup::default());
    assert_eq!(
        task.wait_for_exit("a", deadline()).unwrap(),
        6,
        "{}",
        task.output("a")
    );
    assert!(task.output("a").contains("ran"));
}

#[test]
fn scratch_images_work() {
    let Some(lab) = Lab::open("scratch_images_work") else {
        return;
    };
    let containers = [
        json!({"name": "web", "image": WEB_IMAGE, "entryPoint": ["/usr/local/bin/example-web"],
               "portMappings": [{"containerPort": 8080}]}),
        json!({"name": "worker", "image": WORKER_IMAGE, "essential": false, "user": "1000",
               "entryPoint": ["/usr/local/bin/example-worker"], "readonlyRootFilesystem": true,
               "dependsOn": [{"containerName": "web", "condition": "START"}]}),
    ];
    for task in both(lab, &containers) {
        task.wait_for_line("worker", "working", deadline()).unwrap();
        task.wait_for_line("web", "listening", deadline()).unwrap();
        task.stop();
        assert_eq!(
            task.wait_for_exit("worker", deadline()).unwrap(),
            0,
            "{}",
            task.output("worker")
        );
        assert_eq!(
            task.wait_for_exit("web", deadline()).unwrap(),
            0,
            "{}",
            task.output("web")
        );
    }
}

#[test]
fn musl_images_work() {
    let Some(lab) = Lab::open("musl_images_work") else {
        return;
    };
    if !lab.has(MUSL) {
        return lab::skip(
            "musl_images_work",
            "`musl-gcc` is not installed (package musl-tools)",
        );
    }
    let containers = [json!({"name": "a", "image": MUSL, "entryPoint": ["/usr/local/bin/hello"]})];
    for task in both(lab, &containers) {
        assert_eq!(
            task.wait_for_exit("a", deadline()).unwrap(),
            7,
            "{}",
            task.output("a")
        );
        assert_eq!(task.output("a"), "musl pid 1\n");
    }
}

#[test]
fn glibc_images_work() {
    let Some(lab) = Lab::open("glibc_images_work") else {
        return;
    };
    let script = "declare -A map=([x]=5); echo $BASHPID $(id -u); exit ${map[x]}";
    let containers =
        [json!({"name": "a", "image": GLIBC, "entryPoint": ["/bin/bash", "-c", script]})];
    for task in both(lab, &containers) {
        assert_eq!(
            task.wait_for_exit("a", deadline()).unwrap(),
            5,
            "{}",
            task.output("a")
        );
        assert_eq!(task.output("a"), "1 0\n");
    }
}

#[test]
fn init_processes_and_shared_process_namespaces_work() {
    let Some(lab) = Lab::open("init_processes_and_shared_process_namespaces_work") else {
        return;
    };
    let with_init = with(
        shell("a", "exit 8"),
        &json!({"linuxParameters": {"initProcessEnabled": true}}),
    );
    for task in both(lab, std::slice::from_ref(&with_init)) {
        assert_eq!(
            task.wait_for_exit("a", deadline()).unwrap(),
            8,
            "{}",
            task.output("a")
        );
    }
    let mut shared = task(&[shell("a", "exit 8")]);
    shared["pidMode"] = json!("task");
    let task = lab.run(&lab::patched(&shared, &[]), Setup::default());
    assert_eq!(
        task.wait_for_exit("a", deadline()).unwrap(),
        8,
        "{}",
        task.output("a")
    );
}
