//! What scenarios share: a daemon, images, and tasks that are patched before they run.
//!
//! Made once per test program. A test that cannot have it prints why and returns:
//! `let Some(lab) = Lab::open("test_name") else { return };`

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::config;
use crate::fargate::backend::Opening;
use crate::fargate::definition::TaskDefinition;
use crate::fargate::docker::{self, Docker, GATE_IMAGE};
use crate::fargate::task::Task;
use crate::fargate::{Setup, process};
use crate::image::{Image, Images, Rootfs};
use crate::scratch::Scratch;
use crate::stage;

/// An image with busybox and nothing else: static, small, every usual command.
pub const BUSYBOX: &str = "lab/busybox:1";
/// An image with a C library, bash and some commands, as most images are.
pub const GLIBC: &str = "lab/glibc:1";
/// An image with musl as its C library, as Alpine's are.
pub const MUSL: &str = "lab/musl:1";

/// The commands that the busybox image has.
const APPLETS: &[&str] = &[
    "cat", "chmod", "cp", "cut", "echo", "false", "grep", "head", "id", "kill", "ls", "mkdir",
    "nc", "ps", "readlink", "sh", "sleep", "touch", "tr", "true", "wget",
];

/// Docker and the images of all scenarios.
#[derive(Debug)]
pub struct Lab {
    docker: Docker,
    images: Images,
}

static LAB: OnceLock<Result<Lab, String>> = OnceLock::new();

impl Lab {
    /// The lab, or a line that says why the test is skipped.
    pub fn open(test: &str) -> Option<&'static Self> {
        match LAB.get_or_init(Self::build) {
            Ok(lab) => Some(lab),
            Err(reason) => {
                skip(test, reason);
                None
            }
        }
    }

    /// The daemon.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Whether there is an image of that name.
    pub fn has(&self, image: &str) -> bool {
        self.images.contains_key(image)
    }

    /// Runs a task as it is.
    pub fn run(&self, definition: &Value, setup: Setup) -> Task {
        let definition = TaskDefinition::parse(&definition.to_string()).expect("a definition");
        docker::run(&self.docker, &definition, setup).expect("the task starts")
    }

    fn build() -> Result<Self, String> {
        let socket = config::docker_socket()?;
        let place = |error: io::Error| error.to_string();
        let docker = Docker::new(&socket).map_err(place)?;
        let directory = config::program_directory().map_err(place)?.join("e2e-lab");
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(place)?;
        }
        let mut images = stage::example(&directory, true).map_err(place)?;
        images.insert(
            GATE_IMAGE.to_owned(),
            stage::gate(&directory.join("gate")).map_err(place)?,
        );
        for (name, image) in [
            (BUSYBOX, busybox(&directory.join("busybox"))),
            (GLIBC, glibc(&directory.join("glibc"))),
            (MUSL, musl(&directory.join("musl"))),
        ] {
            match image {
                Ok(image) => drop(images.insert(name.to_owned(), image)),
                // The tests that use it ask `has` and name what is missing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("image {name}: {error}")),
            }
        }
        stage::build_agent(&docker, &directory)
            .map_err(|error| format!("Dockerfile.agent: {error}"))?;
        for (name, image) in images
            .iter()
            .filter(|(name, _)| *name != stage::AGENT_IMAGE)
        {
            docker
                .import(name, image)
                .map_err(|error| format!("image {name}: {error}"))?;
        }
        Ok(Self { docker, images })
    }
}

/// Prints the line by which a skipped test is counted.
#[expect(
    clippy::print_stdout,
    reason = "the test program captures what is printed, not what is written to the stream"
)]
pub fn skip(test: &str, reason: &str) {
    println!("skipped: {test}: {reason}");
}

/// Runs a task as plain processes, with the example's images.
pub fn run_as_processes(definition: &Value, openings: Vec<Opening>) -> io::Result<(Task, Scratch)> {
    let scratch = Scratch::within(&config::program_directory()?)?;
    let definition = TaskDefinition::parse(&definition.to_string()).map_err(io::Error::other)?;
    let images = stage::example(&scratch.path().join("images"), false)?;
    let task = process::run(
        &definition,
        Setup {
            images,
            openings,
            ..Setup::default()
        },
    )?;
    Ok((task, scratch))
}

/// Runs the patcher over a task definition and returns what it wrote.
pub fn patched(definition: &Value, options: &[&str]) -> Value {
    let scratch = Scratch::new().expect("a directory");
    let (input, output) = (
        scratch.path().join("in.json"),
        scratch.path().join("out.json"),
    );
    fs::write(&input, format!("{definition:#}\n")).expect("the input is written");
    let result = patch(&input, &output, options);
    assert!(
        result.status.success(),
        "{}",
        String::from_utf8_lossy(&result.stderr)
    );
    let text = fs::read_to_string(output).expect("the output is there");
    serde_json::from_str(&text).expect("the output is JSON")
}

/// Runs `patcher patch INPUT -o OUTPUT` with the example's agent image.
pub fn patch(input: &Path, output: &Path, options: &[&str]) -> Output {
    Command::new(stage::built("patcher").expect("the patcher is built"))
        .arg("patch")
        .arg(input)
        .arg("-o")
        .arg(output)
        .args(["--agent-image", stage::AGENT_IMAGE])
        .args(options)
        .output()
        .expect("the patcher runs")
}

fn installed(program: &str) -> io::Result<PathBuf> {
    config::find_program(program).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("`{program}` is not installed"),
        )
    })
}

fn busybox(directory: &Path) -> io::Result<Image> {
    let root = Rootfs::new(directory)?;
    add_busybox(&root)?;
    Ok(Image {
        root: root.path().to_path_buf(),
        ..Image::default()
    })
}

fn add_busybox(root: &Rootfs) -> io::Result<()> {
    root.accounts()?
        .file(&installed("busybox")?, "/bin/busybox")?;
    for applet in APPLETS {
        symlink("busybox", root.path().join("bin").join(applet))?;
    }
    root.directory("/usr/local/bin", 0o755)?;
    Ok(())
}

fn glibc(directory: &Path) -> io::Result<Image> {
    let root = Rootfs::new(directory)?;
    root.accounts()?;
    for tool in [
        "bash", "cat", "cp", "chmod", "env", "id", "ls", "sh", "sleep", "true",
    ] {
        root.program(
            &fs::canonicalize(installed(tool)?)?,
            &format!("/bin/{tool}"),
        )?;
    }
    Ok(Image {
        root: root.path().to_path_buf(),
        ..Image::default()
    })
}

/// A dynamic musl program and its loader, with busybox beside it.
fn musl(directory: &Path) -> io::Result<Image> {
    let root = Rootfs::new(directory)?;
    add_busybox(&root)?;
    let compiler = installed("musl-gcc")?;
    let source = directory.join("hello.c");
    fs::write(
        &source,
        "#include <stdio.h>\n#include <unistd.h>\n\
         int main(void) { printf(\"musl pid %d\\n\", getpid()); return 7; }\n",
    )?;
    let program = directory.join("usr/local/bin/hello");
    let status = Command::new(compiler)
        .arg("-o")
        .arg(&program)
        .arg(&source)
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("musl-gcc ended with {status}")));
    }
    let loader = fs::read_dir("/lib")?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("ld-musl-"))
        })
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "musl's loader is not installed"))?;
    root.file(&fs::canonicalize(&loader)?, &loader.display().to_string())?;
    Ok(Image {
        root: root.path().to_path_buf(),
        ..Image::default()
    })
}
