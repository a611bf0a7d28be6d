//! `rule_loader.jsonl`: whole files, with what upstream's tests expect of them.
//!
//! The expectations are lines of C++. Those about loading are understood here: whether the files
//! load, what is warned of, what a condition becomes, how many rules are on. Cases that are about
//! upstream's own classes have no such line and are not counted.

use event::glob;
use rules::{Diagnostics, RuleSet, Severity, Source};
use serde::Deserialize;

use super::{Score, vectors};

#[derive(Deserialize)]
struct Case {
    test: String,
    yaml: Vec<String>,
    asserts: Vec<String>,
}

/// Messages that upstream's tests call by a constant, and how they begin here.
const MESSAGES: [(&str, &str); 8] = [
    ("WARNING_APPEND", "`append` key is deprecated"),
    (
        "WARNING_ENABLED",
        "the standalone `enabled` key usage is deprecated",
    ),
    (
        "WARNING_NO_EVTTYPE",
        "rule matches too many `evt.type` values",
    ),
    (
        "ERROR_OVERRIDE_APPEND",
        "keys `override` and `append: true` cannot be used together",
    ),
    ("ERROR_NO_PREVIOUS_MACRO", "macro uses `append`"),
    ("ERROR_NO_PREVIOUS_LIST", "list uses `append`"),
    ("ERROR_NO_PREVIOUS_RULE_APPEND", "rule uses `append`"),
    (
        "ERROR_NO_PREVIOUS_RULE_REPLACE",
        "an `override.<key>: replace` to a rule was requested",
    ),
];

struct Loaded {
    set: Option<RuleSet>,
    found: Diagnostics,
}

impl Loaded {
    fn new(yaml: &str) -> Self {
        let source = Source {
            name: "case.yaml".to_owned(),
            text: yaml.to_owned(),
        };
        match RuleSet::load(&[source]) {
            Ok(set) => Self {
                found: set.warnings().clone(),
                set: Some(set),
            },
            Err(found) => Self { set: None, found },
        }
    }

    /// Whether a diagnostic says so; quotes and case do not matter.
    fn says(&self, wanted: &str) -> bool {
        let wanted = plain(wanted);
        self.found
            .iter()
            .any(|d| plain(&d.message).contains(&wanted))
    }
}

fn plain(text: &str) -> String {
    text.replace(['\'', '`', '"'], "").to_lowercase()
}

/// The strings between double quotes, joined: C++ joins those that stand side by side.
fn quoted(line: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside => out.extend(characters.next()),
            c if inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// Whether an expectation holds; `None` when it is not about loading.
fn holds(assertion: &str, loaded: &Loaded) -> Option<bool> {
    // Several expectations may have been taken for one line.
    let parts: Vec<&str> = assertion.split(';').map(str::trim).collect();
    let answers: Vec<bool> = parts
        .iter()
        .filter_map(|part| one_holds(part, loaded))
        .collect();
    (!answers.is_empty()).then(|| answers.iter().all(|answer| *answer))
}

fn one_holds(assertion: &str, loaded: &Loaded) -> Option<bool> {
    let expected = if assertion.contains("_TRUE(") || assertion.contains("_EQ(") {
        true
    } else if assertion.contains("_FALSE(") {
        false
    } else {
        return None;
    };
    let found = if let Some((_, call)) = assertion.split_once("matches_wildcard(") {
        // What switches rules by name.
        let (pattern, name) = call.split_once(", ")?;
        glob(
            quoted(pattern).as_bytes(),
            quoted(name).as_bytes(),
            event::Case::Keep,
        )
    } else if assertion.contains("load_rules(") {
        loaded.set.is_some()
    } else if assertion.contains("has_warnings()") {
        loaded.found.count(Severity::Warning) > 0
    } else if assertion.contains("check_warning_message(")
        || assertion.contains("check_error_message(")
    {
        let constant = MESSAGES.iter().find(|(name, _)| {
            assertion.contains(&format!("({name})")) || assertion.contains(&format!("( {name})"))
        });
        match constant {
            Some((_, message)) => loaded.says(message),
            None => loaded.says(&quoted(assertion.split("<<").next()?)),
        }
    } else if assertion.contains("get_compiled_rule_condition(") {
        let (call, value) = assertion.split_once("),")?;
        let name = quoted(call);
        let set = loaded.set.as_ref()?;
        let condition = set.find(&name).map(|id| set.condition(id));
        condition.as_deref() == Some(&*quoted(value))
    } else if assertion.contains("num_rules_for_ruleset()") {
        let number = assertion.rsplit(',').next()?.trim_matches([' ', ')']);
        let number: usize = number.parse().ok()?;
        loaded.set.as_ref().map(RuleSet::enabled) == Some(number)
    } else {
        return None;
    };
    Some(found == expected)
}

/// Upstream's exception cases leave out the rule that they share.
fn whole(yaml: &str) -> String {
    if yaml.trim_start().starts_with("exceptions:") {
        let head = "- rule: test_rule\n  desc: test rule\n  condition: evt.type = open\n  \
                    output: command=%proc.cmdline\n  priority: INFO\n";
        format!("{head}{}", yaml.trim_start_matches('\n'))
    } else {
        yaml.to_owned()
    }
}

#[test]
fn files_load_as_upstreams_loader_loads_them() {
    let name = "files_load_as_upstreams_loader_loads_them";
    let Some(cases) = vectors::<Case>(name, "rule_loader") else {
        return;
    };
    let mut score = Score::default();
    let mut uncounted = 0;
    for case in cases {
        // Where there are several, the others are what upstream's tests share.
        let loaded = Loaded::new(&whole(case.yaml.first().map_or("", String::as_str)));
        let answers: Vec<(&String, bool)> = case
            .asserts
            .iter()
            .filter_map(|assertion| Some((assertion, holds(assertion, &loaded)?)))
            .collect();
        if answers.is_empty() {
            uncounted += 1;
            continue;
        }
        let failed: Vec<&&String> = answers
            .iter()
            .filter(|(_, held)| !held)
            .map(|(assertion, _)| assertion)
            .collect();
        score.add(failed.is_empty(), || {
            format!("{}: {failed:?}\n{}", case.test, loaded.found)
        });
    }
    println!("rule_loader: {uncounted} cases are about upstream's own classes");
    score.finish("rule_loader", 95);
}
