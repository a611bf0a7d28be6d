//! `docs/fields.md` is what the table of fields says.

use event::{Argument, FIELDS, FieldInfo};

const HEAD: &str = "\
# Fields

Every field that a rule may use in its condition and output. This page is generated from the table
in `crates/event/src/field/table.rs`; a test fails when the two differ
(`UPDATE_DOCS=1 cargo test -p rules --test integration fields` writes it).

Marks: **exit** - at the entry of some system calls the value is not known yet, so a rule that uses
it may cost a second stop; **condition** - stands for more than one value and cannot be shown in
outputs; **unset** - known, so that rules load, but never has a value on ECS: every comparison with
it is false.

`evt.arg.NAME` and `evt.rawarg.NAME` take the names of arguments:
";

fn document() -> String {
    let mut out = HEAD.to_owned();
    let mut names: Vec<&str> = event::ARGUMENTS.to_vec();
    names.sort_unstable();
    for line in names.chunks(10) {
        out.push_str(&line.join(", "));
        out.push_str(",\n");
    }
    out.truncate(out.trim_end().len() - 1);
    out.push_str(".\n");
    let mut section = "";
    for info in FIELDS {
        let group = info.name.split('.').next().unwrap_or_default();
        if group != section {
            section = group;
            let head =
                format!("\n## {group}\n\n| field | type | marks | meaning |\n|---|---|---|---|\n");
            out.push_str(&head);
        }
        out.push_str(&row(info));
    }
    out
}

fn row(info: &FieldInfo) -> String {
    let argument = match info.argument {
        Argument::None => "",
        Argument::Index => "[number]",
        Argument::Key => "[name]",
        Argument::MaybeIndex => "[number]?",
        Argument::MaybeKey => "[name]?",
    };
    let mut marks = Vec::new();
    if info.is_absent() {
        marks.push("unset");
    }
    if info.is_filter_only() {
        marks.push("condition");
    }
    if info.needs_result() && !info.is_absent() {
        marks.push("exit");
    }
    let list = if info.is_list() { " list" } else { "" };
    format!(
        "| `{}{argument}` | {}{list} | {} | {} |\n",
        info.name,
        info.kind.as_str(),
        marks.join(", "),
        info.description.replace('|', "\\|")
    )
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one switch of a generator")]
fn the_page_of_fields_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fields.md");
    let wanted = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/fields.md is out of date: run UPDATE_DOCS=1 cargo test -p rules --test integration fields"
    );
}
