//! What `describe-task-definition` prints, made into what `register-task-definition` takes.

use crate::patch::PatchError;
use crate::path::Path;
use crate::plan::{Kind, kind};
use crate::rewrite;
use crate::source::Document;
use crate::value::Value;

/// What ECS adds to a task definition and does not take back.
const NOT_REGISTRABLE: [&str; 8] = [
    "compatibilities",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
];

/// Returns the registrable form of a described task definition; `None` for any other text.
pub fn registrable(text: &str) -> Result<Option<String>, PatchError> {
    let document = Document::read(text)?;
    let value = document.value();
    let described = match kind(&value) {
        Some(Kind::Described) => true,
        Some(Kind::TaskDefinition) if value.get("taskDefinitionArn").is_some() => false,
        _ => return Ok(None),
    };
    let mut out = text.to_owned();
    if described {
        let path = Path::root().key("taskDefinition");
        if let Some(node) = document.node(&path) {
            out = dedent(text, node.span.clone());
        }
    }
    let document = Document::read(&out)?;
    let mut target = document.value();
    if let Value::Map(entries) = &mut target {
        entries.retain(|(key, _)| !NOT_REGISTRABLE.contains(&key.as_str()));
        let tags = value
            .get("tags")
            .filter(|tags| tags.as_list().is_some_and(|t| !t.is_empty()));
        if let (true, Some(tags)) = (described, tags) {
            entries.push(("tags".to_owned(), tags.clone()));
        }
    }
    let splices = rewrite::splices(&document, &target)?;
    let registrable = rewrite::apply(&out, &splices);
    crate::check::check(&registrable, document.format, &target)?;
    Ok(Some(registrable))
}

/// Cuts a node out and takes the indentation of its last line from every line.
fn dedent(text: &str, span: std::ops::Range<usize>) -> String {
    let node = text.get(span).unwrap_or_default();
    let last = node.rsplit('\n').next().unwrap_or_default();
    let depth = if node.contains('\n') {
        last.len() - last.trim_start().len()
    } else {
        0
    };
    let mut out = String::with_capacity(node.len());
    for (at, line) in node.split_inclusive('\n').enumerate() {
        let white = line.len() - line.trim_start_matches([' ', '\t']).len();
        let cut = if at == 0 { 0 } else { white.min(depth) };
        out.push_str(line.get(cut..).unwrap_or(line));
    }
    if text.ends_with('\n') {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_ecs_does_not_take_back() {
        let text = "{\n    \"taskDefinition\": {\n        \"family\": \"f\",\n        \"revision\": 3,\n        \"containerDefinitions\": [],\n        \"status\": \"ACTIVE\"\n    },\n    \"tags\": [{\"key\": \"a\", \"value\": \"b\"}]\n}\n";
        let want = "{\n    \"family\": \"f\",\n    \"containerDefinitions\": [],\n    \"tags\": [\n        {\n            \"key\": \"a\",\n            \"value\": \"b\"\n        }\n    ]\n}\n";
        assert_eq!(registrable(text), Ok(Some(want.to_owned())));
        assert_eq!(registrable(want), Ok(None));
    }
}
