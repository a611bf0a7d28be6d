//! One emulated machine: what is in it, and its run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use e2e::config;
use e2e::target::{self, Linkage};
use tempfile::TempDir;

use crate::archive::Archive;
use crate::cases::Case;
use crate::told::Told;

/// A machine that is not done by then hangs. Emulation on a loaded host takes its time.
const LIMIT: &str = "3600";

/// Programs of the shell that targets use, under their own names.
const APPLETS: &[&str] = &[
    "cat", "cp", "echo", "sh", "sleep", "true", "unshare", "wget",
];

/// What `/bin/sh /events.sh` does, for the case that looks at events.
const EVENTS: &str = "cat /etc/shadow\ncp /bin/true /tmp/work/fresh\n/tmp/work/fresh\n\
    wget -q -O - http://127.0.0.1:9/\n(sleep 0 & wait)\nexit 6\n";

/// One machine at a time: each of them would take all processors.
static RUNNING: Mutex<()> = Mutex::new(());

/// The architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Amd64,
    Arm64,
}

/// A machine that can be run.
#[derive(Debug)]
pub(crate) struct Machine {
    kind: Kind,
    emulator: PathBuf,
    kernel: PathBuf,
    shell: PathBuf,
    instrument: PathBuf,
}

impl Kind {
    /// Debian's name.
    const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// Emulator, board, and the console of that board.
    const fn emulator(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Amd64 => ("qemu-system-x86_64", "q35", "ttyS0"),
            Self::Arm64 => ("qemu-system-aarch64", "virt", "ttyAMA0"),
        }
    }

    const fn linkage(self) -> Linkage {
        match self {
            Self::Amd64 => Linkage::Static,
            Self::Arm64 => Linkage::StaticArm64,
        }
    }
}

impl Machine {
    /// Looks for everything that such a machine needs, or says what is missing.
    pub(crate) fn find(kind: Kind, version: &str) -> Result<Self, String> {
        let directory = config::kernels()?;
        let arch = kind.name();
        let is_wanted = |name: &str| {
            name.strip_prefix("vmlinuz-")
                .is_some_and(|rest| rest.starts_with(version) && rest.ends_with(arch))
        };
        let kernel = fs::read_dir(&directory)
            .map_err(|error| format!("cannot read `{}`: {error}", directory.display()))?
            .filter_map(Result::ok)
            .find(|entry| entry.file_name().to_str().is_some_and(is_wanted))
            .ok_or_else(|| format!("no kernel {version}x for {arch} in E2E_KERNELS"))?
            .path();
        let program = |name: &str| {
            config::find_program(name).ok_or_else(|| format!("`{name}` is not installed"))
        };
        program(kind.linkage().compiler())?;
        let there = |path: PathBuf| {
            let shown = path.display().to_string();
            path.is_file()
                .then_some(path)
                .ok_or(format!("no `{shown}`"))
        };
        Ok(Self {
            kind,
            emulator: program(kind.emulator().0)?,
            kernel,
            shell: there(directory.join(format!("busybox-{arch}")))?,
            instrument: there(directory.join(format!("instrument-{arch}")))?,
        })
    }

    /// Runs the cases and returns what the machine told.
    pub(crate) fn run(&self, cases: &[Case]) -> Told {
        let turn = RUNNING.lock();
        let scratch = TempDir::new().expect("a temporary directory");
        let (memory, console) = (
            scratch.path().join("memory"),
            scratch.path().join("console"),
        );
        fs::write(&memory, self.content(cases)).expect("room for the machine's files");
        let (_, board, line) = self.kind.emulator();
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=10", LIMIT, "nice", "-n", "19"])
            .arg(&self.emulator)
            .args(["-M", board, "-cpu", "max", "-m", "1024", "-smp", "2"])
            .args([
                "-display",
                "none",
                "-nodefaults",
                "-nic",
                "none",
                "-no-reboot",
            ])
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .arg("-kernel")
            .arg(&self.kernel)
            .arg("-initrd")
            .arg(&memory)
            .args(["-append", &format!("console={line} loglevel=3 panic=-1")])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let status = command.status().expect("`timeout` of coreutils");
        let console = fs::read(&console).unwrap_or_default();
        let console = String::from_utf8_lossy(&console);
        let told = Told::read(&console);
        if !told.is_complete() {
            let lines: Vec<&str> = console
                .lines()
                .filter(|line| !line.starts_with('@'))
                .collect();
            let tail = lines
                .get(lines.len().saturating_sub(20)..)
                .unwrap_or_default();
            say(&format!(
                "{status}; the console ends with\n{}",
                tail.join("\n")
            ));
        }
        drop(turn);
        told
    }

    fn content(&self, cases: &[Case]) -> Vec<u8> {
        let mut archive = Archive::default();
        for directory in ["bin", "dev", "etc", "proc", "tmp"] {
            archive.directory(directory);
        }
        archive.file("init", &read(&self.built(Path::new("kernels/init.c"))));
        archive.file("instrument", &read(&self.instrument));
        archive.file("bin/busybox", &read(&self.shell));
        for applet in APPLETS {
            archive.link(&format!("bin/{applet}"), "busybox");
        }
        let mut targets: Vec<&str> = cases.iter().filter_map(Case::target).collect();
        targets.sort_unstable();
        targets.dedup();
        for target in targets {
            let source = format!("targets/{target}.c");
            archive.file(
                &format!("bin/{target}"),
                &read(&self.built(Path::new(&source))),
            );
        }
        archive.file("events.sh", EVENTS.as_bytes());
        archive.file("etc/hostname", b"machine\n");
        archive.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n");
        archive.file("etc/shadow", b"root:*:1::::::\n");
        let list: String = cases.iter().map(Case::line).collect();
        archive.file("cases", list.as_bytes());
        archive.finish()
    }

    fn built(&self, source: &Path) -> PathBuf {
        target::build_from(source, self.kind.linkage()).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// A line among the test's output.
#[expect(clippy::print_stdout, reason = "what `--show-output` shows")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
