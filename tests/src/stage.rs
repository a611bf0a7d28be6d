//! Lays out the images of the example task and of the agent, from the programs that cargo built.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config;
use crate::fargate::docker::{self, Docker};
use crate::image::{Image, Images, Rootfs};

/// Image of the sidecar container.
pub const AGENT_IMAGE: &str = "example/agent:1";
/// Image of the example's web server.
pub const WEB_IMAGE: &str = "example/web:1";
/// Image of the example's worker.
pub const WORKER_IMAGE: &str = "example/worker:1";
/// The example's template, from the workspace's root.
pub const TEMPLATE: &str = "examples/template.json";

/// The authorities that a TLS client trusts; the package ca-certificates has them.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What an intruder finds in an ordinary image.
const TOOLS: &[&str] = &["bash", "cat", "chmod", "cp", "id", "rm", "sh", "true"];

/// A program that cargo built, or the way to build it.
pub fn built(name: &str) -> io::Result<PathBuf> {
    let path = config::program_directory()?.join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(io::Error::other(format!(
        "`{}` is not built: run `cargo build --workspace --bins`",
        path.display()
    )))
}

/// What `cargo xtask dist` lays out for `Dockerfile.agent`, with the programs at hand.
pub fn agent(directory: &Path) -> io::Result<Image> {
    let root = Rootfs::new(directory)?;
    root.link(&built("instrument")?, contract::path::INSTRUMENT)?
        .link(&built("sidecar")?, contract::path::SIDECAR)?
        .directory(contract::path::RULES_DIR, 0o755)?
        .directory("/opt/draios/run", 0o1777)?
        .directory("/run/workload-agent", 0o1777)?
        .directory("/var/lib/workload-agent", 0o1777)?
        .directory("/tmp", 0o1777)?;
    let certificates = Path::new(CERTIFICATES);
    if certificates.is_file() {
        root.file(certificates, CERTIFICATES)?;
    }
    Ok(Image {
        root: root.path().to_path_buf(),
        entry_point: vec![contract::path::SIDECAR.to_owned()],
        volumes: vec![contract::path::VOLUME.to_owned()],
        ..Image::default()
    })
}

/// All images of the example. With `tools` the web server's has a shell and a C library; plain
/// processes find those on the machine.
pub fn example(directory: &Path, tools: bool) -> io::Result<Images> {
    let web = Rootfs::new(&directory.join("web"))?;
    web.link(&built("example-web")?, "/usr/local/bin/example-web")?;
    if tools {
        web.accounts()?.directory("/usr/local/sbin", 0o755)?;
        for tool in TOOLS {
            let found = config::find_program(tool)
                .ok_or_else(|| io::Error::other(format!("`{tool}` is not installed")))?;
            web.program(&fs::canonicalize(found)?, &format!("/bin/{tool}"))?;
        }
    }
    let worker = Rootfs::new(&directory.join("worker"))?;
    worker.link(&built("example-worker")?, "/usr/local/bin/example-worker")?;
    let plain = |root: &Rootfs| Image {
        root: root.path().to_path_buf(),
        ..Image::default()
    };
    Ok([
        (
            AGENT_IMAGE.to_owned(),
            agent(&directory.join("dist/agent"))?,
        ),
        (WEB_IMAGE.to_owned(), plain(&web)),
        (WORKER_IMAGE.to_owned(), plain(&worker)),
    ]
    .into())
}

/// The image in which a task's gate runs.
pub fn gate(directory: &Path) -> io::Result<Image> {
    let root = Rootfs::new(directory)?;
    root.link(&built("task-gate")?, "/task-gate")?;
    Ok(Image {
        root: root.path().to_path_buf(),
        entry_point: vec!["/task-gate".to_owned()],
        ..Image::default()
    })
}

/// Makes the agent's image as a user does: with `Dockerfile.agent`.
pub fn build_agent(docker: &Docker, directory: &Path) -> io::Result<()> {
    let words = [
        "build",
        "--quiet",
        "--file=Dockerfile.agent",
        "--target=prebuilt",
        "--tag",
        AGENT_IMAGE,
    ];
    let mut command = docker.command(&words);
    command
        .arg(directory.join("dist/agent"))
        .current_dir(workspace()?);
    // The builder that needs no plug-in.
    command.env("DOCKER_BUILDKIT", "0");
    docker::output(&mut command).map(drop)
}

/// The workspace's root: the directory above this package.
pub fn workspace() -> io::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| io::Error::other("no workspace"))
}
