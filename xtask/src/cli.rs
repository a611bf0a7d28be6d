//! The command line.

use anyhow::bail;
use lexopt::{Arg, Parser, ValueExt as _};

const HELP: &str = "\
The project's commands.

Usage: cargo xtask COMMAND [OPTIONS]

Commands:
  demo [--docker]       patch an example task, run it, attack it, show the alerts
  test [OPTIONS]        install what the tests need, then check everything
  bench [NAME]... [--quick]
                        measure: native against traced in one run, printed as ratios
  kernels               get Debian's Linux 5.10, 6.1 and 6.1 for arm64, compare on each (qemu)
  dist                  build the static programs and the images' contents into target/dist
  deps                  check which crate may depend on which, and where unsafe code may be

Options of test:
  --no-install          leave the machine's packages alone
  --step NAME           run only this step; may be given several times
  --list                list the steps

Examples:
  cargo xtask demo
  cargo xtask test --step clippy --step deps
  cargo xtask bench tracer --quick";

/// What the user asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Measure the named parts; all of them when none is named.
    Bench {
        /// The parts; all when empty.
        names: Vec<String>,
        /// A minute each, at the price of wider spreads.
        quick: bool,
    },
    /// Show the product at work; the arguments are the demo's own.
    Demo { arguments: Vec<String> },
    /// Check the arrows between crates.
    Deps,
    /// Build what ships.
    Dist,
    /// Print a text.
    Help(&'static str),
    /// Compare on other kernels.
    Kernels,
    /// Check everything.
    Test(TestOptions),
}

/// How much of the checks to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Whether packages may be installed.
    pub(crate) no_install: bool,
    /// Steps to run; all when empty.
    pub(crate) steps: Vec<String>,
    /// Only name the steps.
    pub(crate) list: bool,
}

/// Reads the command line.
pub(crate) fn parse(mut parser: Parser) -> anyhow::Result<Request> {
    let command = match parser.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Request::Help(HELP)),
        Some(Arg::Value(command)) => command.string()?,
        Some(argument) => return Err(argument.unexpected().into()),
    };
    match command.as_str() {
        "bench" => bench(&mut parser),
        "demo" => demo(&mut parser),
        "deps" => nothing_more(&mut parser, Request::Deps),
        "dist" => nothing_more(&mut parser, Request::Dist),
        "help" => Ok(Request::Help(HELP)),
        "kernels" => nothing_more(&mut parser, Request::Kernels),
        "test" => test(&mut parser),
        other => bail!("unknown command `{other}`"),
    }
}

fn demo(parser: &mut Parser) -> anyhow::Result<Request> {
    let mut arguments = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("docker") => arguments.push("--docker".to_owned()),
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(HELP)),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Request::Demo { arguments })
}

fn test(parser: &mut Parser) -> anyhow::Result<Request> {
    let mut options = TestOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("list") => options.list = true,
            Arg::Long("no-install") => options.no_install = true,
            Arg::Long("step") => options.steps.push(parser.value()?.string()?),
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(HELP)),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Request::Test(options))
}

fn bench(parser: &mut Parser) -> anyhow::Result<Request> {
    let (mut names, mut quick) = (Vec::new(), false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("quick") => quick = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(HELP)),
            Arg::Value(value) => names.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Request::Bench { names, quick })
}

fn nothing_more(parser: &mut Parser, request: Request) -> anyhow::Result<Request> {
    match parser.next()? {
        None => Ok(request),
        Some(Arg::Short('h') | Arg::Long("help")) => Ok(Request::Help(HELP)),
        Some(argument) => Err(argument.unexpected().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Request, String> {
        parse(Parser::from_args(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_are_read() {
        assert_eq!(read(&["deps"]), Ok(Request::Deps));
        assert_eq!(
            read(&["demo", "--docker"]),
            Ok(Request::Demo {
                arguments: vec!["--docker".to_owned()]
            })
        );
        assert_eq!(
            read(&["test", "--no-install", "--step", "fmt"]),
            Ok(Request::Test(TestOptions {
                no_install: true,
                steps: vec!["fmt".to_owned()],
                list: false,
            }))
        );
        assert_eq!(read(&[]), Ok(Request::Help(HELP)));
    }

    #[test]
    fn parts_to_measure_are_named() {
        assert_eq!(
            read(&["bench", "tracer", "--quick"]),
            Ok(Request::Bench {
                names: vec!["tracer".to_owned()],
                quick: true,
            })
        );
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert_eq!(read(&["fly"]), Err("unknown command `fly`".to_owned()));
        assert!(read(&["dist", "--fast"]).unwrap_err().contains("--fast"));
        assert!(read(&["demo", "again"]).unwrap_err().contains("again"));
    }
}
