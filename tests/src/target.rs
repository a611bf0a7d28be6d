//! Builds the target programs: small C files, one behaviour each, made once by `cc`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::SystemTime;

use crate::config;

/// One build at a time, so that two tests never write the same file.
static BUILDING: Mutex<()> = Mutex::new(());

/// How a target finds its C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// As `cc` does it by itself.
    Dynamic,
    /// Everything inside, for images with nothing else in them.
    Static,
    /// The same for 64-bit ARM, by the cross compiler of Debian.
    StaticArm64,
}

impl Linkage {
    /// The compiler.
    pub const fn compiler(self) -> &'static str {
        match self {
            Self::Dynamic | Self::Static => "cc",
            Self::StaticArm64 => "aarch64-linux-gnu-gcc",
        }
    }

    const fn is_static(self) -> bool {
        matches!(self, Self::Static | Self::StaticArm64)
    }
}

/// Why there is no target program.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The compiler refused the source; its words are in the text.
    #[error("`{name}.c` does not compile: {words}")]
    Compile {
        /// Name of the target.
        name: String,
        /// What the compiler printed.
        words: String,
    },
    /// There is no C compiler on the machine: a reason to skip.
    #[error("no C compiler `{0}` (Debian packages gcc, gcc-aarch64-linux-gnu)")]
    NoCompiler(&'static str),
    /// A file cannot be read or written.
    #[error("cannot use `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
}

/// Path of the program made from `tests/targets/NAME.c`, built if it is missing or older.
pub fn build(name: &str, linkage: Linkage) -> Result<PathBuf, TargetError> {
    build_from(&Path::new("targets").join(format!("{name}.c")), linkage)
}

/// Path of the program made from this source, which is named from `tests/`.
pub fn build_from(source: &Path, linkage: Linkage) -> Result<PathBuf, TargetError> {
    let file = |path: &Path| {
        let path = path.to_path_buf();
        move |source| TargetError::File { path, source }
    };
    let compiler = config::find_program(linkage.compiler())
        .ok_or(TargetError::NoCompiler(linkage.compiler()))?;
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = tests.join(source);
    let directory = config::program_directory()
        .map_err(file(Path::new("/proc/self/exe")))?
        .join("targets");
    let suffix = match linkage {
        Linkage::Dynamic => "",
        Linkage::Static => "-static",
        Linkage::StaticArm64 => "-static-arm64",
    };
    let program = directory.join(format!("{name}{suffix}"));
    let guard = BUILDING.lock();
    if is_fresh(&program, &[&source, &tests.join("targets/target.h")]) {
        return Ok(program);
    }
    fs::create_dir_all(&directory).map_err(file(&directory))?;
    // Written beside and renamed: another test program may be running the old file.
    let beside = directory.join(format!("{name}{suffix}.{}", std::process::id()));
    let mut command = Command::new(compiler);
    command
        .args([
            "-std=gnu11",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pthread",
        ])
        .args(linkage.is_static().then_some("-static"))
        .args([OsStr::new("-o"), beside.as_os_str(), source.as_os_str()])
        .stdin(Stdio::null());
    let output = command.output().map_err(file(&source))?;
    if !output.status.success() {
        return Err(TargetError::Compile {
            name: name.into_owned(),
            words: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    fs::rename(&beside, &program).map_err(file(&program))?;
    drop(guard);
    Ok(program)
}

fn is_fresh(program: &Path, sources: &[&Path]) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let newest = sources.iter().filter_map(|path| changed(path).ok()).max();
    changed(program).is_ok_and(|built| built > newest.unwrap_or(SystemTime::UNIX_EPOCH))
}
