//! `cargo xtask kernels`: gets kernels that are not this machine's, and runs the parity suite on
//! them.
//!
//! Kernels and a static shell are Debian's: apt fetches and checks them, with lists and packages of
//! our own below `target/kernels`, from the mirror that the machine is set up for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::config::Config;
use crate::console::Console;

/// Debian's releases, with the architectures whose kernel is taken from each.
const RELEASES: &[(&str, &[&str])] = &[("bullseye", &["amd64"]), ("bookworm", &["amd64", "arm64"])];

/// Debian's names, with the compiler's.
const TRIPLES: &[(&str, &str)] = &[
    ("amd64", "x86_64-unknown-linux-gnu"),
    ("arm64", "aarch64-unknown-linux-gnu"),
];

/// Debian's cross compiler, which links for 64-bit ARM.
const ARM64_LINKER: &str = "aarch64-linux-gnu-gcc";

/// Gets what is missing, builds the tracer for each architecture, and runs the tests.
pub(crate) fn run(console: &Console, config: &Config) -> anyhow::Result<ExitCode> {
    let directory = config.target.join("kernels");
    fs::create_dir_all(&directory)?;
    for (release, arches) in RELEASES {
        let apt = Apt::new(&directory, release)?;
        for arch in *arches {
            apt.kernel(console, &directory, arch)?;
            apt.shell(console, &directory, arch)?;
        }
    }
    for (arch, triple) in TRIPLES {
        match build(config, triple) {
            Ok(program) => {
                fs::copy(&program, directory.join(format!("instrument-{arch}")))?;
            }
            Err(error) => console.warn(&format!("not built for {arch}: {error:#}")),
        }
    }
    let words = ["test", "--locked", "--package=e2e", "--test=kernels"];
    let mut test = cargo::fixed(config, &words);
    test.args(["--", "--show-output", "--test-threads=1"]);
    test.env("E2E_KERNELS", &directory);
    let status = cargo::status(&mut test)?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn build(config: &Config, triple: &str) -> anyhow::Result<PathBuf> {
    let mut build = cargo::plain(
        config,
        &[
            "build",
            "--locked",
            "--package=instrument",
            "--bins",
            "--target",
            triple,
        ],
    );
    let flags = format!("{} -Ctarget-feature=+crt-static", config.rustflags);
    build.env("RUSTFLAGS", flags.trim()).env(
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
        ARM64_LINKER,
    );
    cargo::run(&mut build)?;
    Ok(config.target.join(triple).join("debug/instrument"))
}

/// One release, as apt sees it from a directory of its own.
struct Apt {
    directory: PathBuf,
}

impl Apt {
    fn new(kernels: &Path, release: &str) -> anyhow::Result<Self> {
        let directory = kernels.join(release);
        let apt = Self { directory };
        if apt.directory.join("state/lists").is_dir() {
            return Ok(apt);
        }
        let mirror = mirror()?;
        for part in ["state/lists/partial", "cache/archives/partial", "packages"] {
            fs::create_dir_all(apt.directory.join(part))?;
        }
        let source = format!("deb [arch=amd64,arm64] {mirror} {release} main\n");
        fs::write(apt.directory.join("sources.list"), source)?;
        fs::write(apt.directory.join("state/status"), "")?;
        apt.output("apt-get", &["update"]).inspect_err(|_| {
            // The next try starts from the beginning; what cannot be removed shows up there.
            drop(fs::remove_dir_all(apt.directory.join("state")));
        })?;
        Ok(apt)
    }

    /// Puts `vmlinuz-VERSION-cloud-ARCH` into the directory.
    fn kernel(&self, console: &Console, into: &Path, arch: &str) -> anyhow::Result<()> {
        let depends = self.output(
            "apt-cache",
            &["depends", &format!("linux-image-cloud-{arch}:{arch}")],
        )?;
        let package = depends
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .map(|name| name.split(':').next().unwrap_or(name))
            .find(|name| name.starts_with("linux-image-"))
            .context("the meta package names no kernel")?;
        let version = package.trim_start_matches("linux-image-");
        let image = format!("vmlinuz-{version}");
        if into.join(&image).exists() {
            return Ok(());
        }
        console.line(&format!("getting {package}"));
        let unpacked = self.unpack(&format!("{package}:{arch}"))?;
        fs::copy(unpacked.join("boot").join(&image), into.join(&image))
            .with_context(|| format!("{package} has no boot/{image}"))?;
        Ok(())
    }

    /// Puts `busybox-ARCH` into the directory.
    fn shell(&self, console: &Console, into: &Path, arch: &str) -> anyhow::Result<()> {
        let program = into.join(format!("busybox-{arch}"));
        if program.exists() {
            return Ok(());
        }
        let package = format!("busybox-static:{arch}");
        console.line(&format!("getting {package}"));
        let unpacked = self.unpack(&package)?;
        fs::copy(unpacked.join("bin/busybox"), program)
            .with_context(|| format!("{package} has no bin/busybox"))?;
        Ok(())
    }

    fn unpack(&self, package: &str) -> anyhow::Result<PathBuf> {
        let packages = self.directory.join("packages");
        self.output("apt-get", &["download", package])?;
        let name = package.split(':').next().unwrap_or(package);
        let file = fs::read_dir(&packages)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| {
                let file = path.file_name().and_then(|file| file.to_str());
                file.is_some_and(|file| file.starts_with(&format!("{name}_")))
            })
            .with_context(|| format!("apt did not download {package}"))?;
        let into = self.directory.join("unpacked").join(package);
        fs::create_dir_all(&into)?;
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").args([&file, &into]);
        cargo::output(&mut unpack)?;
        fs::remove_file(file)?;
        Ok(into)
    }

    fn output(&self, program: &str, words: &[&str]) -> anyhow::Result<String> {
        let at = |name: &str| self.directory.join(name).display().to_string();
        let mut command = Command::new(program);
        for (option, value) in [
            ("Dir::State", at("state")),
            ("Dir::State::status", at("state/status")),
            ("Dir::Cache", at("cache")),
            ("Dir::Etc::SourceList", at("sources.list")),
            ("Dir::Etc::SourceParts", "-".to_owned()),
            ("APT::Architecture", "amd64".to_owned()),
            ("APT::Architectures", "amd64,arm64".to_owned()),
            ("APT::Sandbox::User", "root".to_owned()),
            // Package lists are all that is needed.
            ("Acquire::Languages", "none".to_owned()),
            (
                "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled",
                "false".to_owned(),
            ),
        ] {
            command.args(["-o", &format!("{option}={value}")]);
        }
        command
            .arg("-qq")
            .args(words)
            .current_dir(self.directory.join("packages"))
            .stdin(Stdio::null());
        cargo::output(&mut command)
    }
}

/// Where the machine takes Debian from.
fn mirror() -> anyhow::Result<String> {
    let words = [
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Origin: Debian",
        "Label: Debian",
    ];
    let targets = cargo::output(Command::new("apt-get").args(words))
        .context("kernels come from Debian, by apt")?;
    match targets.lines().next() {
        Some(mirror) => Ok(mirror.to_owned()),
        None => bail!("apt knows no mirror of Debian: run `apt-get update`"),
    }
}
