//! The macro behind a Lambda Runtime API of our own: its two endpoints.

use std::fs;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{AGENT, has, program, skip};
use crate::http::{Message, serve};

const PATIENCE: Duration = Duration::from_mins(1);

/// A function that waits for events.
struct Function {
    child: Child,
    events: SyncSender<Value>,
    answers: Receiver<Value>,
}

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Function {
    fn start(settings: &[(&str, &str)], log: &std::path::Path) -> Self {
        let (events, waiting) = sync_channel::<Value>(1);
        let (done, answers) = sync_channel(1);
        let waiting = Mutex::new(waiting);
        let address = serve(move |request| {
            let (method, path) = request.target();
            if method == "GET" {
                assert_eq!(path, "/2018-06-01/runtime/invocation/next");
                let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                // The test is over when nobody sends any more.
                let Ok(event) = waiting.recv() else {
                    return Message::answer(500, &[], "");
                };
                let headers = [
                    ("lambda-runtime-aws-request-id", "1"),
                    ("lambda-runtime-deadline-ms", "4000000000000"),
                    (
                        "lambda-runtime-invoked-function-arn",
                        "arn:aws:lambda:x:1:function:f",
                    ),
                    ("content-type", "application/json"),
                ];
                return Message::answer(200, &headers, &event.to_string());
            }
            assert_eq!(path, "/2018-06-01/runtime/invocation/1/response");
            drop(done.send(serde_json::from_slice(&request.body).unwrap()));
            Message::answer(202, &[], "")
        });
        let child = program(&[])
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "macro")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("SYSDIG_WORKLOAD_AGENT_IMAGE", AGENT)
            .env("KILT_DISABLE_REPO_HINTS", "1")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(fs::File::create(log).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            events,
            answers,
        }
    }

    fn call(&self, event: Value) -> Value {
        self.events.send(event).unwrap();
        self.answers.recv_timeout(PATIENCE).unwrap()
    }
}

fn event(fragment: &Value) -> Value {
    json!({
        "region": "eu-central-1",
        "accountId": "123456789012",
        "requestId": "request-7",
        "transformId": "123456789012::WorkloadAgentMacro",
        "params": {},
        "templateParameterValues": {"Tag": "1.2"},
        "fragment": fragment,
    })
}

fn task(properties: &Value) -> Value {
    json!({"Type": "AWS::ECS::TaskDefinition", "Properties": properties})
}

fn containers(entry: &Value) -> Value {
    json!({"Memory": 512, "ContainerDefinitions": [
        {"Name": "web", "Image": "i", "EntryPoint": entry, "Environment": [{"Name": "PASSWORD", "Value": "hunter2"}]}
    ]})
}

