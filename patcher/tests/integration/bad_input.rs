//! What people get wrong, and exactly what they are told.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::harness::{AGENT, has, program, said, skip};

/// Runs the program on a file with this content; returns exit code and error lines, the file named
/// `FILE`, and makes sure that nothing was written.
fn complaint(content: &[u8], more: &[&str]) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("input");
    let out = directory.path().join("out");
    fs::write(&file, content).unwrap();
    let (file, result) = (file.to_str().unwrap(), out.to_str().unwrap());
    let fixed = [
        "patch",
        file,
        "-o",
        result,
        "--agent-image",
        AGENT,
        "--no-registry",
    ];
    let (code, _, err) = said(&program(&[&fixed[..], more].concat()).output().unwrap());
    assert!(!out.exists(), "something was written: {err}");
    let lines = err.lines().filter_map(|line| line.strip_prefix("error: "));
    (
        code,
        lines.collect::<Vec<_>>().join("\n").replace(file, "FILE"),
    )
}

/// A template with one container that has this property besides.
fn container(property: &str) -> String {
    format!(
        "{{\"Resources\": {{\"T\": {{\"Type\": \"AWS::ECS::TaskDefinition\", \"Properties\": {{\"Memory\": 512, \"ContainerDefinitions\": [{{\"Name\": \"web\", \"Image\": \"i\", {property}}}]}}}}}}}}"
    )
}

#[test]
fn texts_that_are_no_templates() {
    let deep = "[".repeat(500);
    let table: &[(&str, &str)] = &[
        (
            "",
            "FILE: invalid YAML at line 1, column 1: the file is empty",
        ),
        (
            "{\"a\": 1,}",
            "FILE: invalid JSON at line 1, column 9: expected a key in double quotes",
        ),
        (
            "{\"a\": 1, \"a\": 2}",
            "FILE: invalid JSON at line 1, column 10: duplicate key `a`",
        ),
        (
            "{\"a\": [1, 2}",
            "FILE: invalid JSON at line 1, column 12: expected `,` or `]`",
        ),
        (
            "a: 1\nb: 2\na: 3\n",
            "FILE: invalid YAML at line 3, column 1: duplicate key `a`",
        ),
        (
            "a: [1, 2\n",
            "FILE: invalid YAML at line 2, column 1: while parsing a flow sequence, expected ',' or ']'",
        ),
        (
            "a: *b\n",
            "FILE: invalid YAML at line 1, column 4: while parsing node, found unknown anchor",
        ),
        (
            "a: &a [*a]\n",
            "FILE: invalid YAML at line 1, column 8: an anchor that contains itself",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "FILE: invalid YAML at line 2, column 1: a template is one document, this is a second",
        ),
        (
            "? [a, b]\n: c\n",
            "FILE: invalid YAML at line 1, column 3: a key must be a string",
        ),
        (
            "just a sentence",
            "FILE: the root: expected a CloudFormation template (`Resources`), an ECS task definition (`containerDefinitions`) or a list of container definitions",
        ),
        (
            &deep,
            "FILE: invalid JSON at line 1, column 130: nested deeper than 128 levels",
        ),
    ];
    for (text, want) in table {
        let (code, said) = complaint(text.as_bytes(), &[]);
        assert_eq!((code, said.as_str()), (Some(1), *want), "for {text:.60}");
    }
    let (code, said) = complaint(b"a: \xff\xfe", &[]);
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "FILE: not UTF-8 text (byte 3); save it as UTF-8")
    );
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        let aliases = [alias.as_str(); 8].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let (code, said) = complaint(text.as_bytes(), &[]);
    assert_eq!(code, Some(1));
    assert!(
        said.ends_with("aliases expand to more than 200000 nodes"),
        "{said}"
    );
}

