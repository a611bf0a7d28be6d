//! Rule files, read so that no file can make us wait or fill memory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::libc::{O_NOCTTY, O_NONBLOCK};
use rules::{Diagnostics, Source};

/// A rule file beyond this size is not read.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Their text is wrong.
    #[error("{}", .0.summary())]
    Invalid(Diagnostics),
    /// Nothing that can be read to its end without waiting.
    #[error("cannot read rules from `{0}`: it is a pipe or a socket; name a file or a folder")]
    NotAFile(String),
    /// Bytes that are no characters.
    #[error("cannot read rules from `{path}`: line {line}, byte {column} is not UTF-8{hint}")]
    NotText {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Byte within the line, from 1.
        column: usize,
        /// What it may be instead.
        hint: &'static str,
    },
    /// Larger than any file of rules.
    #[error("cannot read rules from `{0}`: it is larger than 16 MiB")]
    TooLarge(String),
    /// A file cannot be read.
    #[error("cannot read rules from `{path}`: {reason}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What the kernel says.
        reason: io::Error,
    },
}

/// The rules of these files and folders, or the built-in ones when none are named; and what is
/// wrong with those that cannot be read.
pub fn sources(paths: &[PathBuf]) -> (Vec<Source>, Vec<RulesError>) {
    if paths.is_empty() {
        return (rules::default_rules(), Vec::new());
    }
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match read(path) {
            Ok(read) => sources.extend(read),
            Err(error) => errors.push(error),
        }
    }
    (sources, errors)
}

/// Reads a file, or the YAML files of a folder in order of their names.
pub(super) fn read(path: &Path) -> Result<Vec<Source>, RulesError> {
    if !path.is_dir() {
        return Ok(vec![read_file(path)?]);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(|reason| unreadable(path, reason))?;
    files.retain(|file| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("yaml" | "yml")) && !file.is_dir()
    });
    files.sort();
    files.iter().map(|file| read_file(file)).collect()
}

fn read_file(path: &Path) -> Result<Source, RulesError> {
    // A pipe that nobody writes to, or a terminal, must not make the workload wait.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(path)
        .map_err(|reason| unreadable(path, reason))?;
    let name = path.display().to_string();
    let kind = file.metadata().map_err(|reason| unreadable(path, reason))?;
    if kind.file_type().is_fifo() || kind.file_type().is_socket() {
        return Err(RulesError::NotAFile(name));
    }
    let bytes = read_some(file).map_err(|reason| unreadable(path, reason))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(RulesError::TooLarge(name));
    }
    let text = String::from_utf8(bytes).map_err(|error| not_text(&name, &error))?;
    Ok(Source { name, text })
}

/// Reads until a byte more than is allowed: what a file says of its own size need not be true.
fn read_some(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, reason: io::Error) -> RulesError {
    let path = path.display().to_string();
    RulesError::Unreadable { path, reason }
}

fn not_text(name: &str, error: &std::string::FromUtf8Error) -> RulesError {
    let bytes = error.as_bytes();
    let good = bytes
        .get(..error.utf8_error().valid_up_to())
        .unwrap_or_default();
    let hint = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => " (it begins like UTF-16)",
        _ if bytes.contains(&0) => " (it is not a text file)",
        _ => "",
    };
    RulesError::NotText {
        path: name.to_owned(),
        line: good.split(|byte| *byte == b'\n').count(),
        column: good.iter().rev().take_while(|byte| **byte != b'\n').count() + 1,
        hint,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refusal(path: &Path) -> String {
        let (sources, errors) = sources(&[path.to_owned()]);
        assert_eq!(sources, [], "{}", path.display());
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_makes_us_wait_or_fills_memory() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.yaml");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(refusal(&pipe).contains("it is a pipe"));
        assert!(refusal(folder.path()).contains("pipe.yaml"));
        assert!(refusal(Path::new("/dev/zero")).contains("16 MiB"));
        let large = folder.path().join("large");
        let file = File::create(&large).unwrap();
        file.set_len(MAX_FILE_BYTES + 1).unwrap();
        assert!(refusal(&large).contains("16 MiB"));
    }

    #[test]
    fn what_is_not_text_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.yaml");
        for (bytes, message) in [
            (&b"# a\n# caf\xe9\n"[..], "line 2, byte 6 is not UTF-8"),
            (
                b"\xff\xfe#\0",
                "line 1, byte 1 is not UTF-8 (it begins like UTF-16)",
            ),
            (b"\x7fELF\0\xff", "(it is not a text file)"),
        ] {
            fs::write(&path, bytes).unwrap();
            assert!(refusal(&path).contains(message), "{}", refusal(&path));
        }
    }

    #[test]
    fn a_folder_is_read_in_order_of_names_and_holds_no_dead_links() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "c.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("d.yaml")).unwrap();
        let found = read(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|source| &*source.name).collect();
        assert!(names[0].ends_with("a.yml") && names[1].ends_with("b.yaml") && names.len() == 2);
        std::os::unix::fs::symlink("nowhere", folder.path().join("e.yaml")).unwrap();
        assert!(refusal(folder.path()).contains("e.yaml"));
    }
}
