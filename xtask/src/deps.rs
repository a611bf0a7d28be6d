//! `cargo xtask deps`: which crate may depend on which, and where unsafe code may be.
//!
//! The arrows are those of ARCHITECTURE.md. `cargo deny` cannot say them, and a reviewer forgets.

use std::fs;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

use crate::cargo;
use crate::config::Config;
use crate::console::Console;

/// Every member of the workspace, and the members that it may name in its manifest.
const ARROWS: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("e2e", &["contract", "event", "rules", "sys", "wire"]),
    ("event", &[]),
    ("examples", &[]),
    ("instrument", &["contract", "event", "rules", "sys", "wire"]),
    ("patcher", &["contract"]),
    ("rules", &["event"]),
    ("sidecar", &["contract", "event", "wire"]),
    ("sys", &[]),
    ("wire", &["event"]),
    ("xtask", &[]),
];

/// What must not be reachable from the programs that run inside other people's containers.
const NEVER_IN_INSTRUMENT: &[&str] = &["aws-", "hyper", "openssl", "ring", "rustls", "tokio"];

/// A member of the workspace, as cargo describes it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Member {
    name: String,
    dependencies: Vec<String>,
    /// Roots of its library and programs.
    roots: Vec<String>,
}

/// Runs the check.
pub(crate) fn run(console: &Console, config: &Config) -> anyhow::Result<ExitCode> {
    let faults = faults(config)?;
    for fault in &faults {
        console.bad(fault);
    }
    if faults.is_empty() {
        console.good("every arrow between crates is one that ARCHITECTURE.md draws");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Everything that is wrong, one line each.
pub(crate) fn faults(config: &Config) -> anyhow::Result<Vec<String>> {
    let metadata = cargo::output(&mut cargo::plain(
        config,
        &["metadata", "--format-version=1", "--no-deps", "--locked"],
    ))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
    let members = members(&metadata).context("cargo metadata lacks a field")?;
    let mut faults = wrong_arrows(&members);
    let tree = cargo::output(&mut cargo::plain(
        config,
        &[
            "tree",
            "--locked",
            "-p=instrument",
            "-e=normal,build",
            "--prefix=none",
        ],
    ))?;
    faults.extend(wrong_libraries("instrument", &tree));
    for member in members.iter().filter(|member| member.name != "sys") {
        for root in &member.roots {
            let text = fs::read_to_string(root).with_context(|| format!("cannot read `{root}`"))?;
            if !text.contains("#![forbid(unsafe_code)]") {
                faults.push(format!(
                    "`{root}` does not start with `#![forbid(unsafe_code)]`"
                ));
            }
        }
    }
    Ok(faults)
}

fn members(metadata: &Value) -> Option<Vec<Member>> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let is_program = |target: &&Value| {
        let kinds = target["kind"].as_array().map_or(&[][..], Vec::as_slice);
        kinds.iter().any(|kind| *kind == "lib" || *kind == "bin")
    };
    metadata["packages"]
        .as_array()?
        .iter()
        .map(|package| {
            Some(Member {
                name: text(&package["name"])?,
                dependencies: package["dependencies"]
                    .as_array()?
                    .iter()
                    .filter(|dependency| dependency["source"].is_null())
                    .map(|dependency| text(&dependency["name"]))
                    .collect::<Option<_>>()?,
                roots: package["targets"]
                    .as_array()?
                    .iter()
                    .filter(is_program)
                    .map(|target| text(&target["src_path"]))
                    .collect::<Option<_>>()?,
            })
        })
        .collect()
}

fn wrong_arrows(members: &[Member]) -> Vec<String> {
    let mut faults = Vec::new();
    for member in members {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == member.name) else {
            faults.push(format!(
                "`{}` has no row in xtask's table of arrows",
                member.name
            ));
            continue;
        };
        for dependency in &member.dependencies {
            if !allowed.contains(&dependency.as_str()) {
                faults.push(format!(
                    "`{}` must not depend on `{dependency}`: {}",
                    member.name,
                    if allowed.is_empty() {
                        "it stands alone".to_owned()
                    } else {
                        format!("it may name {}", allowed.join(", "))
                    }
                ));
            }
        }
    }
    faults
}

/// Reads the output of `cargo tree --prefix none`: one `name version` per line.
fn wrong_libraries(program: &str, tree: &str) -> Vec<String> {
    let mut names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| {
            NEVER_IN_INSTRUMENT
                .iter()
                .any(|banned| match banned.strip_suffix('-') {
                    Some(_) => name.starts_with(banned),
                    None => name == banned || name.starts_with(&format!("{banned}-")),
                })
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            format!("`{program}` reaches `{name}`: no runtime, TLS or SDK inside a workload; `cargo tree -p {program} -i {name}` shows the way")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
            roots: Vec::new(),
        }
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_a_fault() {
        assert_eq!(
            wrong_arrows(&[member("rules", &["event"])]),
            Vec::<String>::new()
        );
        let faults = wrong_arrows(&[
            member("rules", &["event", "sys"]),
            member("event", &["wire"]),
        ]);
        assert_eq!(
            faults,
            [
                "`rules` must not depend on `sys`: it may name event",
                "`event` must not depend on `wire`: it stands alone",
            ]
        );
    }

    #[test]
    fn a_crate_without_a_row_is_a_fault() {
        assert!(wrong_arrows(&[member("newcomer", &[])])[0].contains("no row"));
    }

    #[test]
    fn banned_libraries_are_found_by_name_or_family() {
        let tree = "instrument v0.1.0 (instrument)\naws-config v1.0.0\nnix v0.31.3\n\
                    tokio v1.54.1\ntokio-util v0.7.0 (*)\nringbuf v0.1.0\n";
        let faults = wrong_libraries("instrument", tree);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("`aws-config`"));
        assert!(faults[2].contains("`tokio-util`"));
    }

    #[test]
    fn only_members_of_the_workspace_are_arrows() {
        let metadata = json!({"packages": [{
            "name": "sidecar",
            "dependencies": [
                {"name": "tokio", "source": "registry+x"},
                {"name": "wire", "source": null},
            ],
            "targets": [
                {"kind": ["bin"], "src_path": "sidecar/src/main.rs"},
                {"kind": ["test"], "src_path": "sidecar/tests/main.rs"},
            ],
        }]});
        let found = members(&metadata).unwrap();
        assert_eq!(found[0].dependencies, ["wire"]);
        assert_eq!(found[0].roots, ["sidecar/src/main.rs"]);
    }
}
