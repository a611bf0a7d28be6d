//! The workload's program: found as a shell finds it, executed as a shell executes it.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use contract::{env, exit};
use sys::{Errno, Inherited};

/// Where container runtimes look when the image sets no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables that the workload has no business with.
const SECRETS: &[&str] = &[env::SYSDIG_ACCESS_KEY];

/// A program that was found, ready to be executed.
#[derive(Debug)]
pub struct Command {
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
}

/// Why the program cannot be executed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It is there, but not to be executed.
    #[error("cannot execute `{0}`: {1}")]
    CannotExecute(String, &'static str),
    /// It is not there.
    #[error("`{0}` not found: {1}")]
    NotFound(String, &'static str),
}

impl CommandError {
    /// The exit code that says the same.
    pub const fn exit_code(&self) -> i32 {
        match self {
            Self::CannotExecute(..) => exit::CANNOT_EXECUTE,
            Self::NotFound(..) => exit::NOT_FOUND,
        }
    }
}

impl Command {
    /// Finds the program of a command line.
    pub fn find(
        command: &[OsString],
        search_path: Option<&OsStr>,
        environment: Vec<CString>,
    ) -> Result<Self, CommandError> {
        let name = command.first().map_or(OsStr::new(""), OsString::as_os_str);
        let path = if name.as_bytes().contains(&b'/') {
            PathBuf::from(name)
        } else {
            search(name, search_path)?
        };
        let text = |bytes: Vec<u8>| {
            CString::new(bytes).map_err(|_| {
                CommandError::NotFound(name.to_string_lossy().into_owned(), "NUL byte in its name")
            })
        };
        Ok(Self {
            path: text(path.into_os_string().into_vec())?,
            argv: command
                .iter()
                .map(|argument| text(argument.as_bytes().to_vec()))
                .collect::<Result<_, _>>()?,
            env: environment
                .into_iter()
                .filter(|variable| !is_secret(variable.as_bytes()))
                .collect(),
        })
    }

    /// Becomes the program; returns only with the reason why not.
    pub fn execute(&self) -> CommandError {
        Inherited::noted().restore();
        let errno = sys::execute(&self.path, &self.argv, &self.env);
        self.failed(errno)
    }

    fn failed(&self, errno: Errno) -> CommandError {
        let path = self.path.to_string_lossy().into_owned();
        match errno {
            Errno::ENOENT | Errno::ENOTDIR if Path::new(&path).exists() => {
                CommandError::CannotExecute(path, "its interpreter is not found")
            }
            Errno::ENOENT | Errno::ENOTDIR => CommandError::NotFound(path, errno.desc()),
            errno => CommandError::CannotExecute(path, errno.desc()),
        }
    }
}

fn is_secret(variable: &[u8]) -> bool {
    SECRETS.iter().any(|secret| {
        variable
            .strip_prefix(secret.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&b'='))
    })
}

/// Looks through `PATH`. An empty part is the working directory.
fn search(name: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, CommandError> {
    let shown = || name.to_string_lossy().into_owned();
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let mut unusable = None;
    for part in path.as_bytes().split(|byte| *byte == b':') {
        let directory = if part.is_empty() { b"." } else { part };
        let candidate = Path::new(OsStr::from_bytes(directory)).join(name);
        match candidate.metadata() {
            Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o111 != 0 => {
                return Ok(candidate);
            }
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => unusable = Some(candidate),
            Err(_) => {}
        }
    }
    match unusable {
        Some(found) => Err(CommandError::CannotExecute(
            found.to_string_lossy().into_owned(),
            "permission denied",
        )),
        None if name.is_empty() => Err(CommandError::NotFound(shown(), "its name is empty")),
        None => Err(CommandError::NotFound(shown(), "not in PATH")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, path: &str) -> Result<Command, CommandError> {
        Command::find(&[name.into()], Some(OsStr::new(path)), Vec::new())
    }

    #[test]
    fn programs_are_found_in_path() {
        let found = find("sh", "/nowhere:/bin").unwrap();
        assert_eq!(found.path.to_bytes(), b"/bin/sh");
        let error = find("sh", "/nowhere").unwrap_err();
        assert_eq!(error.to_string(), "`sh` not found: not in PATH");
        assert_eq!(error.exit_code(), exit::NOT_FOUND);
    }

    #[test]
    fn secrets_stay_behind_and_the_rest_keeps_its_order() {
        let given = [
            c"Z=1",
            c"SYSDIG_ACCESS_KEY=hunter2",
            c"A=b=c",
            c"odd",
            c"Z=2",
        ];
        let given = given.map(std::ffi::CStr::to_owned).to_vec();
        let found = Command::find(&["/bin/sh".into()], None, given).unwrap();
        let expected = [c"Z=1", c"A=b=c", c"odd", c"Z=2"];
        assert_eq!(found.env, expected.map(std::ffi::CStr::to_owned));
    }

    #[test]
    fn what_is_there_but_cannot_run_is_126() {
        let found = find("/etc/passwd", "").unwrap();
        assert_eq!(
            found.failed(Errno::EACCES).exit_code(),
            exit::CANNOT_EXECUTE
        );
        assert_eq!(
            found.failed(Errno::ENOENT).exit_code(),
            exit::CANNOT_EXECUTE
        );
        let gone = find("/no/such", "").unwrap();
        assert_eq!(gone.failed(Errno::ENOENT).exit_code(), exit::NOT_FOUND);
    }
}
