//! Lookups in a real `docker-registry`, with every kind of login, and in registries that refuse.

mod daemon;
mod logins;
mod names;
mod refusals;

use std::path::Path;

use crate::harness::{AGENT, has, program, run_with_input, said, skip};
use daemon::{Registry, fill};

/// A task definition with a container per image.
fn task(images: &[String], architecture: &str) -> String {
    let containers: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(at, image)| serde_json::json!({"name": format!("c{at}"), "image": image}))
        .collect();
    serde_json::json!({
        "family": "f",
        "memory": "512",
        "runtimePlatform": {"cpuArchitecture": architecture},
        "containerDefinitions": containers,
    })
    .to_string()
}

/// Patches on standard input; returns exit code, the command of each container, and the errors.
fn look(
    home: &Path,
    more: &[(&str, &str)],
    arguments: &[&str],
    task: &str,
) -> (Option<i32>, Vec<String>, String) {
    let fixed = ["patch", "-", "--agent-image", AGENT];
    // A busy machine is no reason to fail; the test of silence sets a limit of its own.
    let patient = ["--registry-timeout", "60"];
    let limited = arguments.contains(&patient[0]);
    let patience = if limited { &[][..] } else { &patient[..] };
    let mut command = program(&[&fixed[..], patience, arguments].concat());
    command.env("HOME", home).envs(more.iter().copied());
    let (code, out, err) = said(&run_with_input(command, task));
    let task: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
    let containers = task["containerDefinitions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let commands = containers
        .iter()
        .filter(|container| container["command"].is_array())
        .map(|container| {
            let words = container["command"].as_array().unwrap().iter();
            words
                .map(|word| word.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        });
    (code, commands.collect(), err)
}

/// Why no registry can be run here.
fn missing() -> Option<&'static str> {
    if has("docker-registry") {
        None
    } else {
        Some("docker-registry is not installed")
    }
}

#[test]
fn a_plain_registry_on_this_machine_and_its_index() {
    let test = "a_plain_registry_on_this_machine_and_its_index";
    if let Some(reason) = missing() {
        return skip(test, reason);
    }
    let directory = tempfile::tempdir().unwrap();
    let digest = fill(directory.path());
    let registry = Registry::start(directory.path(), "", "");
    let host = registry.address;
    let images = [format!("{host}/t/app:v1"), format!("{host}/t/app@{digest}")];
    let (code, commands, err) = look(directory.path(), &[], &[], &task(&images, "X86_64"));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(commands, ["/amd-entry run", "/amd-entry run"]);
    let by_tag = &images[..1];
    let (_, commands, _) = look(directory.path(), &[], &[], &task(by_tag, "ARM64"));
    assert_eq!(commands, ["/arm-entry run"]);
    let single = [format!("{host}/t/app:amd")];
    let (_, commands, _) = look(directory.path(), &[], &[], &task(&single, "X86_64"));
    assert_eq!(commands, ["/amd-entry run"]);
    drop(registry);
    // What a digest holds is on disk now, and the registry is gone.
    let by_digest = &images[1..];
    let (code, commands, err) = look(directory.path(), &[], &[], &task(by_digest, "X86_64"));
    assert_eq!(
        (code, commands),
        (Some(0), vec!["/amd-entry run".to_owned()]),
        "{err}"
    );
    let (code, _, err) = look(
        directory.path(),
        &[],
        &["--no-cache"],
        &task(by_digest, "X86_64"),
    );
    assert_eq!(code, Some(4), "{err}");
    assert!(
        err.contains(&format!(
            "(cannot reach {host}: Connection refused (os error 111))"
        )),
        "{err}"
    );
}
