//! Rule files as people have them: what Falco takes must load and mean the same, and what it
//! refuses must be told where it stands.

use rules::{RuleSet, Source, Style};

fn load(text: &str) -> Result<RuleSet, String> {
    let source = Source {
        name: "odd.yaml".to_owned(),
        text: text.to_owned(),
    };
    RuleSet::load(&[source]).map_err(|found| found.render(Style::Plain))
}

/// A rule with this condition, and more of its lines.
fn rule(condition: &str, more: &str) -> String {
    format!("- rule: R\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n{more}")
}

/// Loads, and says what the rule `R` means and what was warned of.
fn meaning(text: &str) -> (String, String) {
    let rules = load(text).unwrap();
    let doubts = rules.warnings().render(Style::Plain);
    let told = rules.find("R").map(|id| rules.explain(id, Style::Plain));
    (told.unwrap_or_default(), doubts)
}

fn refusal(text: &str) -> String {
    load(text).map(|rules| rules.enabled()).unwrap_err()
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

const AUDIT: &str = "
- macro: kcreate
  condition: ka.verb = create
- macro: new_pod
  condition: kcreate and jevt.value[/stage] = ResponseComplete
- rule: Audit
  desc: d
  condition: new_pod
  output: by %ka.user.name
  priority: INFO
  source: k8s_audit
";

#[test]
fn files_for_other_sources_load() {
    let (_, doubts) = meaning(&format!("{AUDIT}{}", rule("evt.type = open", "")));
    assert_has(&doubts, &["LOAD_UNKNOWN_SOURCE", "LOAD_UNUSED_MACRO"]);
    assert!(!doubts.contains("unknown field"), "{doubts}");
}

#[test]
fn a_field_in_a_macro_is_told_once_and_only_when_a_rule_uses_it() {
    let again = rule("new_pod", "").replace("rule: R", "rule: R2");
    let found = refusal(&format!(
        "{AUDIT}{}{again}",
        rule("evt.type = open and new_pod", "")
    ));
    assert_has(&found, &["odd.yaml:3:14, macro `kcreate`", "odd.yaml:5:26"]);
    assert_eq!(
        found.matches("unknown field `ka.verb`").count(),
        1,
        "{found}"
    );
    let found = refusal("- macro: unused\n  condition: a.b ==\n");
    assert_has(&found, &["expected a value"]);
}

#[test]
fn unknown_names_leave_a_rule_out_where_it_says_so() {
    let skip = "  skip-if-unknown-filter: true\n";
    for condition in ["new_pod", "evt.type = opne", "fd.nmae = x or new_pod"] {
        let (told, doubts) = meaning(&format!("{AUDIT}{}", rule(condition, skip)));
        assert!(told.is_empty(), "{condition}: {told}");
        assert_has(&doubts, &["LOAD_UNKNOWN_FILTER", "rule `R` is left out"]);
    }
    let text = rule("fd.name in", skip).replace("output: o", "output: \"%ka.verb\"");
    assert_has(&meaning(&text).1, &["LOAD_UNKNOWN_FILTER"]);
    assert_has(
        &refusal(&rule("fd.num = x", skip)),
        &["expected a signed number"],
    );
    assert_has(&refusal(&rule("fd.name = a b", skip)), &["needs quotes"]);
}

#[test]
fn nothing_is_nothing_and_empty_is_wrong() {
    let (_, doubts) = meaning(&format!(
        "-\n- ~\n---\n~\n---\n# none\n---\n- null\n{}",
        rule("evt.type = open", "  exceptions:\n  override:\n")
    ));
    assert_eq!(doubts, "");
    for (text, place) in [
        (
            rule("evt.type = open", "").replace("desc: d", "desc: \"\""),
            "2:9",
        ),
        (
            rule("evt.type = open", "").replace("output: o", "output:"),
            "4:9",
        ),
        (rule("evt.type = open", "").replace("INFO", "~"), "5:13"),
    ] {
        assert_has(&refusal(&text), &[place, "is empty"]);
    }
    assert_has(
        &refusal("- list: l\n  items: [a, ~]\n"),
        &["2:14", "plain value"],
    );
}

#[test]
fn keys_that_nobody_knows_or_that_stand_twice_are_warned_of() {
    let more =
        "- rule: R\n  author: me\n  condition: and fd.num = 1\n  override: {condition: append}\n";
    let (told, doubts) = meaning(&rule("evt.type = open", more));
    assert_has(&told, &["fd.num = 1"]);
    assert_has(&doubts, &["unknown key `author`"]);
    let (told, doubts) = meaning(&rule("evt.type = open", "  condition: evt.type = dup\n"));
    assert_has(&told, &["evt.type = open"]);
    assert_has(&doubts, &["6:3", "`condition` stands here twice"]);
    assert_eq!(meaning(&rule("evt.type = open", "  append: false\n")).1, "");
    let found = refusal("- &a\n  list: l\n  items: []\n- rule: R\n  <<: *a\n");
    assert_has(&found, &["`<<`"]);
}

#[test]
fn appending_takes_no_notice_of_other_keys() {
    let more =
        "- rule: R\n  append: true\n  condition: and fd.num = 1\n  source:\n  enabled: perhaps\n";
    assert_has(&meaning(&rule("evt.type = open", more)).0, &["fd.num = 1"]);
}

#[test]
fn exceptions_mean_what_falco_makes_of_them() {
    let lists = "- list: shells\n  items: [ash, sh]\n";
    let exceptions = "  exceptions:
    - name: pairs
      fields: [proc.name, fd.name]
      comps: [in, startswith]
      values:
        - [shells, /etc]
        - [\"a, b\", \"/my path\"]
        - [[x, y z], val(proc.cwd)]
    - name: one
      fields: proc.pname
      values: [shells, 'q\"r', a=b]
    - name: single
      fields: [fd.num]
      values: [[3], [4]]
    - name: unused
      fields: [proc.exe]
";
    let (told, _) = meaning(&format!("{lists}{}", rule("evt.type = open", exceptions)));
    assert_has(
        &told,
        &[
            "proc.name in (ash, sh)",
            "proc.name in (a, b)",
            "fd.name startswith \"/my path\"",
            "proc.name in (x, \"y z\")",
            "fd.name startswith val(proc.cwd)",
            "proc.pname in (ash, sh, \"q\\\"r\", \"a=b\")",
            "fd.num = 4",
        ],
    );
}

#[test]
fn faults_in_exceptions_are_told_all_and_where_they_stand() {
    let exceptions = "  exceptions:
    - name: unknown
      fields: [proc.nmae, fd.name]
    - name: values
      fields: [fd.num, fd.nmae]
      values: [[x, y]]
    - name: count
      fields: [proc.name, fd.name]
      values: [[a]]
";
    let found = refusal(&rule("evt.type = open", exceptions));
    assert_has(
        &found,
        &[
            "odd.yaml:8:16",  // proc.nmae
            "odd.yaml:10:24", // fd.nmae
            "odd.yaml:11:17", // x
            "odd.yaml:14:17",
            "`fd.name`",
        ],
    );
    let shapes = "  exceptions:\n    - name: a\n      fields: proc.name\n      comps: contains\n    \
                  - name: b\n      fields: [proc.name]\n      comps: [begins]\n    - text\n";
    let found = refusal(&rule("evt.type = open", shapes));
    assert_has(&found, &["comps must be one of", "12:15", "must have name"]);
}

#[test]
fn places_are_right_behind_escapes_and_quotes() {
    for (condition, column) in [
        (
            r#""evt.type = open and proc.name = \"a b\" and fd.nmae = x""#,
            59,
        ),
        (
            "'evt.type = open and proc.name = ''a'' and fd.nmae = x'",
            57,
        ),
        (">-\n    evt.type = open and\n    fd.nmae = x", 5),
    ] {
        let place = format!(":{column}, rule `R`");
        assert_has(&refusal(&rule(condition, "")), &[&place, "^^^^^^^\n"]);
    }
}

#[test]
fn slips_are_answered_with_what_was_meant() {
    for (condition, help) in [
        ("evt.type = open AND fd.num = 1", "`and`"),
        ("evt.type = open && fd.num = 1", "`and`"),
        ("proc = x", "dot in their name"),
        ("proc.name = a=b", "quotes"),
        ("proc.name in (a b)", "quotes"),
        ("proc.name startswith(x)", "blank is needed"),
        ("proc.name stratswith x", "`startswith`"),
        ("proc.duration > 5s", "nanoseconds"),
        ("fd.num = 1)", "never opened"),
        ("proc.name = \"x", "closing quote"),
        ("fd.sip = 10.0.0.0/8", "`fd.snet`"),
        ("fd.snet = 10.0.0.1", "10.0.0.1/32"),
    ] {
        let text = rule(&format!("|-\n    {condition}"), "");
        assert_has(&refusal(&text), &[help, "= help: "]);
    }
}

#[test]
fn messages_obey_nobody_and_name_the_item() {
    let found = refusal(&rule("fd.nmae = 1", "").replace("rule: R", "rule: \"a\\e[31m\\nb\""));
    assert!(
        !found.contains('\u{1b}') && found.contains("rule `a [31m b`"),
        "{found}"
    );
    let found = refusal(&format!(
        "- list: l\n  items: [a, b c, (d), e]\n{}",
        rule("fd.name in (l)", "")
    ));
    assert_has(&found, &["at `(d)` in this list"]);
    let found = refusal("- macro: m\n  condition: m or fd.num = 1\n");
    assert_has(&found, &["cannot use itself"]);
    for (short, long) in [("warn", "WARNING"), ("Crit", "CRITICAL"), ("err", "ERROR")] {
        let found = refusal(&rule("fd.num = 1", "").replace("INFO", short));
        assert_has(&found, &[&format!("is `{long}` meant?")]);
    }
}

#[test]
fn a_width_fills_up_or_cuts() {
    let text = rule("evt.type = open", "").replace(
        "output: o",
        "output: \"%3evt.type|%6evt.type|%evt.type|%0evt.type\"",
    );
    let mut rules = load(&text).unwrap();
    let event = crate::defaults::event(event::EventType::Open, "cat");
    let alerts = rules.alerts(&event, "host");
    assert_eq!(alerts[0].message, "ope|open  |open|open");
    let wide = rule("evt.type = open", "").replace("output: o", "output: \"%9999evt.type\"");
    assert_has(&refusal(&wide), &["wider than 1024"]);
}

#[test]
fn paths_of_calls_of_the_file_system() {
    use event::{Arg, EventType, Outcome};

    use crate::defaults::{event, path, with_args};

    let text = rule("fs.path.name exists or fs.path.source exists", "").replace(
        "output: o",
        "output: \"%fs.path.name %fs.path.source %fs.path.target %fs.path.targetraw\"",
    );
    let mut rules = load(&text).unwrap();
    let mut told = |event| rules.alerts(&event, "h").pop().map(|alert| alert.message);
    let unlink = with_args(event(EventType::Unlink, "rm"), vec![("path", path("/a"))]);
    assert_eq!(told(unlink.clone()).unwrap(), "/a <NA> <NA> <NA>");
    let failed = event::Event {
        outcome: Outcome::Returned(-2),
        ..unlink
    };
    assert_eq!(told(failed), None);
    let args = vec![
        ("target", Arg::Bytes(b"../b".into())),
        ("linkpath", path("/c")),
    ];
    let mut link = with_args(event(EventType::Symlink, "ln"), args);
    link.processes[0].cwd = Some(b"/d/e".as_slice().into());
    assert_eq!(told(link).unwrap(), "<NA> /c /d/b ../b");
    assert_eq!(told(event(EventType::Ptrace, "gdb")), None);
}

#[test]
fn all_that_is_wrong_with_a_rule_is_told_at_once() {
    let text = "- rule: R\n  desc: d\n  condition: evt.type = openat and proc.nam = a\n  \
                output: \"%proc.nme\"\n  priority: HIGH\n  enabled: perhaps\n";
    let words = ["invalid priority `HIGH`", "enabled", "proc.nam", "proc.nme"];
    assert_has(&refusal(text), &words);
}