#[test]
fn properties_of_the_wrong_type() {
    let place = "FILE: Resources.T.Properties.ContainerDefinitions[0]";
    let table = [
        (
            "\"EntryPoint\": \"sh -c x\"",
            ".EntryPoint: expected a list of strings, found a string",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"Command\": 1",
            ".Command: expected a list of strings, found a number",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"Environment\": {}",
            ".Environment: expected a list of variables, found a map",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"Environment\": {\"Ref\": \"E\"}",
            ".Environment: expected a list of variables, found an intrinsic function",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"Environment\": [\"A=b\"]",
            ".Environment[0]: expected a variable with Name and Value, found a string",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"VolumesFrom\": \"x\"",
            ".VolumesFrom: expected a list, found a string",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"DependsOn\": true",
            ".DependsOn: expected a list, found a boolean",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"LinuxParameters\": []",
            ".LinuxParameters: expected a map, found a list",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"LinuxParameters\": {\"Capabilities\": 1}",
            ".LinuxParameters.Capabilities: expected a map, found a number",
        ),
        (
            "\"EntryPoint\": [\"a\"], \"LinuxParameters\": {\"Capabilities\": {\"Add\": \"ALL\"}}",
            ".LinuxParameters.Capabilities.Add: expected a list, found a string",
        ),
    ];
    for (property, want) in table {
        let (code, said) = complaint(container(property).as_bytes(), &[]);
        assert_eq!(
            (code, said),
            (Some(1), format!("{place}{want}")),
            "for {property}"
        );
    }
}

#[test]
fn container_lists_of_the_wrong_type() {
    let table = [
        ("\"x\"", ": expected a list of containers, found a string"),
        (
            "{\"Ref\": \"L\"}",
            ": expected a list of containers, found an intrinsic function; write it out, or give the task definition the tag `kilt-ignore`",
        ),
        (
            "[\"x\"]",
            "[0]: expected a container definition, found a string",
        ),
        (
            "[{\"Fn::Transform\": {}}]",
            "[0]: expected a container definition, found an intrinsic function; write it out, or give the task definition the tag `kilt-ignore`",
        ),
        (
            "[{\"Name\": \"SysdigInstrumentation\", \"Image\": \"i\", \"EntryPoint\": [\"a\"]}]",
            "[0]: a container named `SysdigInstrumentation` is not the agent's; choose another name with --sidecar-name",
        ),
    ];
    for (list, want) in table {
        let text = format!(
            "{{\"Resources\": {{\"T\": {{\"Type\": \"AWS::ECS::TaskDefinition\", \"Properties\": {{\"ContainerDefinitions\": {list}}}}}}}}}"
        );
        let (code, said) = complaint(text.as_bytes(), &[]);
        let want = format!("FILE: Resources.T.Properties.ContainerDefinitions{want}");
        assert_eq!((code, said), (Some(1), want), "for {list}");
    }
}

#[test]
fn unknown_entrypoints_name_the_ways_out() {
    let (code, said) = complaint(container("\"Command\": [\"a\"]").as_bytes(), &[]);
    assert_eq!(code, Some(4));
    assert_eq!(
        said,
        "FILE: container `web`: the entrypoint of its image is unknown (`i` was not looked up); write EntryPoint and Command into the template, or use --image-config, --parameter or --allow-unresolved"
    );
}

#[test]
fn settings_that_make_no_sense() {
    let template = container("\"EntryPoint\": [\"a\"]");
    let table: &[(&[&str], i32, &str)] = &[
        (
            &["--logging", "loud"],
            2,
            "invalid value 'loud' for '--logging <LEVEL>': `loud` is not one of silent, fatal, critical, error, warning, info, debug, trace",
        ),
        (
            &["--orchestrator", "h:port"],
            1,
            "h:port: `port`: invalid digit found in string",
        ),
        (
            &["--image-config", "nginx"],
            2,
            "invalid value 'nginx' for '--image-config <IMAGE=FILE>': expected NAME=VALUE",
        ),
        (
            &["--image-config", "i=/none"],
            1,
            "cannot read /none: No such file or directory (os error 2)",
        ),
        (&["--nonsense"], 2, "unexpected argument '--nonsense' found"),
    ];
    for (flags, want_code, want) in table {
        let (code, said) = complaint(template.as_bytes(), flags);
        assert_eq!(code, Some(*want_code), "for {flags:?}: {said}");
        assert_eq!(
            said.lines().next().unwrap_or_default(),
            *want,
            "for {flags:?}"
        );
    }
    let bare = |name: &str, value: &str| {
        let mut command = program(&["patch", "/none"]);
        said(&command.env(name, value).output().unwrap())
    };
    let (code, _, err) = bare("NOTHING", "");
    assert_eq!(code, Some(1));
    assert_eq!(
        err,
        "error: the agent image is missing: use --agent-image IMAGE or set SYSDIG_WORKLOAD_AGENT_IMAGE\n"
    );
    let mut command = program(&[]);
    let (code, _, err) = said(&command.env("KILT_MODE", "remote").output().unwrap());
    assert_eq!(
        (code, err.as_str()),
        (
            Some(1),
            "error: KILT_MODE: `remote` is not one of local, lambda\n"
        )
    );
    let (code, _, err) = said(&command.env("KILT_MODE", "local").output().unwrap());
    assert_eq!(
        (code, err.as_str()),
        (
            Some(1),
            "error: the template to read is missing: set KILT_SRC_TEMPLATE\n"
        )
    );
}

