use std::collections::BTreeMap;

use super::*;

fn numbers(abi: Abi) -> Vec<(u32, &'static str)> {
    rows()
        .flat_map(|(_, row)| row.numbers.under(abi).map(|number| (number, row.call)))
        .collect()
}

#[test]
fn a_number_names_one_call() {
    for abi in [Abi::X86_64, Abi::X32, Abi::I386, Abi::Aarch64] {
        let mut seen = BTreeMap::new();
        for (number, call) in numbers(abi) {
            assert_eq!(seen.insert(number, call), None, "{abi:?} {number} {call}");
        }
    }
}

#[test]
fn aarch64_has_the_generic_numbers_and_no_old_calls() {
    let known: BTreeMap<&str, u32> = numbers(Abi::Aarch64)
        .into_iter()
        .map(|(number, call)| (call, number))
        .collect();
    for (call, number) in [
        ("dup3", 24),
        ("mkdirat", 34),
        ("unlinkat", 35),
        ("openat", 56),
        ("ptrace", 117),
        ("kill", 129),
        ("setuid", 146),
        ("prctl", 167),
        ("socket", 198),
        ("connect", 203),
        ("clone", 220),
        ("execve", 221),
        ("process_vm_writev", 271),
        ("memfd_create", 279),
        ("execveat", 281),
        ("clone3", 435),
        ("openat2", 437),
    ] {
        assert_eq!(known.get(call), Some(&number), "{call}");
    }
    for call in [
        "open",
        "creat",
        "link",
        "symlink",
        "unlink",
        "rmdir",
        "rename",
        "mkdir",
        "chmod",
        "chown",
        "lchown",
        "dup2",
        "socketcall",
        "umount",
    ] {
        assert!(rows().any(|(_, row)| row.call == call), "no row {call}");
        assert_eq!(known.get(call), None, "{call}");
    }
}

#[test]
fn indices_lead_back_to_rows() {
    for (index, expected) in rows() {
        assert!(std::ptr::eq(row(index).unwrap(), expected));
    }
    assert!(row(u16::MAX).is_none());
}

#[test]
fn arguments_have_names_that_rules_may_use() {
    for (_, row) in rows() {
        for param in row.params {
            let known = event::argument(param.name);
            assert!(known.is_some(), "evt.arg.{} of {}", param.name, row.call);
        }
    }
}

#[test]
fn every_row_says_why() {
    for (_, row) in rows() {
        assert!(!row.why.is_empty(), "{}", row.call);
        assert!(
            row.event.is_some() || row.guard != Guard::Never,
            "{} is neither watched nor guarded",
            row.call
        );
    }
}

/// Compares with the kernel's own headers, where the machine has them.
fn headers(test: &str, abi: Abi, path: &str, bias: u32) {
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {test}: no {path} on this machine");
        return;
    };
    let known: BTreeMap<&str, u32> = text
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("#define __NR")?;
            let rest = rest
                .strip_prefix("3264_")
                .or_else(|| rest.strip_prefix('_'))?;
            let (name, value) = rest.split_once(' ')?;
            let value = value.trim().trim_start_matches("(__X32_SYSCALL_BIT + ");
            Some((name, value.trim_end_matches(')').parse().ok()?))
        })
        .collect();
    assert!(known.len() > 200, "{path} has {} numbers", known.len());
    for (number, call) in numbers(abi) {
        let wide = format!("{call}32");
        let matches = [call, wide.as_str()]
            .iter()
            .any(|name| known.get(name).map(|n| n - bias) == Some(number));
        // Calls younger than the headers cannot be checked by them.
        assert!(
            matches || !known.contains_key(call),
            "{call} is {number} in the table, {:?} in {path}",
            known.get(call)
        );
    }
}

#[test]
fn numbers_of_aarch64_are_those_of_the_generic_header() {
    headers(
        "numbers_of_aarch64_are_those_of_the_generic_header",
        Abi::Aarch64,
        "/usr/include/asm-generic/unistd.h",
        0,
    );
}

#[test]
fn numbers_of_x86_are_those_of_the_headers() {
    for (abi, file) in [
        (Abi::X86_64, "unistd_64.h"),
        (Abi::I386, "unistd_32.h"),
        (Abi::X32, "unistd_x32.h"),
    ] {
        headers(
            "numbers_of_x86_are_those_of_the_headers",
            abi,
            &format!("/usr/include/x86_64-linux-gnu/asm/{file}"),
            0,
        );
    }
}
