//! How rules are used and alerts are written, by the names of Falco's settings.

use event::{Form, Priority};
use rules::{AppendOutput, Matching, Options, Selector, Switch};

/// What `--set` and its variable say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which rules, and how many per event.
    pub options: Options,
    /// What an alert's line holds.
    pub form: Form,
    /// The same alert is told once in so many nanoseconds; `None` tells all.
    pub repeats_within: Option<u64>,
}

/// Names of the settings, for messages.
const NAMES: &str = "append_field, append_output, disable_rule, disable_tag, enable_rule, \
                     enable_tag, json_include_message_property, \
                     json_include_output_fields_property, json_include_output_property, \
                     json_include_tags_property, priority, repeats_within, rule_matching or \
                     time_format_iso_8601";

const SECOND: u64 = 1_000_000_000;

impl Settings {
    /// Takes one setting, `KEY=VALUE`.
    ///
    /// # Errors
    /// One line that names it and what it may be.
    pub fn set(&mut self, setting: &str) -> Result<(), String> {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(format!("`{setting}` is not of the form KEY=VALUE"));
        };
        let (key, value) = (key.trim(), value.trim());
        let wrong = |expected: &str| format!("{key} is `{value}`, but must be {expected}");
        let flag = || match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(wrong("true or false")),
        };
        let options = &mut self.options;
        let mut switch = |selector: Selector, enable| {
            options.switches.push(Switch { selector, enable });
        };
        match key {
            "append_field" => {
                let Some((name, format)) = value.split_once('=') else {
                    return Err(wrong("of the form NAME=FORMAT"));
                };
                let append = AppendOutput::to_all().field(name, format);
                options.append.push(append.map_err(|e| e.to_string())?);
            }
            // As in Falco's configuration: for some rules, and with fields.
            "append_output" | "append_output[]" if value.starts_with(['{', '[']) => {
                let append = AppendOutput::read(value);
                options.append.extend(append.map_err(|e| e.to_string())?);
            }
            "append_output" => {
                let append = AppendOutput::to_all().output(value);
                options.append.push(append.map_err(|e| e.to_string())?);
            }
            "disable_rule" => switch(Selector::Rule(value.to_owned()), false),
            "disable_tag" => switch(Selector::Tag(value.to_owned()), false),
            "enable_rule" => switch(Selector::Rule(value.to_owned()), true),
            "enable_tag" => switch(Selector::Tag(value.to_owned()), true),
            "json_include_message_property" => self.form.json_include_message_property = flag()?,
            "json_include_output_fields_property" => {
                self.form.json_include_output_fields_property = flag()?;
            }
            "json_include_output_property" => self.form.json_include_output_property = flag()?,
            "json_include_tags_property" => self.form.json_include_tags_property = flag()?,
            "priority" => {
                let words = "emergency, alert, critical, error, warning, notice, info or debug";
                options.minimum_priority = Priority::parse(value).ok_or_else(|| wrong(words))?;
            }
            "repeats_within" => {
                let seconds = value.parse::<u32>();
                let seconds = seconds.map_err(|_| wrong("a number of seconds, 0 for never"))?;
                self.repeats_within = (seconds > 0).then_some(u64::from(seconds) * SECOND);
            }
            "rule_matching" => {
                options.matching = match value {
                    "all" => Matching::All,
                    "first" => Matching::First,
                    _ => return Err(wrong("first or all")),
                }
            }
            "time_format_iso_8601" => self.form.time_format_iso_8601 = flag()?,
            _ => return Err(format!("`{key}` is no setting; it may be {NAMES}")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(all: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        for setting in all {
            settings.set(setting)?;
        }
        Ok(settings)
    }

    #[test]
    fn settings_have_falcos_names() {
        let set = settings(&[
            "rule_matching=all",
            "priority = warning",
            "append_output=task=%ecs.task.id",
            "append_field=who=%user.name",
            "append_output={match: {rule: R}, extra_output: x=%evt.cpu}",
            r#"append_output[]={"match": {"tags": ["a"]}, "extra_fields": ["evt.hostname"]}"#,
            "disable_rule=*",
            "enable_tag=network",
            "repeats_within=60",
            "json_include_tags_property=false",
            "time_format_iso_8601=true",
        ]);
        let set = set.unwrap();
        assert_eq!(set.options.matching, Matching::All);
        assert_eq!(set.options.minimum_priority, Priority::Warning);
        assert_eq!(set.options.append.len(), 4);
        assert_eq!(set.options.switches.len(), 2);
        assert_eq!(set.repeats_within, Some(60 * SECOND));
        assert!(!set.form.json_include_tags_property && set.form.time_format_iso_8601);
        assert_eq!(settings(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_the_way_out() {
        for (setting, message) in [
            ("priority", "`priority` is not of the form KEY=VALUE"),
            ("rule_matching=some", "must be first or all"),
            ("priority=high", "must be emergency, alert"),
            ("json_include_tags_property=no", "must be true or false"),
            ("repeats_within=-1", "a number of seconds"),
            ("append_output=%proc.nmae", "proc.nmae"),
            ("append_field=x", "NAME=FORMAT"),
            ("append_output={match: {rule: R}}", "needs extra_output"),
            (
                "prority=x",
                "`prority` is no setting; it may be append_field,",
            ),
        ] {
            let error = settings(&[setting]).unwrap_err();
            assert!(error.contains(message), "{setting}: {error}");
        }
    }
}
