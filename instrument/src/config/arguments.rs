//! The command line. Whatever does not begin with `--` is the workload's, verbatim.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use lexopt::Arg::Long;

use super::{Config, ConfigError, Output, Settings, paths};
use crate::ruletools::Tool;

/// What `--help` prints.
pub const HELP: &str = "\
instrument starts a program under the eyes of the workload agent.

usage: instrument COMMAND [ARGUMENT]...
       instrument [OPTION]... -- COMMAND [ARGUMENT]...

The program becomes this very process: same pid, signals, exit status. Alerts go to the sidecar's
socket unless --output names a file.

options:
  --output FILE      write alerts to FILE as JSON lines (`-` is standard error)
  --events           write every event too, not only alerts
  --rules FILE,...   read these rule files instead of the built-in ones
  --set KEY=VALUE    one of the settings below
  --help, --version

for rule authors (each takes --rules FILE,...; without it the built-in rules are meant):
  --rules-check FILE...   say everything that is wrong with rule files; exit status 1 when refused
  --rules-list            list rules with their events, stops and fields
  --rules-explain RULE    say what a rule means, which stops it makes, and why
  --replay EVENTS.jsonl   evaluate events that --events wrote down

settings of rules and alerts (--set, repeatable, or WORKLOAD_AGENT_SET with `;` between them):
  rule_matching=first|all        one alert per event, of the first rule that matches, or all
  priority=WORD                  rules of lesser priority are off (debug)
  enable_rule, disable_rule      by name with wildcards; in the order given
  enable_tag, disable_tag        by tag
  append_output=TEXT             behind every message, with %fields; or an entry of Falco's list:
                                 {match: {rule: R}, extra_output: TEXT, extra_fields: [proc.cwd]}
  append_field=NAME=FORMAT       in the output_fields of every alert
  repeats_within=SECONDS         tell the same alert once in this time, with a count (0: tell all)
  time_format_iso_8601=BOOL      date and time in front of messages (false)
  json_include_output_property, json_include_output_fields_property, json_include_tags_property,
  json_include_message_property  keys of the lines in --output FILE (true, true, true, false)

examples:
  instrument nginx -g 'daemon off;'
  instrument --output alerts.json -- python3 app.py
  instrument --output - --events -- sh -c 'cat /etc/shadow'
  instrument --rules-check mine.yaml
  instrument --rules mine.yaml --replay events.jsonl

environment:
  WORKLOAD_AGENT_MODE      seccomp (default), full (keeps setuid programs working; slow), off
  SYSDIG_PRIORITY          availability (default): run untraced when tracing is impossible;
                           security: do not run
  WORKLOAD_AGENT_IO_URING  allow (default) or deny
  WORKLOAD_AGENT_OUTPUT, WORKLOAD_AGENT_RULES, WORKLOAD_AGENT_SOCKET, SYSDIG_LOGGING

exit status: the program's own; 125 refused to start it, 126 it cannot be executed, 127 not found,
2 the command line makes no sense
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Print the help.
    Help,
    /// Help a rule author, with these rule files.
    Rules(Tool, Vec<PathBuf>, Settings),
    /// Start a program.
    Run(Config),
    /// Print the version.
    Version,
}

