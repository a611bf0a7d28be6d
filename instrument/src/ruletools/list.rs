//! `--rules-list`: every rule with its events, its fields and what it costs.

use event::EventType;
use rules::{RuleInfo, RuleSet, Style};

use super::check::count;

pub(super) fn list(rules: &RuleSet, style: Style) -> String {
    let infos: Vec<RuleInfo<'_>> = rules.rules().map(|id| rules.info(id)).collect();
    let width = infos
        .iter()
        .map(|info| info.name.chars().count())
        .max()
        .unwrap_or_default();
    let mut lines = Vec::new();
    let head = format!(
        "{:<13}  {:<width$}  {:<10}  EVENTS",
        "PRIORITY", "RULE", "STOPS"
    );
    lines.push(style.paint("1", head));
    for info in &infos {
        lines.extend(rule(info, width, style));
    }
    lines.push(String::new());
    lines.push(sum(rules));
    lines.push(String::new());
    lines.join("\n")
}

fn rule(info: &RuleInfo<'_>, width: usize, style: Style) -> [String; 2] {
    let colour = match info.priority {
        event::Priority::Emergency
        | event::Priority::Alert
        | event::Priority::Critical
        | event::Priority::Error => "31",
        event::Priority::Warning => "33",
        _ => "36",
    };
    let priority = style.paint(colour, format!("{:<13}", info.priority.as_str()));
    let name = format!("{:<width$}", info.name);
    let name = style.paint(if info.is_enabled { "1" } else { "2" }, name);
    let stops = match (info.is_enabled, info.needs_result.is_empty()) {
        (false, _) => "off",
        (true, true) => "entry",
        (true, false) => "entry+exit",
    };
    let events = if info.events == event::EventTypeSet::all() {
        "all".to_owned()
    } else {
        let names: Vec<&str> = info.events.iter().map(EventType::as_str).collect();
        names.join(" ")
    };
    let fields = style.paint("2", format!("{:15}reads {}", "", info.fields.join(" ")));
    [format!("{priority}  {name}  {stops:<10}  {events}"), fields]
}

/// How many stops the rules take together.
fn sum(rules: &RuleSet) -> String {
    let cost = rules.cost();
    let open = cost.iter().filter(|(_, _, open)| *open > 0).count();
    let opens = [EventType::Open, EventType::Openat];
    let directories = if opens.iter().any(|kind| rules.events().contains(*kind)) {
        if rules.asks_for_directories() {
            "\ndirectories that are opened to be listed stop as well: a rule may match them"
        } else {
            "\ndirectories that are opened to be listed pass: no rule can match them"
        }
    } else {
        ""
    };
    format!(
        "{} ({} enabled) stop {} of system calls and events; {open} may need a second stop, at \
         their exit{directories}",
        count(rules.rules().count(), "rule"),
        rules.enabled(),
        count(cost.len(), "type"),
    )
}
