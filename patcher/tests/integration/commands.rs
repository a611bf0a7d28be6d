//! The program as people and scripts meet it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::harness::{AGENT, program, run_with_input, said};

const TEMPLATE: &str = "\
# The web tier.
Resources:
  Web:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      Memory: 512
      ContainerDefinitions:
        - Name: web  # the server
          Image: nginx
          EntryPoint: [/entry]
          Command: [serve, --fast]
";

fn patch(arguments: &[&str]) -> (Option<i32>, String, String) {
    let all = [
        &["patch", "--agent-image", AGENT, "--no-registry"],
        arguments,
    ]
    .concat();
    said(&program(&all).output().unwrap())
}

#[test]
fn check_asks_for_a_change_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.yaml");
    fs::write(&file, TEMPLATE).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(patch(&[file, "--check"]).0, Some(2));
    assert_eq!(
        fs::read_to_string(file).unwrap(),
        TEMPLATE,
        "--check writes nothing"
    );
    assert_eq!(patch(&[file]).0, Some(0));
    assert_eq!(patch(&[file, "--check"]).0, Some(0));
    assert_eq!(
        said(&program(&["unpatch", file]).output().unwrap()).0,
        Some(0)
    );
    assert_eq!(fs::read_to_string(file).unwrap(), TEMPLATE);
}

#[test]
fn a_diff_shows_and_does_not_write() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.yaml");
    fs::write(&file, TEMPLATE).unwrap();
    let (code, out, _) = patch(&[file.to_str().unwrap(), "--diff"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("-          EntryPoint: [/entry]\n"), "{out}");
    assert!(
        out.contains("+          EntryPoint: [/opt/draios/bin/instrument]\n"),
        "{out}"
    );
    assert!(
        out.contains("+          Command: [/entry, serve, --fast]\n"),
        "{out}"
    );
    assert!(!out.contains('\u{1b}'), "colour without a terminal");
    assert_eq!(fs::read_to_string(&file).unwrap(), TEMPLATE);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let command = program(&["patch", "-", "--agent-image", AGENT, "--no-registry"]);
    let (code, out, _) = said(&run_with_input(command, TEMPLATE));
    assert_eq!(code, Some(0));
    assert!(out.starts_with("# The web tier.\n"), "{out}");
    let (code, out, _) = said(&run_with_input(program(&["unpatch", "-"]), &out));
    assert_eq!((code, out.as_str()), (Some(0), TEMPLATE));
}

#[test]
fn directories_are_walked_and_summed_up() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("in/deep");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("a.yaml"), TEMPLATE).unwrap();
    fs::write(inner.join("b.json"), "{\"not\": \"a template\"}").unwrap();
    fs::write(inner.join("c.yml"), TEMPLATE.replace("[FARGATE]", "[EC2]")).unwrap();
    fs::write(inner.join("d.txt"), "no template").unwrap();
    let input = directory.path().join("in");
    let out = directory.path().join("out");
    let (code, _, err) = patch(&[input.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("3 files: 1 patched, 0 unchanged, 2 skipped, 0 unresolved, 0 failed"),
        "{err}"
    );
    assert!(err.contains("b.json: not a template"), "{err}");
    assert!(err.contains("lists only EC2 or EXTERNAL"), "{err}");
    assert_eq!(fs::read_to_string(inner.join("a.yaml")).unwrap(), TEMPLATE);
    assert!(
        fs::read_to_string(out.join("deep/a.yaml"))
            .unwrap()
            .contains(AGENT)
    );
}

#[test]
fn what_is_left_alone_beside_others_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.yaml");
    let router = "        - {Name: router, Image: r, EntryPoint: [/r], FirelensConfiguration: {Type: fluentbit}}";
    let containers = "      ContainerDefinitions:";
    let text = TEMPLATE.replace(containers, &format!("{containers}\n{router}"));
    assert_ne!(text, TEMPLATE);
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    for round in ["patched", "unchanged"] {
        let (code, _, err) = patch(&[path]);
        assert_eq!(code, Some(0), "{err}");
        assert!(err.contains(round), "{err}");
        let told = format!("left alone {path}: ");
        assert!(err.contains(&told), "{err}");
        assert!(
            err.contains(": router: it is a FireLens log router"),
            "{err}"
        );
    }
}

#[test]
fn a_file_keeps_its_mode_and_a_link_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.yaml");
    fs::write(&file, TEMPLATE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let link = directory.path().join("link.yaml");
    symlink("t.yaml", &link).unwrap();
    assert_eq!(patch(&[link.to_str().unwrap()]).0, Some(0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(fs::read_to_string(&file).unwrap().contains(AGENT));
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        2,
        "nothing is left beside"
    );
}

#[test]
fn a_report_for_machines() {
    let command = program(&[
        "explain",
        "-",
        "--agent-image",
        AGENT,
        "--no-registry",
        "--format",
        "json",
    ]);
    let (code, out, _) = said(&run_with_input(command, TEMPLATE));
    assert_eq!(code, Some(0));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["version"], 1);
    let container = &report["files"][0]["tasks"][0]["containers"][0];
    assert_eq!(container["name"], "web");
    assert_eq!(container["action"], "wrap");
}