/// Reads the command line (without the program's name) over the settings of the environment.
pub fn parse(
    mut config: Config,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Request, ConfigError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let has_options = arguments
        .first()
        .is_some_and(|first| first.as_encoded_bytes().starts_with(b"--"));
    if !has_options {
        config.command = arguments;
        return finish(config);
    }
    let end = arguments.iter().position(|argument| argument == "--");
    let (options, command) = match end {
        Some(end) => {
            let (options, rest) = arguments.split_at(end);
            (options, rest.get(1..).unwrap_or_default())
        }
        None => (&*arguments, &[][..]),
    };
    config.command = command.to_vec();
    let wrong = |error: lexopt::Error| ConfigError::Argument(error.to_string());
    let mut parser = lexopt::Parser::from_args(options.iter().cloned());
    let mut tool = None;
    while let Some(option) = parser.next().map_err(wrong)? {
        match option {
            Long("help") => return Ok(Request::Help),
            Long("version") => return Ok(Request::Version),
            Long("events") => config.events = true,
            Long("output") => {
                config.output = Output::File(parser.value().map_err(wrong)?.into());
                config.second_output = None;
            }
            Long("rules") => {
                let list = parser.value().map_err(wrong)?;
                if !std::mem::replace(&mut config.is_interactive, true) {
                    config.rules.clear();
                }
                config.rules.extend(paths(&list));
            }
            Long("set") => set(&mut config.settings, &parser.value().map_err(wrong)?)?,
            Long("rules-check") => tool = Some(Tool::Check),
            Long("rules-list") => tool = Some(Tool::List),
            Long("rules-explain") => {
                let rule = parser.value().map_err(wrong)?;
                tool = Some(Tool::Explain(rule.to_string_lossy().into_owned()));
            }
            Long("replay") => {
                tool = Some(Tool::Replay(parser.value().map_err(wrong)?.into()));
            }
            lexopt::Arg::Value(file) if tool == Some(Tool::Check) => {
                if !std::mem::replace(&mut config.is_interactive, true) {
                    config.rules.clear();
                }
                config.rules.push(file.into());
            }
            lexopt::Arg::Value(value) => {
                return Err(ConfigError::Argument(format!(
                    "put `--` before the command `{}`",
                    value.to_string_lossy()
                )));
            }
            other => return Err(wrong(other.unexpected())),
        }
    }
    match tool {
        Some(tool) => Ok(Request::Rules(tool, config.rules, config.settings)),
        None => finish(config),
    }
}

fn set(settings: &mut Settings, setting: &OsStr) -> Result<(), ConfigError> {
    let set = settings.set(&setting.to_string_lossy());
    set.map_err(|what| ConfigError::Setting {
        place: "--set",
        what,
    })
}

fn finish(config: Config) -> Result<Request, ConfigError> {
    if config.command.is_empty() {
        return Err(ConfigError::NoCommand);
    }
    Ok(Request::Run(config))
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, from_environment};
    use super::*;

    fn request(arguments: &[&str]) -> Result<Request, ConfigError> {
        let config = from_environment(&Environment::new()).unwrap();
        parse(config, arguments.iter().map(OsString::from))
    }

    fn config(arguments: &[&str]) -> Config {
        match request(arguments).unwrap() {
            Request::Run(config) => config,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_is_taken_verbatim() {
        assert_eq!(
            config(&["sh", "--help", "--", "-c"]).command,
            ["sh", "--help", "--", "-c"]
        );
        assert_eq!(config(&["-x"]).command, ["-x"]);
    }

    #[test]
    fn rule_authors_are_helped_without_a_command() {
        let files = |names: &[&str]| -> Vec<PathBuf> { names.iter().map(PathBuf::from).collect() };
        assert_eq!(
            request(&["--rules-check", "a", "b"]),
            Ok(Request::Rules(
                Tool::Check,
                files(&["a", "b"]),
                Settings::default()
            ))
        );
        assert_eq!(
            request(&["--rules", "a,b", "--rules", "c", "--replay", "e"]),
            Ok(Request::Rules(
                Tool::Replay("e".into()),
                files(&["a", "b", "c"]),
                Settings::default()
            ))
        );
        assert_eq!(
            request(&["--rules-explain", "A rule"]),
            Ok(Request::Rules(
                Tool::Explain("A rule".to_owned()),
                Vec::new(),
                Settings::default()
            ))
        );
    }

    #[test]
    fn options_end_at_the_dashes() {
        let config = config(&[
            "--output", "f", "--events", "--rules", "a,b", "--", "sh", "--events",
        ]);
        assert_eq!(config.command, ["sh", "--events"]);
        assert_eq!(config.output, Output::File("f".into()));
        assert!(config.events);
        assert_eq!(config.rules.len(), 2);
    }

    #[test]
    fn help_and_version_need_no_command() {
        assert_eq!(request(&["--help"]), Ok(Request::Help));
        assert_eq!(request(&["--version"]), Ok(Request::Version));
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(request(&[]), Err(ConfigError::NoCommand));
        assert_eq!(request(&["--events", "--"]), Err(ConfigError::NoCommand));
        let error = request(&["--events", "sh"]).unwrap_err().to_string();
        assert!(
            error.starts_with("put `--` before the command `sh`"),
            "{error}"
        );
        let error = request(&["--evnts", "--", "sh"]).unwrap_err().to_string();
        assert!(
            error.contains("--evnts") && error.contains("--help"),
            "{error}"
        );
        assert!(request(&["--output", "--", "sh"]).is_err());
    }
}
