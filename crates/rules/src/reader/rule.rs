//! Rules: defined, appended to, overridden, switched.

use event::Priority;

use super::exceptions;
use super::item::{How, Item, Override};
use crate::definitions::{Definitions, Order, Rule};
use crate::diagnostic::Code;
use crate::source::Fault;
use crate::suggest::suggestion;

const APPENDABLE: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
const REPLACEABLE: &[&str] = &[
    "condition",
    "output",
    "desc",
    "tags",
    "exceptions",
    "priority",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
];

/// The source of events whose rules are evaluated.
const SYSCALL: &str = "syscall";

pub(super) fn read(
    name: &str,
    item: &mut Item<'_, '_, '_>,
    definitions: &mut Definitions,
) -> Option<()> {
    let mode = item.mode(&["condition"])?;
    let is_definition = matches!(mode, Override::None) && item.has("condition");
    // Changing a rule needs no source, but must not name another one.
    let source = item.get("source");
    let source = source
        .as_ref()
        .and_then(|node| node.scalar())
        .unwrap_or_default();
    let declared = if source.is_empty() { SYSCALL } else { source };
    let earlier = definitions.rules.get(name);
    if earlier.is_some_and(|earlier| earlier.source != declared)
        && (is_definition || !source.is_empty())
    {
        item.error("rule has been re-defined with a different source");
        return None;
    }
    match mode {
        Override::Keys(keys) => {
            let keys = item.overridden(&keys, APPENDABLE, REPLACEABLE)?;
            override_rule(name, &keys, item, definitions)
        }
        Override::Append => append(name, item, definitions),
        Override::None => {
            let is_definition = ["condition", "output", "desc", "priority"]
                .iter()
                .any(|key| item.has(key));
            if is_definition {
                define(name, item, definitions)
            } else {
                switch(name, item, definitions)
            }
        }
    }
}

fn define(name: &str, item: &mut Item<'_, '_, '_>, definitions: &mut Definitions) -> Option<()> {
    // Ask for all of them before giving up, so that all that miss are named.
    let condition = item.required_text("condition");
    let output = item.required_text("output");
    let description = item.required_text("desc");
    let priority = priority(item);
    let tags = tags(item);
    let is_enabled = item.boolean("enabled");
    let warn_evttypes = item.boolean("warn_evttypes");
    let skip_if_unknown_filter = item.boolean("skip-if-unknown-filter");
    capture(item)?;
    let exceptions = exceptions::read(item, exceptions::Mode::Define)?;
    exceptions::warn_of_repeated_names(&exceptions, item);
    let source = item.text("source")?;
    let source = source.map_or_else(|| SYSCALL.to_owned(), |text| text.joined);
    if source != SYSCALL {
        let message = format!("unknown source `{source}`: the rule is left out");
        let place = item.place_of("source");
        item.fault(place, Fault::warning(Code::UnknownSource, message));
    }
    // What is wrong so far was said, and refuses the files. The condition and the output are looked
    // at all the same, so that their faults are said, too.
    let rule = Rule {
        name: name.to_owned(),
        order: Order::default(),
        condition: condition?,
        output: output?,
        description: description?,
        priority: priority.unwrap_or(Priority::Debug),
        tags: tags.flatten().unwrap_or_default(),
        source,
        is_enabled: is_enabled.flatten().unwrap_or(true),
        warn_evttypes: warn_evttypes.flatten().unwrap_or(true),
        skip_if_unknown_filter: skip_if_unknown_filter.flatten().unwrap_or(false),
        exceptions,
    };
    let moment = definitions.next_moment();
    definitions.rules.define(rule, moment);
    Some(())
}

fn priority(item: &mut Item<'_, '_, '_>) -> Option<Priority> {
    let text = item.required_text("priority")?;
    let found = Priority::parse(&text.joined);
    if found.is_none() {
        let words = [
            "EMERGENCY",
            "ALERT",
            "CRITICAL",
            "ERROR",
            "WARNING",
            "NOTICE",
            "INFO",
            "DEBUG",
        ];
        let upper = text.joined.to_ascii_uppercase();
        let whole = words.into_iter().find(|word| word.starts_with(&upper));
        let near = whole.or_else(|| suggestion(&upper, words));
        let help = match near {
            Some(near) => format!("is `{near}` meant?"),
            None => format!("use one of {}", words.join(", ")),
        };
        let message = format!("invalid priority `{}`", text.joined);
        let fault = Fault::error(Code::ErrYamlValidate, message).help(Some(help));
        item.fault(text.place(), fault);
    }
    found
}