#[test]
fn local_mode_is_driven_by_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let (source, out) = (
        directory.path().join("in.yaml"),
        directory.path().join("out.yaml"),
    );
    let unknown = TEMPLATE.replace("          EntryPoint: [/entry]\n", "");
    fs::write(&source, &unknown).unwrap();
    let mut command = program(&[]);
    command
        .env("KILT_MODE", "local")
        .env("KILT_SRC_TEMPLATE", &source)
        .env("KILT_OUT_TEMPLATE", &out)
        .env("KILT_DISABLE_REPO_HINTS", "1")
        .env("KILT_LOG_GROUP", "/alerts")
        .env("KILT_PARAMETERIZE_ENVARS", "true")
        .env("KILT_OPT_IN", "no")
        .env("KILT_IMAGE_AUTH_SECRET", "arn:secret")
        .env("KILT_SIDECAR_ESSENTIAL", "true")
        .env("KILT_SIDECAR_CPU", "128")
        .env("KILT_SIDECAR_MEMORY_LIMIT", "256")
        .env("KILT_SIDECAR_MEMORY_RESERVATION", "0")
        .env("SYSDIG_WORKLOAD_AGENT_IMAGE", AGENT)
        .env("SYSDIG_ORCHESTRATOR_HOST", "orchestrator.example")
        .env("SYSDIG_COLLECTOR_HOST", "collector.example")
        .env("SYSDIG_COLLECTOR_PORT", "6443")
        .env("SYSDIG_ACCESS_KEY", "key-of-a-test")
        .env("SYSDIG_PRIORITY", "security")
        .env("SYSDIG_LOGGING", "debug");
    let (code, _, err) = said(&command.output().unwrap());
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("warning:") && err.contains("without one it will not start"),
        "{err}"
    );
    assert!(!err.contains("key-of-a-test"), "the key is printed");
    let text = fs::read_to_string(&out).unwrap();
    for part in [
        "EntryPoint: [/opt/draios/bin/instrument]",
        "Command: [serve, --fast]",
        "Essential: true",
        "Cpu: 128",
        "          Memory: 256",
        "CredentialsParameter: arn:secret",
        "Value: !Ref sysdigOrchestratorPort",
        "  sysdigOrchestratorPort:\n    Type: String\n    Default: '6667'",
        "Default: orchestrator.example",
        "  sysdigLogging:\n    Type: String\n    Default: debug",
        "  sysdigPriority:\n    Type: String\n    Default: security",
        "    NoEcho: true",
        "awslogs-group: /alerts",
        "awslogs-region: !Ref AWS::Region",
        "awslogs-stream-prefix: Web",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert!(!text.contains("MemoryReservation"), "{text}");
    let keys = text.matches("sysdigAccessKey").count();
    assert_eq!(
        keys, 2,
        "the parameter and the sidecar, and no workload:\n{text}"
    );
}

#[test]
fn terraform_gets_strings_for_strings() {
    let query = serde_json::json!({
        "container_definitions":
            "[{\"name\":\"web\",\"image\":\"i\",\"entryPoint\":[\"/e\"],\"environment\":[]}]",
        "agent_image": AGENT,
        "logging": "warning",
        "log_group": "",
    });
    let command = program(&["terraform-external"]);
    let (code, out, err) = said(&run_with_input(command, &query.to_string()));
    assert_eq!(code, Some(0), "{err}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    let containers: serde_json::Value =
        serde_json::from_str(answer["container_definitions"].as_str().unwrap()).unwrap();
    assert_eq!(
        containers[0]["entryPoint"],
        serde_json::json!(["/opt/draios/bin/instrument"])
    );
    assert_eq!(containers[0]["command"], serde_json::json!(["/e"]));
    assert_eq!(containers[0]["environment"][0]["value"], "warning");
    assert_eq!(containers[1]["name"], "SysdigInstrumentation");
    let command = program(&["terraform-external"]);
    let (code, _, err) = said(&run_with_input(command, "{\"agent_image\": \"a\"}"));
    assert_eq!(
        (code, err.as_str()),
        (Some(1), "error: the query has no `container_definitions`\n")
    );
}

#[test]
fn a_described_task_definition_can_be_registered() {
    let described = r#"{"taskDefinition": {"taskDefinitionArn": "arn:x", "family": "f", "revision": 7,
        "containerDefinitions": [{"name": "a", "image": "i", "entryPoint": ["/e"]}],
        "status": "ACTIVE", "requiresAttributes": [], "memory": "512"}}"#;
    let command = program(&["patch", "-", "--agent-image", AGENT, "--no-registry"]);
    let (code, out, err) = said(&run_with_input(command, described));
    assert_eq!(code, Some(0), "{err}");
    let task: serde_json::Value = serde_json::from_str(&out).unwrap();
    let keys: Vec<_> = task
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["containerDefinitions", "family", "memory"]);
    assert_eq!(
        task["containerDefinitions"][0]["entryPoint"][0],
        "/opt/draios/bin/instrument"
    );
}

#[test]
fn completions_and_the_manual_name_every_command() {
    for arguments in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["man"],
    ] {
        let (code, out, _) = said(&program(arguments).output().unwrap());
        assert_eq!(code, Some(0));
        for command in ["explain", "unpatch", "terraform"] {
            assert!(
                out.contains(command),
                "{arguments:?} does not name {command}"
            );
        }
    }
    let (code, out, _) = said(&program(&["--help"]).output().unwrap());
    assert_eq!(code, Some(0));
    assert!(
        out.contains("Examples:") && out.contains("Exit codes:"),
        "{out}"
    );
}
