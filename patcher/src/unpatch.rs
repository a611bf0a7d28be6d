//! Gives the original back.
//!
//! A file that is as we wrote it holds a record that gives every byte back. A file that was edited
//! since, or that another tool instrumented, is taken apart by its shape: what starts with
//! `instrument` no longer does, and what only the agent needs goes away.

mod shape;

use crate::check;
use crate::patch::{PatchError, blank};
use crate::record::Record;
use crate::rewrite;
use crate::source::Document;

/// How an original was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Byte for byte, by the record.
    Exact,
    /// By shape, with what the record says of containers.
    Shape,
}

/// What a run over one text gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpatched {
    /// The original, and how it was found; `None` when nothing is instrumented.
    pub text: Option<(String, How)>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Takes the instrumentation out of a text. `sidecar` is the name of the sidecar container.
pub fn unpatch(text: &str, sidecar: &str) -> Result<Unpatched, PatchError> {
    let document = Document::read(text)?;
    let value = document.value();
    let record = Record::find(&value);
    if let Some((path, record)) = &record
        && let Some(original) = blank(&document, path).and_then(|blank| record.restore(&blank))
    {
        return Ok(Unpatched {
            text: Some((original, How::Exact)),
            warnings: Vec::new(),
        });
    }
    let edited = record.is_some();
    let record = record.map(|(_, record)| record);
    let mut warnings = Vec::new();
    let target = shape::undo(&value, record.as_ref(), sidecar, &mut warnings)?;
    if target == value {
        return Ok(Unpatched {
            text: None,
            warnings,
        });
    }
    if edited {
        warnings.push(
            "the file was edited since it was patched: entrypoints and commands are those of before, everything else stays as it is".to_owned(),
        );
    }
    let splices = rewrite::splices(&document, &target)?;
    let new = rewrite::apply(text, &splices);
    check::check(&new, document.format, &target)?;
    Ok(Unpatched {
        text: Some((new, How::Shape)),
        warnings,
    })
}
