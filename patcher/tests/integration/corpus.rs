//! Templates of public repositories: patched, patched again, and given back.

use std::collections::BTreeMap;

use patcher::check;
use patcher::patch::patch;
use patcher::path::Path;
use patcher::plan::{Kind, kind, locate};
use patcher::source::Document;
use patcher::unpatch::{How, unpatch};
use patcher::value::Value;

use crate::harness::{AGENT, corpus, eager, patch_with_stubs, skip};

/// Files of the corpus that are not templates, and why.
const UNUSABLE: [(&str, &str); 4] = [
    ("ecs-ec2-sidecar.json", "a trailing comma"),
    ("simple-container-definition.json", "a trailing comma"),
    ("serverless-patterns__eventbridge", "examples of API calls"),
    (
        "serverless-patterns__lambda-bedrock",
        "examples of API calls",
    ),
];

fn usable(test: &str) -> Option<BTreeMap<String, String>> {
    let Some(mut files) = corpus() else {
        skip(test, "no sample templates (set CFN_CORPUS)");
        return None;
    };
    let count = files.len();
    files.retain(|name, _| UNUSABLE.iter().all(|(part, _)| !name.contains(part)));
    assert!(
        count - files.len() <= UNUSABLE.len(),
        "the list of unusable files hides others"
    );
    assert!(files.len() >= 40, "only {} templates", files.len());
    Some(files)
}

#[test]
fn two_parsers_read_every_template_alike() {
    let Some(files) = usable("two_parsers_read_every_template_alike") else {
        return;
    };
    for (name, text) in &files {
        let document = Document::read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let result = check::check(text, document.format, &document.value());
        assert_eq!(result, Ok(()), "{name}");
    }
}

#[test]
fn every_template_is_patched_once_and_given_back() {
    let Some(files) = usable("every_template_is_patched_once_and_given_back") else {
        return;
    };
    let (mut patched_files, mut skipped) = (0, Vec::new());
    for (name, text) in &files {
        for parameterize in [false, true] {
            let mut options = eager();
            options.parameterize = parameterize;
            let (patched, images) = patch_with_stubs(text, &options);
            assert_eq!(patched.plan.problems, [], "{name}");
            let Some(new) = patched.text else {
                let reasons: Vec<_> = patched
                    .plan
                    .tasks
                    .iter()
                    .filter_map(|task| task.skipped.clone())
                    .collect();
                assert!(
                    !reasons.is_empty(),
                    "{name}: neither patched nor skipped with a reason"
                );
                skipped.push(format!("{name}: {}", reasons.join("; ")));
                continue;
            };
            patched_files += 1;
            let again = patch(&new, &options, &images).unwrap();
            assert_eq!(again.text, None, "{name}: a second run changes something");
            let back = unpatch(&new, &options.sidecar.name).unwrap();
            assert_eq!(back.text, Some((text.clone(), How::Exact)), "{name}");
            if !parameterize {
                edits_are_confined(name, text, &new);
            }
            comments_stay(name, text, &new);
        }
    }
    println!(
        "{patched_files} patched, {} skipped: {skipped:#?}",
        skipped.len()
    );
    assert!(patched_files >= 80, "only {patched_files} were patched");
}

/// What is outside of task definitions keeps every byte.
fn edits_are_confined(name: &str, old: &str, new: &str) {
    let outside = |text: &str| {
        let document = Document::read(text).unwrap();
        let value = document.value();
        if kind(&value) != Some(Kind::Template) {
            return String::new();
        }
        let mut out = String::new();
        let mut at = 0;
        for task in locate(&value).unwrap() {
            let node = document
                .node(&task.path)
                .expect("properties stand in the text");
            out.push_str(piece(text, at..node.span.start));
            at = node.span.end;
        }
        out + piece(text, at..text.len())
    };
    assert_eq!(
        outside(old),
        outside(new),
        "{name}: a byte outside of the task definitions changed"
    );
}

/// A part of a text. Spaces at its start may belong to the last line of the part before.
fn piece(text: &str, span: std::ops::Range<usize>) -> &str {
    text.get(span).unwrap().trim_start_matches(' ')
}

fn comments_stay(name: &str, old: &str, new: &str) {
    let comments = |text: &str| {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        comments(old),
        comments(new),
        "{name}: comments changed or moved"
    );
}

#[test]
fn an_update_changes_the_image_in_place_and_still_goes_back() {
    let test = "an_update_changes_the_image_in_place_and_still_goes_back";
    let Some(files) = usable(test) else { return };
    for (name, text) in &files {
        let mut options = eager();
        let (patched, images) = patch_with_stubs(text, &options);
        let Some(new) = patched.text else { continue };
        options.sidecar.image = "agent.example/agent:2".into();
        let updated = patch(&new, &options, &images)
            .unwrap()
            .text
            .expect("the image differs");
        assert!(!updated.contains(AGENT), "{name}: the old image stays");
        assert_eq!(sidecars(&updated), sidecars(&new), "{name}");
        let back = unpatch(&updated, &options.sidecar.name).unwrap();
        assert_eq!(back.text, Some((text.clone(), How::Exact)), "{name}");
    }
}

fn sidecars(text: &str) -> usize {
    text.matches("/opt/draios/bin/sidecar").count()
}

#[test]
fn an_edited_file_goes_back_by_its_shape() {
    let test = "an_edited_file_goes_back_by_its_shape";
    let Some(files) = usable(test) else { return };
    for (name, text) in &files {
        let options = eager();
        let Some(new) = patch_with_stubs(text, &options).0.text else {
            continue;
        };
        let edited = new.replacen(AGENT, "agent.example/agent:edited", 1);
        let (back, how) = unpatch(&edited, &options.sidecar.name)
            .unwrap()
            .text
            .unwrap();
        assert_eq!(how, How::Shape, "{name}");
        let value = |text: &str| without_empty(&Document::read(text).unwrap().value());
        assert_eq!(value(&back), value(text), "{name}");
    }
}

/// An empty list that the patcher filled goes away with what it held, which ECS reads alike.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(without_empty).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries
                .iter()
                .filter(|(_, value)| value.as_list() != Some(&[]))
                .map(|(key, value)| (key.clone(), without_empty(value)))
                .collect();
            // The order of keys is no part of what a template says.
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Map(entries)
        }
        other => other.clone(),
    }
}

#[test]
fn a_path_finds_what_locate_names() {
    let text =
        "Resources:\n  A:\n    Type: AWS::ECS::TaskDefinition\n    Properties: {Family: f}\n";
    let document = Document::read(text).unwrap();
    let value = document.value();
    let tasks = locate(&value).unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        tasks[0].path,
        Path::root().key("Resources").key("A").key("Properties")
    );
}
