//! `cargo xtask dist`: the static programs and the contents of both images, in `target/dist`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::config::Config;
use crate::console::Console;
use crate::elf;

/// What ships.
const PROGRAMS: &[&str] = &["instrument", "sidecar", "patcher"];

/// Files of each image: where they come from (`dist:` is the program of that name) and where
/// they go. `instrument` reads its rules from the volume, the sidecar speaks TLS.
const IMAGES: &[(&str, &[(&str, &str)])] = &[
    (
        "agent",
        &[
            ("dist:instrument", "opt/draios/bin/instrument"),
            ("dist:sidecar", "opt/draios/bin/sidecar"),
            (CERTIFICATES, "etc/ssl/certs/ca-certificates.crt"),
        ],
    ),
    (
        // `target/dist/patcher` is the program.
        "patcher-image",
        &[
            ("dist:patcher", "patcher"),
            (CERTIFICATES, "etc/ssl/certs/ca-certificates.crt"),
        ],
    ),
];

const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A static program moves to a random address when it starts. Written down one by one, what must
/// be adjusted then takes twentyfour bytes each; packed, a bit.
const PACKED: &str = " -Clink-arg=-Wl,-z,pack-relative-relocs";

/// The first release of the C library whose static programs read packed relocations. Linked with an
/// older one, they would end before `main`.
const READS_PACKED: (u32, u32) = (2, 36);

/// Cargo forgets the profile's `strip` for a package that has a level of optimisation of its own,
/// which leaves 400 kB of symbols in `instrument`.
const STRIPPED: &str = " -Cstrip=symbols";

/// Directories that must be there when a container starts.
const DIRECTORIES: &[(&str, &str, u32)] = &[
    ("agent", "opt/draios/etc/rules.d", 0o755),
    // Any user may run the sidecar, which makes its socket here.
    ("agent", "opt/draios/run", 0o1777),
    ("agent", "run/workload-agent", 0o1777),
    ("agent", "var/lib/workload-agent", 0o1777),
    ("agent", "tmp", 0o1777),
];

/// Builds, checks and lists.
pub(crate) fn run(console: &Console, config: &Config) -> anyhow::Result<ExitCode> {
    build(config, PROGRAMS)?;
    let dist = config.target.join("dist");
    for (image, files) in IMAGES {
        lay_out(&dist, image, files)?;
    }
    console.section("target/dist");
    let mut is_good = true;
    for program in PROGRAMS {
        let path = dist.join(program);
        let file = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let needs = elf::needs(&file).with_context(|| format!("`{}`", path.display()))?;
        let verdict = if needs.is_static() {
            "static"
        } else {
            "NOT STATIC"
        };
        is_good &= needs.is_static();
        console.line(&format!(
            "{program:<12} {:>6.2} MB  {verdict}",
            megabytes(file.len())
        ));
    }
    for (image, files) in IMAGES {
        let names: Vec<&str> = files.iter().map(|&(_, to)| to).collect();
        console.line(&format!("image {image:<8} {}", names.join(", ")));
    }
    console.line(
        "images: docker build -f Dockerfile.agent --target prebuilt target/dist/agent, and -f Dockerfile.patcher target/dist",
    );
    if !is_good {
        bail!("a program needs a library or an interpreter: it would not start in an empty image");
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds programs as they ship and puts them into `target/dist`.
pub(crate) fn build(config: &Config, programs: &[&str]) -> anyhow::Result<()> {
    let dist = config.target.join("dist");
    fs::create_dir_all(&dist)?;
    let packed = if c_library().is_some_and(|version| version >= READS_PACKED) {
        PACKED
    } else {
        ""
    };
    let flags = cargo::flags(config) + STRIPPED + packed + &shorter(config);
    for program in programs {
        // One at a time: built together, each would carry the features that another asks of a
        // library that they share.
        let words = ["build", "--locked", "--profile=dist", "--package", program];
        let mut command = cargo::fixed(config, &words);
        command.args(["--bin", program]);
        command.env("RUSTFLAGS", &flags);
        cargo::run(&mut command)?;
        copy(&config.built("dist", program), &dist.join(program))?;
    }
    Ok(())
}

/// The release of this machine's GNU C library, which ends up in the programs.
fn c_library() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    release(&String::from_utf8_lossy(&output.ok()?.stdout))
}

/// Reads `glibc 2.36`.
fn release(line: &str) -> Option<(u32, u32)> {
    let (major, minor) = line.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Messages of a fault name source files: by their library, without the machine's folders.
fn shorter(config: &Config) -> String {
    let folders = fs::read_dir(&config.registry).into_iter().flatten();
    let mut folders: Vec<_> = folders.flatten().map(|folder| folder.path()).collect();
    folders.sort();
    let mut flags = String::new();
    for folder in folders {
        flags.push_str(" --remap-path-prefix=");
        flags.push_str(&folder.display().to_string());
        flags.push_str("/=");
    }
    flags
}

fn lay_out(dist: &Path, image: &str, files: &[(&str, &str)]) -> anyhow::Result<()> {
    let root = dist.join(image);
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot clear `{}`", root.display()))?;
    }
    for (_, directory, mode) in DIRECTORIES.iter().filter(|(of, ..)| *of == image) {
        let directory = root.join(directory);
        fs::create_dir_all(&directory)?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(*mode))?;
    }
    for (from, to) in files {
        let to = root.join(to);
        fs::create_dir_all(to.parent().context("a file has a directory")?)?;
        match from.strip_prefix("dist:") {
            Some(program) => copy(&dist.join(program), &to)?,
            None => copy(Path::new(from), &to).with_context(|| {
                format!("`{from}` is needed in the image: install ca-certificates")
            })?,
        }
    }
    Ok(())
}

/// Copies beside and renames, because the old program may be running.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let beside = to.with_extension("new");
    fs::copy(from, &beside).with_context(|| format!("cannot copy `{}`", from.display()))?;
    fs::rename(&beside, to).with_context(|| format!("cannot write `{}`", to.display()))
}

#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_the_c_library_is_read() {
        assert_eq!(release("glibc 2.36\n"), Some((2, 36)));
        assert_eq!(release("glibc 2.35.1"), Some((2, 35)));
        assert!((2, 35) < READS_PACKED && (3, 0) > READS_PACKED);
        for other in ["", "musl 1.2", "glibc", "glibc x.y"] {
            assert_eq!(release(other), None, "{other}");
        }
    }
}
