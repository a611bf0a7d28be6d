//! The small Fargate itself: what ECS promises to a task, without the agent.

use e2e::fargate::Setup;
use e2e::fargate::lifecycle::State;
use e2e::lab::{self, Lab};
use e2e::stage::{WEB_IMAGE, WORKER_IMAGE};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::words::{deadline, shell, task, with};

#[test]
fn processes_share_a_network_and_end_in_order() {
    let definition = task(&[
        json!({"name": "web", "image": WEB_IMAGE, "entryPoint": ["/usr/local/bin/example-web"],
               "environment": [{"name": "PORT", "value": "8080"}],
               "portMappings": [{"containerPort": 8080}]}),
        json!({"name": "worker", "image": WORKER_IMAGE, "essential": false,
               "entryPoint": ["/usr/local/bin/example-worker"],
               "environment": [{"name": "PORT", "value": "8080"}, {"name": "PERIOD_MS", "value": "20"}],
               "dependsOn": [{"containerName": "web", "condition": "START"}]}),
    ]);
    let (task, _images) = lab::run_as_processes(&definition, Vec::new()).unwrap();
    task.wait_for_line("web", "listening", deadline()).unwrap();
    task.wait_for_line("worker", "working", deadline()).unwrap();
    let mut server = task.connect(8080).unwrap();
    server.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    server.read_to_string(&mut page).unwrap();
    assert!(page.ends_with("hello\n"), "{page}");
    task.stop();
    assert_eq!(task.wait_for_exit("worker", deadline()).unwrap(), 0);
    assert_eq!(task.wait_for_exit("web", deadline()).unwrap(), 0);
    assert!(
        task.output("web").contains("SIGTERM: closing"),
        "{}",
        task.output("web")
    );
}

#[test]
fn metadata_and_credentials_answer_on_the_tasks_own_loopback() {
    let Some(lab) = Lab::open("metadata_and_credentials_answer_on_the_tasks_own_loopback") else {
        return;
    };
    let ask = "wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task; echo; \
               wget -qO- http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    let task = lab.run(&task(&[shell("a", ask)]), Setup::default());
    assert_eq!(
        task.wait_for_exit("a", deadline()).unwrap(),
        0,
        "{}",
        task.output("a")
    );
    let output = task.output("a");
    let mut lines = output.lines();
    let answer: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(answer["TaskARN"], task.identity().task_arn());
    assert_eq!(answer["Containers"][0]["Name"], "a");
    let credentials: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert!(credentials["SecretAccessKey"].is_string());
}

#[test]
fn nothing_but_loopback_is_in_the_namespace() {
    let Some(lab) = Lab::open("nothing_but_loopback_is_in_the_namespace") else {
        return;
    };
    let task = lab.run(
        &task(&[shell("a", "cut -d: -f1 /proc/net/dev | tr -d ' '")]),
        Setup::default(),
    );
    assert_eq!(task.wait_for_exit("a", deadline()).unwrap(), 0);
    let output = task.output("a");
    let interfaces: Vec<&str> = output.lines().filter(|line| !line.contains('|')).collect();
    assert_eq!(interfaces, ["lo"]);
}

#[test]
fn users_capabilities_and_readonly_roots_are_the_definitions() {
    let Some(lab) = Lab::open("users_capabilities_and_readonly_roots_are_the_definitions") else {
        return;
    };
    // One stream: two have no order between them.
    let look = "exec 2>&1; id -u; grep -E '^Cap(Eff|Bnd)' /proc/self/status; touch /tmp/x && echo writable; \
                echo pid $$";
    let definition = task(&[
        with(shell("plain", look), &json!({"essential": false})),
        with(
            shell("strict", look),
            // Its end ends the task, so that it comes last.
            &json!({"user": "1000:1000", "readonlyRootFilesystem": true,
                    "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}},
                    "dependsOn": [{"containerName": "plain", "condition": "COMPLETE"}]}),
        ),
    ]);
    let task = lab.run(&definition, Setup::default());
    for name in ["plain", "strict"] {
        task.wait_for_exit(name, deadline()).unwrap();
    }
    let plain = task.output("plain");
    assert!(
        plain.starts_with("0\n") && plain.contains("writable\npid 1\n"),
        "{plain}"
    );
    let strict = task.output("strict");
    assert!(
        strict.starts_with("1000\n") && !strict.contains("writable\n"),
        "{strict}"
    );
    // A user other than root has no capability in effect; the bounding set has the added one.
    assert!(strict.contains("CapEff:\t0000000000000000"), "{strict}");
    assert!(strict.contains("CapBnd:\t00000000a80c25fb"), "{strict}");
}

