//! What is run: programs of the machine with the files that they work on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::config;
use e2e::target::{self, Linkage};

use crate::measure::{self, Cost};
use crate::options::Options;
use crate::servers::{Nginx, Redis};
use crate::variant::Variant;

/// Something to run again and again.
#[derive(Debug)]
pub(crate) struct Workload {
    /// Its name in tables and pictures.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: String,
    /// The architecture's budget for the wall ratio, where it has one.
    pub(crate) budget: Option<f64>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Command {
        words: Vec<String>,
        directory: PathBuf,
    },
    Nginx(Nginx),
    Redis(Redis),
}

impl Workload {
    /// Runs it once, started in this way.
    pub(crate) fn run(&self, variant: &Variant) -> Result<Cost, String> {
        let cost = match &self.kind {
            Kind::Command { words, directory } => {
                measure::run(started(variant, words).current_dir(directory))
            }
            Kind::Nginx(server) => server.run(variant),
            Kind::Redis(server) => server.run(variant),
        };
        cost.map_err(|fault| format!("{} under {}: {fault}", self.name, variant.name))
    }
}

/// The command that starts these words in this way, in an environment without what cargo adds:
/// with its library paths the loader tries dozens of files at each exec, which no workload does.
pub(crate) fn started(variant: &Variant, words: &[String]) -> Command {
    let mut all = variant.prefix.iter().cloned();
    let mut rest = words.iter().map(std::ffi::OsString::from);
    let first = all.next().or_else(|| rest.next()).unwrap_or_default();
    let mut command = Command::new(first);
    command.args(all).args(rest).env_remove("LD_LIBRARY_PATH");
    command
}

/// Every workload that was asked for and that this machine has, and why another one is missing.
pub(crate) fn all(
    options: &Options,
    scratch: &Path,
) -> Result<(Vec<Workload>, Vec<String>), String> {
    let makers: [(&'static str, Maker); 10] = [
        ("open", |o, _| open_loop(o.scaled(100_000), 1)),
        ("open ×4", |o, _| open_loop(o.scaled(100_000), 4)),
        ("fork+exec", |o, _| fork_exec(o.scaled(2_000))),
        ("find", |o, _| find(o.scale < 1.0)),
        ("git status", |_, scratch| git_status(scratch)),
        ("python", |o, _| {
            again(
                o,
                "python3",
                &["-c", "import json, subprocess, http.client"],
            )
        }),
        ("node", |o, _| again(o, "node", &["-e", "0"])),
        ("make -j2", |o, scratch| compiler(o.scaled(12), scratch)),
        ("redis", |o, scratch| {
            let redis = Redis::new(scratch, o.scaled(200_000))?;
            Ok((redis.about(), Some(1.05), Kind::Redis(redis)))
        }),
        ("nginx", |o, scratch| {
            let nginx = Nginx::new(scratch, o.scaled(4))?;
            Ok((nginx.about(), Some(2.0), Kind::Nginx(nginx)))
        }),
    ];
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (name, make) in makers {
        if !options.wants(name) {
            continue;
        }
        match make(options, scratch) {
            Ok((about, budget, kind)) => found.push(Workload {
                name,
                about,
                budget,
                kind,
            }),
            Err(Unavailable::Missing(reason)) => missing.push(format!("{name}: {reason}")),
            Err(Unavailable::Broken(fault)) => return Err(format!("{name}: {fault}")),
        }
    }
    Ok((found, missing))
}

type Made = Result<(String, Option<f64>, Kind), Unavailable>;
type Maker = fn(&Options, &Path) -> Made;

/// Why a workload cannot be run.
#[derive(Debug)]
pub(crate) enum Unavailable {
    /// Something is wrong with the machine or with us.
    Broken(String),
    /// A program is not installed; the others are measured nevertheless.
    Missing(String),
}

impl From<String> for Unavailable {
    fn from(fault: String) -> Self {
        Self::Broken(fault)
    }
}

/// Path of a program of the machine.
pub(crate) fn installed(name: &str) -> Result<String, Unavailable> {
    match config::find_program(name) {
        Some(path) => Ok(path.display().to_string()),
        None => Err(Unavailable::Missing(format!("{name} is not installed"))),
    }
}

fn command(words: &[&str], directory: &Path) -> Kind {
    Kind::Command {
        words: words.iter().map(|&word| word.to_owned()).collect(),
        directory: directory.to_owned(),
    }
}

fn target(name: &str) -> Result<String, Unavailable> {
    match target::build(name, Linkage::Dynamic) {
        Ok(path) => Ok(path.display().to_string()),
        Err(error) => Err(Unavailable::Broken(error.to_string())),
    }
}

fn open_loop(count: u32, threads: u32) -> Made {
    // With fewer, the tracer's launch is what is measured.
    let count = count.max(60_000);
    let (each, all) = ((count / threads).to_string(), threads.to_string());
    let about = format!("open + close, {each} times in each of {all} threads");
    let kind = command(&[&target("open_loop")?, &each, &all], Path::new("/"));
    Ok((about, (threads == 1).then_some(6.5), kind))
}

fn fork_exec(count: u32) -> Made {
    let count = count.to_string();
    let kind = command(&[&target("fork_exec")?, &count], Path::new("/"));
    Ok((
        format!("fork + exec of /bin/true, {count} times"),
        Some(1.3),
        kind,
    ))
}

fn find(small: bool) -> Made {
    let depth = if small { "4" } else { "20" };
    let places = ["/usr/lib", "/usr/share"];
    let words = [
        &installed("find")?,
        places[0],
        places[1],
        "-maxdepth",
        depth,
        "-name",
        "-",
    ];
    let about = format!("find through {} and {}, warm cache", places[0], places[1]);
    Ok((about, None, command(&words, Path::new("/"))))
}

fn git_status(scratch: &Path) -> Made {
    let git = installed("git")?;
    let directory = scratch.join("repository");
    for index in 0..2000 {
        let path = directory.join(format!("{}/{index}", index % 40));
        write(&path, "text\n")?;
    }
    for words in [&["init", "-q"][..], &["add", "."]] {
        let status = Command::new(&git)
            .args(words)
            .current_dir(&directory)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(Unavailable::Broken(format!("git {} failed", words[0])));
        }
    }
    let script = "for i in 1 2 3 4 5; do git status --porcelain; done";
    let kind = command(&["sh", "-c", script], &directory);
    Ok(("git status ×5 over 2 000 files".to_owned(), None, kind))
}

