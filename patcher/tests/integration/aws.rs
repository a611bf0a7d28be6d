//! Second opinions: cfn-lint and moto, from `PyPI`, in a virtual environment that the tests make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use patcher::plan::{Kind, kind};
use patcher::source::Document;

use crate::harness::{corpus, eager, has, patch_with_stubs, skip, variable, workspace};

/// Pinned: a second opinion that changes by itself is no test of ours.
const PACKAGES: [&str; 3] = [
    "boto3==1.44.5",
    "cfn-lint==1.58.0",
    "moto[cloudformation,ecs,ec2,logs,server]==5.2.5",
];

/// The virtual environment, made once per machine.
fn environment() -> Result<&'static Path, &'static str> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let path =
            variable("AWS_VENV").map_or_else(|| workspace().join("target/venv"), PathBuf::from);
        let done = path.join("complete");
        let packages = PACKAGES.join("\n");
        // One that was made for another list is completed.
        if fs::read_to_string(&done).is_ok_and(|text| text == packages) {
            return Ok(path);
        }
        if !has("python3") {
            return Err("python3 is not installed".to_owned());
        }
        let run = |command: &mut Command| command.output().is_ok_and(|out| out.status.success());
        let made = run(Command::new("python3").args(["-m", "venv"]).arg(&path))
            && run(program(&path, "pip")
                .args(["install", "--quiet"])
                .args(PACKAGES));
        if made {
            fs::write(done, packages).map_err(|error| error.to_string())?;
            Ok(path)
        } else {
            Err("cfn-lint and moto cannot be installed from PyPI".to_owned())
        }
    });
    found.as_deref().map_err(String::as_str)
}

/// A program of the environment, by its interpreter: the script names the place where it was made.
fn program(venv: &Path, name: &str) -> Command {
    let mut command = Command::new(venv.join("bin/python"));
    command.arg(venv.join("bin").join(name));
    command
}

/// Writes originals and patched templates side by side.
fn pairs(directory: &Path) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for side in ["before", "after"] {
        fs::create_dir(directory.join(side)).unwrap();
    }
    for (name, text) in corpus()? {
        let template = Document::read(&text)
            .is_ok_and(|document| kind(&document.value()) == Some(Kind::Template));
        if !template {
            continue;
        }
        let mut options = eager();
        options.sidecar.log_group = Some("/agent/alerts".to_owned());
        if let Some(new) = patch_with_stubs(&text, &options).0.text {
            fs::write(directory.join("before").join(&name), &text).unwrap();
            fs::write(directory.join("after").join(&name), new).unwrap();
            names.push(name);
        }
    }
    Some(names)
}

/// How often each error of cfn-lint occurs, by file, rule and message.
fn lint(venv: &Path, directory: &Path, files: &[PathBuf]) -> BTreeMap<String, usize> {
    let output = program(venv, "cfn-lint")
        .args(["--format", "json", "--ignore-checks", "W", "I", "--"])
        .args(files)
        .current_dir(directory)
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut errors = BTreeMap::new();
    for found in json.as_array().unwrap() {
        if found["Level"] == "Error" {
            let file = Path::new(found["Filename"].as_str().unwrap())
                .file_name()
                .unwrap();
            let key = format!(
                "{}: {} {}",
                file.to_string_lossy(),
                found["Rule"]["Id"].as_str().unwrap(),
                found["Message"].as_str().unwrap()
            );
            *errors.entry(key).or_default() += 1;
        }
    }
    errors
}

#[test]
fn cfn_lint_finds_no_error_that_was_not_there() {
    let test = "cfn_lint_finds_no_error_that_was_not_there";
    let venv = match environment() {
        Ok(venv) => venv,
        Err(reason) => return skip(test, reason),
    };
    let directory = tempfile::tempdir().unwrap();
    let Some(names) = pairs(directory.path()) else {
        return skip(test, "no sample templates (set CFN_CORPUS)");
    };
    assert!(names.len() >= 25, "only {} templates", names.len());
    let side = |side: &str| {
        let files: Vec<_> = names
            .iter()
            .map(|name| Path::new(side).join(name))
            .collect();
        lint(venv, directory.path(), &files)
    };
    let (before, after) = (side("before"), side("after"));
    let fresh: Vec<_> = after
        .iter()
        .filter(|(error, count)| before.get(*error).copied().unwrap_or_default() < **count)
        .collect();
    assert!(fresh.is_empty(), "{fresh:#?}");
}

#[test]
fn the_instrumentation_stack_is_clean() {
    let test = "the_instrumentation_stack_is_clean";
    let venv = match environment() {
        Ok(venv) => venv,
        Err(reason) => return skip(test, reason),
    };
    let output = program(venv, "cfn-lint")
        .arg(workspace().join("deploy/instrumentation.yaml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn moto_creates_the_stacks_that_it_could_create_before() {
    let test = "moto_creates_the_stacks_that_it_could_create_before";
    let venv = match environment() {
        Ok(venv) => venv,
        Err(reason) => return skip(test, reason),
    };
    let directory = tempfile::tempdir().unwrap();
    let Some(names) = pairs(directory.path()) else {
        return skip(test, "no sample templates (set CFN_CORPUS)");
    };
    let output = Command::new(venv.join("bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/stacks.py"))
        .arg(directory.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let results: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    let mut created = 0;
    for name in &names {
        let result = &results[name];
        if result["before"].is_string() {
            println!(
                "{name}: moto cannot create the original: {}",
                result["before"]
            );
            continue;
        }
        created += 1;
        assert!(
            result["after"].is_array(),
            "{name}: moto refuses it patched: {}",
            result["after"]
        );
        for task in result["after"].as_array().unwrap() {
            let containers = task.as_array().unwrap();
            let program = |container: &serde_json::Value| {
                container["entryPoint"][0]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let count = |path| containers.iter().filter(|c| program(c) == path).count();
            assert!(
                count("/opt/draios/bin/instrument") >= 1,
                "{name}: nothing is wrapped"
            );
            assert_eq!(count("/opt/draios/bin/sidecar"), 1, "{name}");
        }
    }
    let whole = results
        .values()
        .filter(|result| result["whole"] == true)
        .count();
    println!(
        "{created} of {} templates created, {whole} of them whole",
        names.len()
    );
    assert!(
        created * 10 >= names.len() * 7,
        "moto created only {created} templates"
    );
}