#[test]
fn volumes_come_from_containers() {
    let Some(lab) = Lab::open("volumes_come_from_containers") else {
        return;
    };
    let definition = task(&[
        with(
            shell(
                "reader",
                "ls -l /opt/draios/bin; touch /opt/draios/run/x || echo read-only",
            ),
            &json!({"volumesFrom": [{"sourceContainer": "agent", "readOnly": true}]}),
        ),
        json!({"name": "agent", "image": e2e::stage::AGENT_IMAGE, "essential": false,
               "entryPoint": ["/opt/draios/bin/sidecar"], "command": ["--version"]}),
    ]);
    let task = lab.run(&definition, Setup::default());
    task.wait_for_exit("reader", deadline()).unwrap();
    let output = task.output("reader");
    assert!(
        output.contains("instrument") && output.contains("sidecar"),
        "{output}"
    );
    assert!(output.contains("read-only"), "{output}");
}

#[test]
fn who_ignores_sigterm_is_killed_after_the_stop_timeout() {
    let Some(lab) = Lab::open("who_ignores_sigterm_is_killed_after_the_stop_timeout") else {
        return;
    };
    let stubborn = "trap '' TERM; echo up; while true; do sleep 1; done";
    let orderly = "trap 'exit 5' TERM; echo up; while true; do sleep 0.1; done";
    let definition = task(&[
        with(
            shell("orderly", orderly),
            &json!({"dependsOn": [{"containerName": "stubborn", "condition": "START"}]}),
        ),
        with(shell("stubborn", stubborn), &json!({"stopTimeout": 1})),
    ]);
    let task = lab.run(&definition, Setup::default());
    task.wait_for_line("stubborn", "up", deadline()).unwrap();
    task.wait_for_line("orderly", "up", deadline()).unwrap();
    task.stop();
    assert_eq!(task.wait_for_exit("orderly", deadline()).unwrap(), 5);
    assert_eq!(task.wait_for_exit("stubborn", deadline()).unwrap(), 137);
}

#[test]
fn health_and_success_order_the_starts() {
    let Some(lab) = Lab::open("health_and_success_order_the_starts") else {
        return;
    };
    let healthy = "while [ ! -f /tmp/go ]; do sleep 0.1; done; echo ready; touch /tmp/ok; sleep 60";
    let definition = task(&[
        with(
            shell("last", "echo ran"),
            &json!({"dependsOn": [
                {"containerName": "service", "condition": "HEALTHY"},
                {"containerName": "init", "condition": "SUCCESS"},
            ]}),
        ),
        with(
            shell("service", healthy),
            &json!({"essential": false, "healthCheck":
                {"command": ["CMD-SHELL", "test -f /tmp/ok"], "interval": 1, "retries": 10, "startPeriod": 300}}),
        ),
        with(shell("init", "true"), &json!({"essential": false})),
    ]);
    let task = lab.run(&definition, Setup::default());
    assert_eq!(task.wait_for_exit("init", deadline()).unwrap(), 0);
    assert_eq!(task.state("last").unwrap(), State::Pending);
    let go = task
        .run_beside("service", &["/bin/touch", "/tmp/go"])
        .unwrap();
    assert!(go.status.success(), "{go:?}");
    assert_eq!(task.wait_for_exit("last", deadline()).unwrap(), 0);
    assert!(task.wait_until_over(deadline()));
}

#[test]
fn an_essential_containers_end_ends_the_task() {
    let Some(lab) = Lab::open("an_essential_containers_end_ends_the_task") else {
        return;
    };
    let definition = task(&[
        shell(
            "main",
            "trap 'exit 3' USR1; echo up; while true; do sleep 0.1; done",
        ),
        with(
            shell("helper", "echo up; exec sleep 600"),
            &json!({"essential": false}),
        ),
    ]);
    let task = lab.run(&definition, Setup::default());
    task.wait_for_line("main", "up", deadline()).unwrap();
    task.wait_for_line("helper", "up", deadline()).unwrap();
    task.signal("main", Signal::SIGUSR1).unwrap();
    assert_eq!(task.wait_for_exit("main", deadline()).unwrap(), 3);
    assert!(task.wait_until_over(deadline()));
    // `sleep` as the first process of its namespace has no handler: SIGTERM passes it by.
    assert_eq!(task.wait_for_exit("helper", deadline()).unwrap(), 137);
}
