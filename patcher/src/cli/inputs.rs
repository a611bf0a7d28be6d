//! The files of a run: as named, or found in directories.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// Where it is; `-` is standard input.
    pub(super) path: PathBuf,
    /// Where it is below the directory in which it was found. Such a file may be something else
    /// than a template.
    pub(super) found: Option<PathBuf>,
}

impl Input {
    /// Its name in messages.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// Lists the files that were named, and the templates below the directories that were.
pub(super) fn expand(named: &[PathBuf]) -> Result<Vec<Input>, String> {
    let mut all = Vec::new();
    for path in named {
        if path.is_dir() {
            let mut found = Vec::new();
            let failed = |error| format!("cannot read {}: {error}", path.display());
            walk(path, &mut found).map_err(failed)?;
            found.sort();
            all.extend(found.into_iter().map(|file| {
                let below = file.strip_prefix(path).unwrap_or(&file).to_owned();
                Input {
                    path: file,
                    found: Some(below),
                }
            }));
        } else {
            all.push(Input {
                path: path.clone(),
                found: None,
            });
        }
    }
    Ok(all)
}

/// Symbolic links to directories are not followed, so that no walk runs in circles.
fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    const ENDINGS: [&str; 4] = ["json", "template", "yaml", "yml"];
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() {
            if !hidden {
                walk(&entry.path(), found)?;
            }
        } else if entry
            .path()
            .extension()
            .is_some_and(|end| ENDINGS.iter().any(|e| end == *e))
        {
            found.push(entry.path());
        }
    }
    Ok(())
}
