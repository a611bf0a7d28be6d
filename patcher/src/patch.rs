//! From text to patched text, proven.

use contract::sidecar::RECORD_LABEL;
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

/// Plans, edits and proves. A text that is as an earlier run left it becomes what its original
/// becomes with these options; nothing of the earlier options stays.
pub fn patch(text: &str, options: &Options, images: &Images) -> Result<Patched, PatchError> {
    let document = Document::read(text)?;
    let value = document.value();
    let record = Record::find(&value);
    let original = record.as_ref();
    let Some(original) = original.and_then(|(path, record)| original_of(&document, path, record))
    else {
        let (label, record) = record.unzip();
        let plan = plan::plan(&value, record.as_ref(), options, images);
        let label = Label::of(options, label);
        return carry_out(&document, value, plan, label);
    };
    let first = Document::read(&original)?;
    let before = first.value();
    let plan = plan::plan_again(&before, &value, options, images);
    let mut patched = carry_out(&first, before, plan, Label::of(options, None))?;
    if patched.plan.problems.is_empty() {
        // Nothing to wrap with these options: the original is what is wanted.
        let new = patched.text.take().unwrap_or_else(|| original.clone());
        patched.text = (new != text).then_some(new);
    }
    Ok(patched)
}

/// What happens to the record.
enum Label {
    /// It is made.
    Make,
    /// None is left; an earlier run may have left one here.
    Omit(Option<Path>),
    /// An earlier run left it here.
    Update(Path),
}

impl Label {
    fn of(options: &Options, existing: Option<Path>) -> Self {
        match existing {
            existing if !options.record => Self::Omit(existing),
            Some(path) => Self::Update(path),
            None => Self::Make,
        }
    }
}

/// Returns what a text was before the first run, if nobody has edited it since.
fn original_of(document: &Document<'_>, label: &Path, record: &Record) -> Option<String> {
    let original = record.restore(&blank(document, label)?)?;
    // No run leaves a record whose original has one.
    let readable = Document::read(&original).ok()?;
    Record::find(&readable.value())
        .is_none()
        .then_some(original)
}

/// Makes the text that a plan asks for.
fn carry_out(
    document: &Document<'_>,
    value: Value,
    plan: Plan,
    label: Label,
) -> Result<Patched, PatchError> {
    let idle = plan.edits.is_empty() && !matches!(label, Label::Omit(Some(_)));
    if idle || !plan.problems.is_empty() {
        return Ok(Patched { text: None, plan });
    }
    let first = !matches!(label, Label::Update(_));
    let mut target = value;
    edit::apply(&mut target, &plan.edits)?;
    let label = place_record(&mut target, label, &plan)?;
    let splices = rewrite::splices(document, &target)?;
    let new = match label {
        Some(label) => {
            let record = Record::new(plan.undo.clone());
            let (new, written) = remember(document, splices, record, first)?;
            edit::apply(
                &mut target,
                &[Edit {
                    path: label,
                    op: Op::Set(written),
                }],
            )?;
            new
        }
        None => rewrite::apply(document.text, &splices),
    };
    check::check(&new, document.format, &target)?;
    Ok(Patched {
        text: Some(new),
        plan,
    })
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

/// Takes the label away, and the labels when it is the only one.
fn remove_record(target: &mut Value, label: Path) -> Result<(), EditError> {
    let alone = |labels: &Path| labels.find(target)?.as_map().map(|map| map.len() == 1);
    let path = match label.parent() {
        Some(labels) if alone(&labels) == Some(true) => labels,
        _ => label,
    };
    let op = Op::Remove;
    edit::apply(target, &[Edit { path, op }])
}

/// Puts a placeholder where the record goes, and returns where that is.
fn place_record(target: &mut Value, label: Label, plan: &Plan) -> Result<Option<Path>, PatchError> {
    let place = match label {
        Label::Make => plan.sidecars.first().cloned(),
        Label::Omit(existing) => {
            if let Some(path) = existing {
                remove_record(target, path)?;
            }
            None
        }
        Label::Update(path) => Some(path),
    };
    let Some(sidecar) = place else {
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

/// Writes the record in the place of its placeholder; returns the text and the record. `first` says
/// that no earlier run left one.
fn remember(
    document: &Document<'_>,
    mut splices: Vec<Splice>,
    record: Record,
    first: bool,
) -> Result<(String, Value), PatchError> {
    let placeholder = rewrite::scalar(PLACEHOLDER, document.format);
    let at = splices
        .iter()
        .position(|splice| splice.text.contains(&placeholder))
        .ok_or(PatchError::Irreversible)?;
    let template = splices[at].text.clone();
    splices[at].text = template.replacen(&placeholder, "\"\"", 1);
    let blank = rewrite::apply(document.text, &splices);
    // A text that was edited since an earlier run has no original that anybody knows.
    let record = if first {
        record.with_text(&splices, &blank, document.text)
    } else {
        record
    };
    if first && record.restore(&blank).as_deref() != Some(document.text) {
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