/// A program started several times, by its real path: a shim in front would be measured with it.
fn again(options: &Options, name: &str, words: &[&str]) -> Made {
    // With fewer, the launch of the tracer would be what is measured.
    let times = options.scaled(5).max(3);
    let system = format!("/usr/bin/{name}");
    let program = if Path::new(&system).is_file() {
        system
    } else {
        installed(name)?
    };
    let script = format!("for i in $(seq {times}); do \"$@\"; done");
    let mut all = vec!["sh", "-c", &script, "sh", &program];
    all.extend(words);
    let about = format!("{name} {} ×{times}", words.join(" "));
    Ok((about, Some(1.05), command(&all, Path::new("/"))))
}

/// Small C files: the text is generated, the work is the compiler's.
fn compiler(count: u32, scratch: &Path) -> Made {
    installed("cc")?;
    let make = installed("make")?;
    let directory = scratch.join("project");
    let parts: Vec<String> = (0..count).map(|index| format!("part_{index}.o")).collect();
    let makefile = format!("all: {}\n%.o: %.c\n\tcc -O1 -c -o $@ $<\n", parts.join(" "));
    write(&directory.join("Makefile"), &makefile)?;
    for index in 0..count {
        let text = format!(
            "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
             int part_{index}(int n) {{\n  char text[64];\n  snprintf(text, sizeof text, \"%d\", n);\n\
               return atoi(text) + (int)strlen(text);\n}}\n"
        );
        write(&directory.join(format!("part_{index}.c")), &text)?;
    }
    let about = format!("make -j2 of {count} small C files");
    Ok((
        about,
        Some(1.2),
        command(&[&make, "-B", "-j2", "-s"], &directory),
    ))
}

/// Writes a file below a directory that may not be there yet.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}
