//! From text to patched text, proven.

use contract::sidecar::RECORD_LABEL;
use similar::{Algorithm, DiffTag, capture_diff_slices};
use thiserror::Error;

use crate::check::{self, CheckError};
use crate::edit::{self, Edit, EditError, Op};
use crate::image::Images;
use crate::options::Options;
use crate::path::Path;
use crate::plan::{self, Plan, property};
use crate::record::{PLACEHOLDER, Record, labels_key};
use crate::rewrite::{self, RewriteError, Splice};
use crate::source::{Document, ReadError};
use crate::value::Value;

/// What a run over one text gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The new text; `None` when nothing changes or a problem stands in the way.
    pub text: Option<String>,
    /// What was planned.
    pub plan: Plan,
}

/// A text cannot be patched or unpatched.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    /// The result is not what was planned.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The plan does not fit.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// What would be remembered does not give the original back.
    #[error("the record does not give the original back: nothing is written, please report it")]
    Irreversible,
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
    let mut target = value.clone();
    edit::apply(&mut target, &plan.edits)?;
    let label = if options.record {
        place_record(&mut target, &value, &plan)?
    } else {
        None
    };
    let splices = rewrite::splices(&document, &target)?;
    let new = match label {
        Some(label) => {
            let record = Record::new(plan.undo.clone());
            let before = Original::find(&document, &value);
            let (new, written) = remember(&document, splices, record, &before)?;
            edit::apply(
                &mut target,
                &[Edit {
                    path: label,
                    op: Op::Set(written),
                }],
            )?;
            new
        }
        None => rewrite::apply(text, &splices),
    };
    check::check(&new, document.format, &target)?;
    Ok(Patched {
        text: Some(new),
        plan,
    })
}

/// What the text was before the first run.
enum Original {
    /// This text.
    Earlier(String),
    /// It was edited since it was patched: nobody knows.
    Lost,
    /// What is being patched.
    This,
}

impl Original {
    fn find(document: &Document<'_>, value: &Value) -> Self {
        match Record::find(value) {
            None => Self::This,
            Some((path, record)) => {
                let original = blank(document, &path).and_then(|blank| record.restore(&blank));
                original.map_or(Self::Lost, Self::Earlier)
            }
        }
    }
}

/// Returns a patched text with an empty record.
pub(crate) fn blank(document: &Document<'_>, label: &Path) -> Option<String> {
    let span = document.node(label)?.span.clone();
    let (before, after) = (
        document.text.get(..span.start)?,
        document.text.get(span.end..)?,
    );
    Some([before, "\"\"", after].concat())
}

/// Puts a placeholder where the record goes, and returns where that is.
fn place_record(
    target: &mut Value,
    value: &Value,
    plan: &Plan,
) -> Result<Option<Path>, PatchError> {
    let existing = Record::find(value).map(|(path, _)| path);
    let Some(sidecar) = existing.or_else(|| plan.sidecars.first().cloned()) else {
        return Ok(None);
    };
    let placeholder = Value::string(PLACEHOLDER);
    let Some(container) = sidecar
        .find(target)
        .filter(|value| value.as_map().is_some())
    else {
        edit::apply(
            target,
            &[Edit {
                path: sidecar.clone(),
                op: Op::Set(placeholder),
            }],
        )?;
        return Ok(Some(sidecar));
    };
    let (path, op) = match property(container, "DockerLabels") {
        Some((key, labels)) if labels.as_map().is_some() && labels.intrinsic().is_none() => {
            (sidecar.key(key).key(RECORD_LABEL), Op::Set(placeholder))
        }
        // Labels that only CloudFormation can see are the user's; there is no room for a record.
        Some(_) => return Ok(None),
        None => {
            let labels = Value::map([(RECORD_LABEL, placeholder)]);
            (sidecar.key(&labels_key(container)), Op::Set(labels))
        }
    };
    let label = match &op {
        Op::Set(Value::Map(_)) => path.key(RECORD_LABEL),
        _ => path.clone(),
    };
    edit::apply(target, &[Edit { path, op }])?;
    Ok(Some(label))
}

/// Writes the record in the place of its placeholder; returns the text and the record.
fn remember(
    document: &Document<'_>,
    mut splices: Vec<Splice>,
    record: Record,
    original: &Original,
) -> Result<(String, Value), PatchError> {
    let placeholder = rewrite::scalar(PLACEHOLDER, document.format);
    let at = splices
        .iter()
        .position(|splice| splice.text.contains(&placeholder))
        .ok_or(PatchError::Irreversible)?;
    let template = splices[at].text.clone();
    splices[at].text = template.replacen(&placeholder, "\"\"", 1);
    let blank = rewrite::apply(document.text, &splices);
    let record = match original {
        Original::This => record.with_text(&splices, &blank, document.text),
        Original::Earlier(text) => record.with_text(&line_changes(text, &blank), &blank, text),
        Original::Lost => record,
    };
    let expected = match original {
        Original::This => Some(document.text),
        Original::Earlier(text) => Some(text.as_str()),
        Original::Lost => None,
    };
    if expected.is_some() && record.restore(&blank).as_deref() != expected {
        return Err(PatchError::Irreversible);
    }
    let label = record.to_label();
    let rendered = rewrite::scalar(&label, document.format);
    splices[at].text = template.replacen(&placeholder, &rendered, 1);
    Ok((
        rewrite::apply(document.text, &splices),
        Value::String(label),
    ))
}

/// The changes between two texts, line by line.
fn line_changes(old: &str, new: &str) -> Vec<Splice> {
    let old_lines: Vec<_> = old.split_inclusive('\n').collect();
    let new_lines: Vec<_> = new.split_inclusive('\n').collect();
    let mut offsets = vec![0];
    for line in &old_lines {
        offsets.push(offsets.last().copied().unwrap_or_default() + line.len());
    }
    capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines)
        .iter()
        .filter(|op| op.tag() != DiffTag::Equal)
        .map(|op| Splice {
            span: offsets[op.old_range().start]..offsets[op.old_range().end],
            text: new_lines[op.new_range()].concat(),
        })
        .collect()
}
