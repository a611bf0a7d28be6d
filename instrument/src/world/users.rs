//! Names of users and groups, from the container's own files. No NSS: a static program would load
//! the image's libraries for it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

/// Files beyond this size are not read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Names by id.
#[derive(Debug, Default)]
pub struct Names {
    users: OnceCell<HashMap<u32, String>>,
    groups: OnceCell<HashMap<u32, String>>,
}

impl Names {
    /// The name of a user.
    pub fn user(&self, uid: u32) -> Option<Cow<'_, str>> {
        let users = self.users.get_or_init(|| read("/etc/passwd"));
        known(users, uid)
    }

    /// The name of a group.
    pub fn group(&self, gid: u32) -> Option<Cow<'_, str>> {
        let groups = self.groups.get_or_init(|| read("/etc/group"));
        known(groups, gid)
    }
}

fn known(names: &HashMap<u32, String>, id: u32) -> Option<Cow<'_, str>> {
    match names.get(&id) {
        Some(name) => Some(Cow::Borrowed(name)),
        // Scratch images have no such file, and this name needs none.
        None if id == 0 => Some(Cow::Borrowed("root")),
        None => None,
    }
}

fn read(path: &str) -> HashMap<u32, String> {
    let is_small = std::fs::metadata(path).is_ok_and(|meta| meta.len() <= MAX_FILE_BYTES);
    let text = if is_small {
        std::fs::read(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    parse(&String::from_utf8_lossy(&text))
}

/// The first line of an id wins, as it does for the C library.
fn parse(text: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(_), Some(id)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if let Ok(id) = id.parse() {
            names.entry(id).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd_and_group() {
        let names = parse("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/\nbroken\nwww:x:33:\n");
        assert_eq!(names.get(&0).map(String::as_str), Some("root"));
        assert_eq!(names.get(&33).map(String::as_str), Some("www"));
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn root_needs_no_file() {
        assert_eq!(known(&HashMap::new(), 0).as_deref(), Some("root"));
        assert_eq!(known(&HashMap::new(), 1), None);
    }
}
