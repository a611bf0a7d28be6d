//! Completion scripts and the manual page, made from the command line's own definition.

use clap::CommandFactory as _;
use clap_complete::Shell;
use contract::exit;

use super::Cli;
use crate::output::Output;

/// Prints a completion script.
pub(super) fn completions(shell: Shell, output: &mut Output) -> i32 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "patcher", &mut script);
    print(&script, output)
}

/// Prints the manual page, with a section for each command.
pub(super) fn manual(output: &mut Output) -> i32 {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let mut rendered = clap_mangen::Man::new(command.clone()).render(&mut page);
    for part in command
        .get_subcommands()
        .filter(|part| part.get_name() != "help")
    {
        let man = clap_mangen::Man::new(part.clone());
        let heading = format!(".SH \"PATCHER {}\"\n", part.get_name().to_uppercase());
        page.extend_from_slice(heading.as_bytes());
        rendered = rendered
            .and_then(|()| man.render_description_section(&mut page))
            .and_then(|()| man.render_options_section(&mut page));
    }
    match rendered {
        Ok(()) => print(&page, output),
        Err(error) => {
            output.error(&format!("cannot make the manual page: {error}"));
            exit::FAILURE
        }
    }
}

fn print(bytes: &[u8], output: &mut Output) -> i32 {
    match output.document(&String::from_utf8_lossy(bytes)) {
        Ok(()) => exit::SUCCESS,
        Err(error) => {
            output.error(&format!("cannot write standard output: {error}"));
            exit::FAILURE
        }
    }
}
