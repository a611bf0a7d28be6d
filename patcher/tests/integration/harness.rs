//! What the tests share: the program, the corpus, and how to skip.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use patcher::image::{ImageConfig, Images};
use patcher::options::Options;
use patcher::patch::{Patched, patch};

/// Name of the agent image in tests.
pub(crate) const AGENT: &str = "agent.example/agent:1";

/// Says why a test does not run here.
pub(crate) fn skip(test: &str, reason: &str) {
    println!("skipped: {test}: {reason}");
}

/// A variable of the test run.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' one door to the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The workspace root.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The sample templates by file name, when they are on this machine.
pub(crate) fn corpus() -> Option<BTreeMap<String, String>> {
    let directory = variable("CFN_CORPUS")
        .map_or_else(|| workspace().join("../shared/data/cfn"), PathBuf::from);
    let mut all = BTreeMap::new();
    // A worktree may stand one level deeper than the checkout.
    let deeper = workspace().join("../../shared/data/cfn");
    let directory = if directory.is_dir() {
        directory
    } else {
        deeper
    };
    for entry in fs::read_dir(directory).ok()? {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(OsStr::to_str);
        if matches!(ending, Some("json" | "yaml" | "yml")) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            all.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    Some(all)
}

/// Options that wrap whatever can be wrapped.
pub(crate) fn eager() -> Options {
    let mut options = Options::new(AGENT);
    options.all_launch_types = true;
    options.allow_unresolved = true;
    options
}

/// Patches with a configuration for every image that is asked for.
pub(crate) fn patch_with_stubs(text: &str, options: &Options) -> (Patched, Images) {
    let mut images = Images::default();
    let asked = patch(text, options, &images).expect("the template can be patched");
    for request in &asked.plan.needs {
        let config = ImageConfig {
            entrypoint: vec!["/entry".into(), request.image.clone()],
            cmd: vec!["run".into()],
        };
        images.give(&request.image, config);
    }
    (
        patch(text, options, &images).expect("the template can be patched"),
        images,
    )
}

/// The program, with an environment of its own.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patcher"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs the program with text on its standard input.
pub(crate) fn run_with_input(mut command: Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that reads nothing may be gone already.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// What a program printed, and its exit code.
pub(crate) fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Says whether a program is on this machine.
pub(crate) fn has(name: &str) -> bool {
    variable("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
    })
}
