//! The main job: an intruder acts in a patched task, and the alerts are in CloudWatch Logs.

use std::time::Duration;

use e2e::alerts::{self, Alert, Line};
use e2e::cloudwatch::CloudWatch;
use e2e::fargate::Setup;
use e2e::fargate::backend::{Opening, Service};
use e2e::fargate::task::Task;
use e2e::intruder::acts::{self, Ground};
use e2e::intruder::{exploit, headquarters};
use e2e::lab::{self, Lab};
use e2e::stage::{WEB_IMAGE, WORKER_IMAGE};
use serde_json::json;

use crate::words::{SIDECAR, deadline, set_environment, task};

const GROUP: &str = "/fargate/alerts";

const PATIENCE: Duration = Duration::from_mins(1);

/// The alert of a rule among stored messages.
fn alert_of<'a>(messages: impl Iterator<Item = &'a str>, rule: &str) -> Option<Alert> {
    messages
        .filter_map(|message| match alerts::read(message) {
            Line::Alert(alert) => Some(alert),
            _ => None,
        })
        .find(|alert| alert.rule == rule && alert.field("container.name") == "web")
}

/// Runs the example's containers, patched, with their logs going to `store`.
fn run(lab: &Lab, store: &CloudWatch) -> Task {
    let containers = [
        json!({"name": "web", "image": WEB_IMAGE, "entryPoint": ["/usr/local/bin/example-web"],
               "portMappings": [{"containerPort": 8080}], "stopTimeout": 5}),
        json!({"name": "worker", "image": WORKER_IMAGE, "essential": false, "user": "1000:1000",
               "entryPoint": ["/usr/local/bin/example-worker"], "readonlyRootFilesystem": true,
               "dependsOn": [{"containerName": "web", "condition": "START"}]}),
    ];
    let options = ["--log-group", GROUP, "--region", "us-east-1"];
    let mut definition = lab::patched(&task(&containers), &options);
    // The one thing that differs from a deployment: where CloudWatch Logs is. The credentials
    // come from the task's own endpoint.
    set_environment(
        &mut definition,
        SIDECAR,
        &[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")],
    );
    let logs = Opening {
        name: "logs".to_owned(),
        address: "127.0.0.1:4566".to_owned(),
        service: Service::Address(store.url().trim_start_matches("http://").to_owned()),
    };
    let openings = vec![logs, headquarters(|_| {})];
    lab.run(
        &definition,
        Setup {
            openings,
            ..Setup::default()
        },
    )
}

/// Waits for the alert of a rule, and checks that it says where and by whom.
fn is_stored(store: &CloudWatch, task: &Task, rule: &str) {
    let arrived = store.wait_for(PATIENCE, |ledger| {
        alert_of(ledger.messages(GROUP), rule).is_some()
    });
    assert!(
        arrived,
        "no `{rule}`; the sidecar said:\n{}",
        task.output(SIDECAR)
    );
    let alert = store
        .ledger(|ledger| alert_of(ledger.messages(GROUP), rule))
        .expect("it arrived");
    assert_eq!(
        alert.field("ecs.task_arn"),
        task.identity().task_arn(),
        "{alert:?}"
    );
    assert_eq!(alert.field("ecs.family"), "t", "{alert:?}");
    // The lineage: who did it, and who started them.
    assert!(!alert.field("proc.cmdline").is_empty(), "{alert:?}");
    assert!(!alert.field("proc.pname").is_empty(), "{alert:?}");
}

#[test]
fn alerts_of_every_act_arrive_in_cloudwatch_logs() {
    let Some(lab) = Lab::open("alerts_of_every_act_arrive_in_cloudwatch_logs") else {
        return;
    };
    let store = CloudWatch::start().unwrap();
    let task = run(lab, &store);
    task.wait_for_line("web", "listening", deadline()).unwrap();

    for act in acts::all(&Ground::look(&task, true)) {
        let script = act.script.expect("a container offers everything");
        exploit(&task, &script).unwrap();
        is_stored(&store, &task, act.rule);
    }

    task.stop();
    assert_eq!(
        task.wait_for_exit("web", deadline()).unwrap(),
        0,
        "{}",
        task.output("web")
    );
    assert_eq!(
        task.wait_for_exit("worker", deadline()).unwrap(),
        0,
        "{}",
        task.output("worker")
    );
    assert_eq!(
        task.wait_for_exit(SIDECAR, deadline()).unwrap(),
        0,
        "{}",
        task.output(SIDECAR)
    );
    store.ledger(|ledger| assert_eq!(ledger.violations, Vec::<String>::new()));
    // A worker that does its work is no finding.
    let false_alarms = store
        .messages(GROUP)
        .iter()
        .any(|message| match alerts::read(message) {
            Line::Alert(alert) => alert.field("container.name") == "worker",
            _ => false,
        });
    assert!(!false_alarms, "{:#?}", store.messages(GROUP));
}