#[test]
fn a_file_that_is_not_there_or_not_ours() {
    let patch = |file: &str| {
        let arguments = ["patch", file, "--agent-image", AGENT, "--no-registry"];
        said(&program(&arguments).output().unwrap())
    };
    let (code, _, err) = patch("/nowhere/t.yaml");
    assert_eq!(code, Some(1));
    let want = "error: cannot read /nowhere/t.yaml: No such file or directory (os error 2)\n    failed /nowhere/t.yaml\n";
    assert_eq!(err, want);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.json");
    fs::write(&file, container("\"EntryPoint\": [\"a\"]")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let arguments = [
        "patch",
        file.to_str().unwrap(),
        "--agent-image",
        AGENT,
        "--no-registry",
    ];
    let mut command = program(&arguments);
    if fs::read(&file).is_ok() {
        // Root reads every file; another user does not, and needs a program that it can reach.
        let copy = directory.path().join("patcher");
        // A child copies it: a descriptor that this process held could be open in a child of another
        // test when the copy is started.
        let mut copying = Command::new("cp");
        copying.arg(env!("CARGO_BIN_EXE_patcher")).arg(&copy);
        assert!(copying.status().unwrap().success());
        for path in [directory.path(), &copy] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        command = Command::new(copy);
        command.args(arguments).env_clear().uid(65534).gid(65534);
    }
    let (code, _, err) = said(&command.output().unwrap());
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("Permission denied (os error 13)"), "{err}");
}

#[test]
fn large_results_are_warned_about() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.json");
    for (padding, want) in [
        (
            60_000,
            "CloudFormation takes more than 51200 only from S3 (--template-url)",
        ),
        (1_100_000, "CloudFormation takes at most 1048576"),
    ] {
        let text = container(&format!("\"EntryPoint\": [\"{}\"]", "a".repeat(padding)));
        fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let arguments = [
            "patch",
            path,
            "--agent-image",
            AGENT,
            "--no-registry",
            "--no-record",
        ];
        let (code, _, err) = said(&program(&arguments).output().unwrap());
        assert_eq!(code, Some(0), "{err}");
        assert!(err.contains(want), "{err}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let test = "a_full_disk_leaves_the_old_file";
    if !has("mount") || !has("unshare") {
        return skip(test, "mount or unshare is missing");
    }
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let text = container(&format!("\"EntryPoint\": [\"{}\"]", "a".repeat(30_000)));
    let source = directory.path().join("source");
    fs::write(&source, &text).unwrap();
    // The file system is mounted in a mount namespace of its own and goes with it.
    let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" && cp \"$2\" \"$1/t.json\" || exit 99
        \"$3\" patch \"$1/t.json\" --agent-image a --no-registry; code=$?
        cmp \"$2\" \"$1/t.json\" || exit 98
        ls -A \"$1\"; exit $code";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .args([
            disk.as_path(),
            source.as_path(),
            Path::new(env!("CARGO_BIN_EXE_patcher")),
        ])
        .output()
        .unwrap();
    let (code, out, err) = said(&output);
    if code == Some(99) || err.contains("unshare failed") {
        return skip(test, "no file system can be mounted here");
    }
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("t.json: No space left on device (os error 28)"),
        "{err}"
    );
    assert_eq!(out, "t.json\n", "nothing is left beside");
}
