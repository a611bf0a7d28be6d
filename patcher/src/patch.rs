//! From text to patched text, proven.

use thiserror::Error;

use crate::check::{self, CheckError};
use crate::edit::{self, EditError};
use crate::image::Images;
use crate::options::Options;
use crate::plan::{self, Plan};
use crate::rewrite::{self, RewriteError};
use crate::source::{Document, ReadError};

/// What a run over one text gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The new text; `None` when nothing changes or a problem stands in the way.
    pub text: Option<String>,
    /// What was planned.
    pub plan: Plan,
}

/// A text cannot be patched.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    /// The result is not what was planned.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The plan does not fit.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The text cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The text cannot be edited.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
}

/// Plans, edits and proves.
pub fn patch(text: &str, options: &Options, images: &Images) -> Result<Patched, PatchError> {
    let document = Document::read(text)?;
    let value = document.value();
    let plan = plan::plan(&value, options, images);
    if plan.edits.is_empty() || !plan.problems.is_empty() {
        return Ok(Patched { text: None, plan });
    }
    let mut target = value;
    edit::apply(&mut target, &plan.edits)?;
    let splices = rewrite::splices(&document, &target)?;
    let new = rewrite::apply(text, &splices);
    check::check(&new, document.format, &target)?;
    Ok(Patched {
        text: Some(new),
        plan,
    })
}