#[expect(clippy::option_option, reason = "outside: reported; inside: not there")]
fn tags(item: &mut Item<'_, '_, '_>) -> Option<Option<Vec<String>>> {
    Some(item.strings("tags")?.map(sorted))
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Keys that steer Falco's recordings: checked, and of no effect here.
fn capture(item: &mut Item<'_, '_, '_>) -> Option<()> {
    item.boolean("capture")?;
    let Some(duration) = item.text("capture_duration")? else {
        return Some(());
    };
    if duration.joined.parse::<u32>().is_err() {
        let message = "the value of `capture_duration` must be a number of milliseconds";
        item.fault(
            duration.place(),
            Fault::error(Code::ErrYamlValidate, message),
        );
        return None;
    }
    Some(())
}

fn switch(name: &str, item: &mut Item<'_, '_, '_>, definitions: &mut Definitions) -> Option<()> {
    let Some(is_enabled) = item.boolean("enabled")? else {
        for key in ["condition", "output", "desc", "priority"] {
            item.required(key);
        }
        return None;
    };
    item.warn(
        Code::DeprecatedItem,
        "the standalone `enabled` key usage is deprecated. The correct approach requires also a \
         `replace` entry under the `override` key (i.e. `enabled: replace`).",
    );
    let Some(rule) = definitions.rules.get_mut(name) else {
        item.error("rule has `enabled` key but no rule by that name already exists");
        return None;
    };
    rule.is_enabled = is_enabled;
    Some(())
}

fn append(name: &str, item: &mut Item<'_, '_, '_>, definitions: &mut Definitions) -> Option<()> {
    let condition = item.text("condition")?;
    let exceptions = exceptions::read(item, exceptions::Mode::Append)?;
    // Appending takes no notice of these, whatever they hold.
    for key in ["source", "enabled", "desc", "output", "priority", "tags"] {
        item.get(key);
    }
    if condition.is_none() && exceptions.is_empty() {
        item.error("appended rule must have exceptions or condition property");
        return None;
    }
    let moment = definitions.next_moment();
    let Some(rule) = definitions.rules.get_mut(name) else {
        item.error(NO_RULE_TO_APPEND);
        return None;
    };
    if let Some(condition) = condition {
        rule.condition.append(&condition);
    }
    exceptions::append(&mut rule.exceptions, exceptions, item)?;
    rule.order.visibility = moment;
    Some(())
}

const NO_RULE_TO_APPEND: &str =
    "rule uses `append` or `override.<key>: append` but no rule by that name already exists";
const NO_RULE_TO_REPLACE: &str =
    "an `override.<key>: replace` to a rule was requested but no rule by that name already exists";

fn override_rule(
    name: &str,
    keys: &[(&'static str, How)],
    item: &mut Item<'_, '_, '_>,
    definitions: &mut Definitions,
) -> Option<()> {
    let moment = definitions.next_moment();
    let Some(rule) = definitions.rules.get_mut(name) else {
        item.error(if keys.iter().any(|(_, how)| how.is_append()) {
            NO_RULE_TO_APPEND
        } else {
            NO_RULE_TO_REPLACE
        });
        return None;
    };
    for (key, how) in keys {
        match *key {
            "condition" | "output" | "desc" => {
                let text = item.required_text(key)?;
                let target = match *key {
                    "condition" => &mut rule.condition,
                    "output" => &mut rule.output,
                    _ => &mut rule.description,
                };
                match how {
                    How::Append => target.append(&text),
                    How::Replace => *target = text,
                }
            }
            "tags" => {
                let tags = tags(item)?.unwrap_or_default();
                match how {
                    How::Append => {
                        rule.tags.extend(tags);
                        rule.tags = sorted(std::mem::take(&mut rule.tags));
                    }
                    How::Replace => rule.tags = tags,
                }
            }
            "exceptions" => override_exceptions(rule, *how, item)?,
            "priority" => rule.priority = priority(item)?,
            "enabled" => rule.is_enabled = item.boolean(key)?.unwrap_or(true),
            "warn_evttypes" => rule.warn_evttypes = item.boolean(key)?.unwrap_or(true),
            "skip-if-unknown-filter" => {
                rule.skip_if_unknown_filter = item.boolean(key)?.unwrap_or(false);
            }
            // `capture` and `capture_duration`.
            _ => capture(item)?,
        }
    }
    rule.order.visibility = moment;
    Some(())
}

fn override_exceptions(rule: &mut Rule, how: How, item: &mut Item<'_, '_, '_>) -> Option<()> {
    let mode = match how {
        How::Append => exceptions::Mode::Append,
        How::Replace => exceptions::Mode::Define,
    };
    let read = exceptions::read(item, mode)?;
    match how {
        How::Append => exceptions::append(&mut rule.exceptions, read, item),
        How::Replace => {
            rule.exceptions = read;
            Some(())
        }
    }
}
