//! Paths as programs write them, made absolute without looking at the file system.

/// Joins a path to the directory it is relative to and takes out `.`, `..` and double slashes.
/// Symbolic links are not followed: rules name paths as programs do.
pub fn absolute(base: &[u8], path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(base.len() + path.len() + 1);
    if path.first() != Some(&b'/') {
        push(&mut out, base);
    }
    push(&mut out, path);
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

fn push(out: &mut Vec<u8>, path: &[u8]) {
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let parent = out.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(parent);
            }
            part => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute() {
        for (base, path, expected) in [
            ("/", "a", "/a"),
            ("/var/lib", "x", "/var/lib/x"),
            ("/var/lib", "../x", "/var/x"),
            ("/var", "/etc//passwd", "/etc/passwd"),
            ("/", "/a/./b/../c/", "/a/c"),
            ("/a", "../../..", "/"),
            ("/", "/", "/"),
            ("/a/b", "", "/a/b"),
        ] {
            let found = absolute(base.as_bytes(), path.as_bytes());
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{base} {path}");
        }
    }
}
