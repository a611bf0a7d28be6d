//! `WORKLOAD_AGENT_OUTPUT`: a list of sinks, each with its own route.
//!
//! `stdout?events=off,cloudwatch:GROUP?priority=warning,file:/var/log/a.jsonl?rotate=1048576&keep=3`

use contract::env;
use event::{EventType, Priority};

use crate::config::{ConfigError, EventFilter, Route, SinkConfig, Target, Vars, error, text};

const NAME: &str = env::WORKLOAD_AGENT_OUTPUT;

/// Reads the list; without one, CloudWatch Logs when a group is set, otherwise standard output.
pub(crate) fn parse(vars: &Vars) -> Result<Vec<SinkConfig>, ConfigError> {
    let default = match text(vars, env::WORKLOAD_AGENT_LOG_GROUP) {
        Some(_) => "cloudwatch",
        None => "stdout",
    };
    let value = text(vars, NAME).unwrap_or(default);
    let mut sinks = Vec::<SinkConfig>::new();
    for word in value
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let sink = one(vars, word)?;
        if sinks
            .iter()
            .any(|other| other.target.name() == sink.target.name())
        {
            return Err(error(
                NAME,
                value,
                format!("name `{}` once", sink.target.name()),
            ));
        }
        sinks.push(sink);
    }
    if sinks.is_empty() {
        return Err(error(NAME, value, "name at least one sink, as stdout"));
    }
    Ok(sinks)
}

/// What follows `?` in a sink's word.
#[derive(Default)]
struct Options {
    route: Route,
    rotate: Option<u64>,
    keep: Option<u32>,
    stream: Option<String>,
    subject: Option<String>,
}

fn one(vars: &Vars, word: &str) -> Result<SinkConfig, ConfigError> {
    let (place, query) = word.split_once('?').unwrap_or((word, ""));
    let options = options(word, query)?;
    let route = options.route.clone();
    Ok(SinkConfig {
        target: target(vars, word, place, options)?,
        route,
    })
}

fn options(word: &str, query: &str) -> Result<Options, ConfigError> {
    let mut options = Options::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let bad = |problem: &str| error(NAME, word, format!("`{key}`: {problem}"));
        match key {
            "events" => options.route.events = events(value).map_err(|p| bad(&p))?,
            "keep" => options.keep = Some(value.parse().map_err(|_| bad("say a number"))?),
            "priority" => {
                options.route.priority =
                    Priority::parse(value).ok_or_else(|| bad("say a priority, as warning"))?;
            }
            "rotate" => options.rotate = Some(value.parse().map_err(|_| bad("say bytes"))?),
            "sample" => {
                options.route.sample = value
                    .parse()
                    .ok()
                    .filter(|n| *n > 0)
                    .ok_or_else(|| bad("say 1 or more"))?;
            }
            "stream" => options.stream = Some(value.to_owned()),
            "subject" => options.subject = Some(value.to_owned()),
            _ => {
                return Err(bad(
                    "say events, keep, priority, rotate, sample, stream or subject",
                ));
            }
        }
    }
    Ok(options)
}

fn events(value: &str) -> Result<EventFilter, String> {
    match value {
        "all" => Ok(EventFilter::All),
        "off" => Ok(EventFilter::Off),
        list => list
            .split('+')
            .map(|name| {
                EventType::parse(name).ok_or_else(|| {
                    format!("no event type is called `{name}`; say all, off or execve+connect")
                })
            })
            .collect::<Result<_, _>>()
            .map(EventFilter::Kinds),
    }
}

fn target(vars: &Vars, word: &str, place: &str, options: Options) -> Result<Target, ConfigError> {
    let (name, rest) = place.split_once(':').unwrap_or((place, ""));
    let bad = |problem: &str| error(NAME, word, problem);
    match name {
        "stdout" => Ok(Target::Stdout),
        "cloudwatch" => cloudwatch(vars, word, rest, options.stream),
        "file" if !rest.is_empty() => Ok(Target::File {
            path: rest.into(),
            rotate: options.rotate.unwrap_or(16 << 20),
            keep: options.keep.unwrap_or(3),
        }),
        "file" => Err(bad("say file:PATH")),
        "nats" | "tls" if rest.starts_with("//") && rest.len() > 2 => Ok(Target::Nats {
            url: place.to_owned(),
            subject: options.subject.unwrap_or_else(|| "ev".to_owned()),
        }),
        "nats" => Err(bad("say nats://HOST:PORT")),
        "orchestrator" => orchestrator(vars, rest).map_err(|problem| bad(&problem)),
        "otlp" if rest.starts_with("http://") || rest.starts_with("https://") => Ok(Target::Otlp {
            url: rest.to_owned(),
        }),
        "otlp" => Err(bad("say otlp:http://HOST:4318/v1/logs")),
        _ => Err(bad(
            "say stdout, cloudwatch, file, nats, orchestrator or otlp",
        )),
    }
}