#[test]
fn the_macro_answers_events() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let function = Function::start(&[("KILT_LOG_GROUP", "/alerts")], &log);
    let instrument = json!(["/opt/draios/bin/instrument"]);

    let whole = json!({"Resources": {"Web": task(&containers(&json!(["/e"])))}});
    let answer = function.call(event(&whole));
    assert_eq!(
        (&answer["status"], &answer["requestId"]),
        (&json!("success"), &json!("request-7"))
    );
    let list = &answer["fragment"]["Resources"]["Web"]["Properties"]["ContainerDefinitions"];
    assert_eq!(list[0]["EntryPoint"], instrument);
    assert_eq!(list[0]["Command"], json!(["/e"]));
    assert_eq!(list[1]["Name"], "SysdigInstrumentation");
    assert_eq!(
        list[1]["LogConfiguration"]["Options"]["awslogs-region"],
        json!({"Ref": "AWS::Region"})
    );
    assert_eq!(
        list[1]["DockerLabels"],
        Value::Null,
        "a macro needs no record"
    );

    // The same again changes nothing.
    let again = function.call(event(&answer["fragment"]));
    assert_eq!(again["fragment"], answer["fragment"]);

    // Snippets: the properties, the resource, the list of containers.
    let answer = function.call(event(&containers(&json!(["/e"]))));
    assert_eq!(
        answer["fragment"]["ContainerDefinitions"][0]["EntryPoint"],
        instrument
    );
    let answer = function.call(event(&task(&containers(&json!(["/e"])))));
    assert_eq!(
        answer["fragment"]["Properties"]["ContainerDefinitions"][0]["EntryPoint"],
        instrument
    );
    let answer = function.call(event(&containers(&json!(["/e"]))["ContainerDefinitions"]));
    assert_eq!(answer["fragment"][0]["EntryPoint"], instrument);

    // Settings of the transform.
    let mut with = event(&whole);
    with["params"] = json!({"AgentImage": "other/agent:3", "SidecarCpu": 64});
    let answer = function.call(with);
    let sidecar = &answer["fragment"]["Resources"]["Web"]["Properties"]["ContainerDefinitions"][1];
    assert_eq!(
        (&sidecar["Image"], &sidecar["Cpu"]),
        (&json!("other/agent:3"), &json!(64))
    );

    drop(function);
    let log = fs::read_to_string(log).unwrap();
    assert!(
        log.contains("request-7 success: 1 containers wrapped, 0 skipped\n"),
        "{log}"
    );
    assert!(
        !log.contains("hunter2") && !log.contains("ContainerDefinitions"),
        "{log}"
    );
}

#[test]
fn the_macro_says_what_stops_a_change_set() {
    let directory = tempfile::tempdir().unwrap();
    let function = Function::start(&[], &directory.path().join("log"));
    let whole = json!({"Resources": {"Web": task(&containers(&json!(["/e"])))}});
    let unknown = json!({"Resources": {"Web": task(&json!({"ContainerDefinitions": [
        {"Name": "web", "Image": {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/app:${Tag}"}}
    ]}))}});
    let mut wrong = event(&whole);
    wrong["params"] = json!({"Nonsense": "1"});
    let table = [
        (
            event(&unknown),
            "container `web`: the entrypoint of its image is unknown (`123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1.2` was not looked up)",
        ),
        (wrong, "unknown setting `nonsense`"),
        (
            event(&json!({"Name": "no task"})),
            "this part of a template has no task definition",
        ),
        (
            json!({"hello": "world"}),
            "the event has no `fragment`: not a macro event",
        ),
    ];
    for (event, want) in table {
        let answer = function.call(event);
        assert_eq!(answer["status"], "failure");
        let message = answer["errorMessage"].as_str().unwrap();
        assert!(message.starts_with(want), "{message}");
    }
}

#[test]
fn the_macro_runs_under_the_emulator_of_cargo_lambda() {
    let test = "the_macro_runs_under_the_emulator_of_cargo_lambda";
    if !has("cargo-lambda") {
        return skip(test, "cargo-lambda is not installed");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let directory = tempfile::tempdir().unwrap();
    let mut emulator = std::process::Command::new("cargo-lambda")
        .args([
            "lambda",
            "watch",
            "--only-lambda-apis",
            "-A",
            "127.0.0.1",
            "-P",
        ])
        .arg(address.port().to_string())
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(emulator.try_wait().unwrap().is_none(), "the emulator ended");
        std::thread::yield_now();
    }
    let mut function = program(&[])
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://{address}/.rt"))
        .env("AWS_LAMBDA_FUNCTION_NAME", "_")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("SYSDIG_WORKLOAD_AGENT_IMAGE", AGENT)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let whole = json!({"Resources": {"Web": task(&containers(&json!(["/e"])))}});
    let path = "/2015-03-31/functions/_/invocations";
    let body = event(&whole).to_string();
    let answer = crate::http::send(address, "POST", path, ("application/json", body.as_bytes()));
    for child in [&mut function, &mut emulator] {
        drop(child.kill());
        drop(child.wait());
    }
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["status"], "success");
}
