//! The same comparison in real containers: Docker's profile, its capabilities and its limits.
//!
//! The image holds busybox, the programs (static) and `instrument`, which stands in front of the
//! command as a patched entry point has it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use e2e::config;
use e2e::fargate::docker::Docker;
use e2e::image::{Image, Rootfs};
use e2e::parity::{Input, Mode, Run, instrument, skip};
use e2e::target::{self, Linkage};

const IMAGE: &str = "parity/targets:1";
const INSTRUMENT: &str = "/opt/instrument";

/// What the image holds.
const TARGETS: &[&str] = &[
    "child_signals",
    "clone_untraced",
    "daemon",
    "eat_memory",
    "orphans",
    "own_filter",
    "process_limit",
    "relations",
    "spawn_ways",
    "stop_continue",
    "zombies",
];

static IMAGE_MADE: OnceLock<Result<Docker, String>> = OnceLock::new();

fn make_image() -> Result<Docker, String> {
    let place = |error: std::io::Error| error.to_string();
    let docker = Docker::new(&config::docker_socket()?).map_err(place)?;
    let busybox = config::find_program("busybox").ok_or("`busybox` is not installed")?;
    let directory = config::program_directory()
        .map_err(place)?
        .join("parity-image");
    let root = Rootfs::new(&directory).map_err(place)?;
    root.accounts().map_err(place)?;
    root.program(&busybox, "/bin/sh").map_err(place)?;
    root.program(&instrument(), INSTRUMENT).map_err(place)?;
    for name in TARGETS {
        let program = target::build(name, Linkage::Static).map_err(|error| error.to_string())?;
        root.file(&program, &format!("/{name}")).map_err(place)?;
    }
    let image = Image {
        root: root.path().to_owned(),
        ..Image::default()
    };
    docker.import(IMAGE, &image).map_err(place)?;
    Ok(docker)
}

/// Runs each command in containers with these options, alone and behind `instrument`.
fn check(test: &str, options: &[&str], commands: &[&[&str]]) {
    match IMAGE_MADE.get_or_init(make_image) {
        Ok(docker) => commands
            .iter()
            .for_each(|words| compare(docker, test, options, words)),
        Err(reason) => skip(test, reason),
    }
}

fn compare(docker: &Docker, test: &str, options: &[&str], words: &[&str]) {
    let outcome = |front: &[&str]| {
        let mut all = vec!["run", "--rm", "--network", "none"];
        all.extend(options);
        if config::mode() == Mode::Full {
            // Both runs get it, so that a program that prints its environment prints the same.
            all.extend(["--env", "WORKLOAD_AGENT_MODE=full"]);
        }
        all.push(IMAGE);
        all.extend(front);
        all.extend(words);
        let command = docker.command(&all);
        let mut environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        environment.push(("PATH".into(), config::search_path()));
        environment.push(("HOME".into(), "/nonexistent".into()));
        Run {
            words: std::iter::once(command.get_program())
                .chain(command.get_args())
                .map(ToOwned::to_owned)
                .collect(),
            environment,
            input: Input::Nothing,
            signal: None,
            user: None,
            directory: PathBuf::from("/"),
            limit: Duration::from_mins(4),
        }
        .outcome(test)
    };
    let native = outcome(&[]);
    assert!(!native.stderr.contains("docker:"), "not started: {native}");
    let traced = outcome(&[INSTRUMENT, "--output", "/dev/null", "--"]);
    let difference = native.difference(&traced).unwrap_or_default();
    assert!(difference.is_empty(), "{test}:\n{difference}");
}

/// The rights that a patched task definition asks for.
const PATCHED: &[&str] = &["--cap-add", "SYS_PTRACE"];

#[test]
fn as_pid_1() {
    check("as_pid_1", PATCHED, &[&["/zombies"], &["/orphans"]]);
}

#[test]
fn under_dockers_init() {
    let options = ["--init", "--cap-add", "SYS_PTRACE"];
    check("under_dockers_init", &options, &[&["/zombies"]]);
}

#[test]
fn every_way_to_make_a_process() {
    let commands: [&[&str]; 2] = [&["/spawn_ways"], &["/clone_untraced"]];
    check("every_way_to_make_a_process", PATCHED, &commands);
}

#[test]
fn stops_and_children() {
    let commands: [&[&str]; 2] = [&["/stop_continue"], &["/child_signals"]];
    check("stops_and_children", PATCHED, &commands);
}

#[test]
fn filters_of_its_own() {
    check("filters_of_its_own", PATCHED, &[&["/own_filter"]]);
}

#[test]
fn a_user_on_a_read_only_root() {
    let options = [PATCHED, &["--user", "1000:1000", "--read-only"]].concat();
    let commands: [&[&str]; 2] = [&["/daemon"], &["/zombies"]];
    check("a_user_on_a_read_only_root", &options, &commands);
}

#[test]
fn without_the_capability() {
    check("without_the_capability", &[], &[&["/zombies"]]);
}

#[test]
fn without_any_capability() {
    let options = ["--cap-drop", "ALL"];
    check("without_any_capability", &options, &[&["/spawn_ways"]]);
}

#[test]
fn little_memory() {
    let options = [PATCHED, &["--memory", "48m", "--memory-swap", "48m"]].concat();
    let commands: [&[&str]; 2] = [&["/eat_memory"], &["/eat_memory", "self"]];
    check("little_memory", &options, &commands);
}

/// As little as Docker allows.
#[test]
fn least_memory() {
    let options = [PATCHED, &["--memory", "6m", "--memory-swap", "6m"]].concat();
    check("least_memory", &options, &[&["/relations"]]);
}

#[test]
fn few_processes() {
    let options = [PATCHED, &["--pids-limit", "24"]].concat();
    check("few_processes", &options, &[&["/process_limit"]]);
}

#[test]
fn on_a_terminal() {
    let options = [PATCHED, &["--tty"]].concat();
    check("on_a_terminal", &options, &[&["/relations", "terminal"]]);
}

#[test]
fn exit_codes() {
    let scripts = [
        "exit 0",
        "exit 1",
        "exit 77",
        "exit 255",
        "kill -9 $$; exit 3",
    ];
    let commands = scripts.map(|script| ["sh", "-c", script]);
    let commands: Vec<&[&str]> = commands.iter().map(<[&str; 3]>::as_slice).collect();
    check("exit_codes", PATCHED, &commands);
}