/// `cloudwatch` or `cloudwatch:GROUP`. A name that the service refuses would cost every record, so
/// it is refused at the start.
fn cloudwatch(
    vars: &Vars,
    word: &str,
    rest: &str,
    stream: Option<String>,
) -> Result<Target, ConfigError> {
    let (name, group) = if rest.is_empty() {
        let group = text(vars, env::WORKLOAD_AGENT_LOG_GROUP).ok_or_else(|| {
            error(
                NAME,
                word,
                "say cloudwatch:GROUP or set WORKLOAD_AGENT_LOG_GROUP",
            )
        })?;
        (env::WORKLOAD_AGENT_LOG_GROUP, group)
    } else {
        (NAME, rest)
    };
    let is_group = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    if group.len() > 512 || !group.chars().all(is_group) {
        let problem = "a log group's name has 1 to 512 letters, digits, or . _ - / #";
        return Err(error(name, group, problem));
    }
    let (name, stream) = match stream {
        Some(stream) => (NAME, Some(stream)),
        None => (
            env::WORKLOAD_AGENT_LOG_STREAM,
            text(vars, env::WORKLOAD_AGENT_LOG_STREAM).map(str::to_owned),
        ),
    };
    // The stream of events is called after it, with a word more.
    if let Some(stream) = &stream
        && (stream.is_empty() || stream.chars().count() > 500 || stream.contains([':', '*']))
    {
        let problem = "a log stream's name has 1 to 500 characters, no colon and no asterisk";
        return Err(error(name, stream, problem));
    }
    Ok(Target::CloudWatch {
        group: group.to_owned(),
        stream,
    })
}

/// `orchestrator`, `orchestrator:HOST:PORT` or `orchestrator:tls:HOST:PORT`.
fn orchestrator(vars: &Vars, rest: &str) -> Result<Target, String> {
    const USAGE: &str = "say orchestrator:HOST:PORT or set SYSDIG_ORCHESTRATOR";
    let (tls, rest) = match rest.strip_prefix("tls:") {
        Some(rest) => (true, rest),
        None if rest == "tls" => (true, ""),
        None => (false, rest),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, text(vars, env::SYSDIG_ORCHESTRATOR_PORT)),
    };
    let host = Some(host)
        .filter(|host| !host.is_empty())
        .or_else(|| text(vars, env::SYSDIG_ORCHESTRATOR))
        .ok_or(USAGE)?;
    let port = match port {
        Some(port) => port
            .parse()
            .map_err(|_| format!("`{port}` is no port; {USAGE}"))?,
        None => contract::sidecar::ORCHESTRATOR_PORT,
    };
    Ok(Target::Orchestrator {
        host: host.to_owned(),
        port,
        tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(output: &str) -> Result<Vec<SinkConfig>, ConfigError> {
        parse(&Vars::from([(NAME.to_owned(), output.to_owned())]))
    }

    #[test]
    fn several_sinks_each_with_its_route() {
        let sinks = list("stdout?events=off,cloudwatch:g?priority=warning&events=execve+connect&sample=10,orchestrator:tls:h:7").unwrap();
        assert_eq!(sinks[0].route.events, EventFilter::Off);
        assert_eq!(
            sinks[1].route,
            Route {
                priority: Priority::Warning,
                events: EventFilter::Kinds(vec![EventType::Execve, EventType::Connect]),
                sample: 10
            }
        );
        let target = Target::Orchestrator {
            host: "h".to_owned(),
            port: 7,
            tls: true,
        };
        assert_eq!(sinks[2].target, target);
    }

    #[test]
    fn a_log_group_alone_selects_cloudwatch() {
        let vars = Vars::from([(env::WORKLOAD_AGENT_LOG_GROUP.to_owned(), "g".to_owned())]);
        let target = Target::CloudWatch {
            group: "g".to_owned(),
            stream: None,
        };
        assert_eq!(parse(&vars).unwrap()[0].target, target);
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (output, says) in [
            ("stdot", "say stdout, cloudwatch"),
            ("stdout,stdout", "once"),
            ("file:", "say file:PATH"),
            ("cloudwatch", "WORKLOAD_AGENT_LOG_GROUP"),
            ("cloudwatch:a b", "a log group's name"),
            ("cloudwatch:g?stream=a:b", "a log stream's name"),
            ("stdout?events=exec", "no event type is called `exec`"),
            ("stdout?sample=0", "1 or more"),
            ("stdout?x=1", "`x`: say events"),
            ("otlp:host", "otlp:http://"),
            ("nats://", "nats://HOST:PORT"),
            (",", "at least one sink"),
        ] {
            let error = list(output).unwrap_err().to_string();
            assert!(error.contains(says), "{output}: {error}");
        }
    }
}
