//! Strings that a value may begin with, in one walk.

/// A tree of bytes.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    /// The bits of the strings that end here.
    bits: u64,
    children: Box<[(u8, u32)]>,
}

impl Trie {
    /// The strings, byte by byte, each with its bits.
    pub(super) fn new<'s>(
        strings: impl Iterator<Item = (impl Iterator<Item = &'s u8>, u64)>,
    ) -> Self {
        let mut growing: Vec<(u64, Vec<(u8, u32)>)> = vec![(0, Vec::new())];
        for (string, bit) in strings {
            let mut at = 0;
            for byte in string {
                let fresh = u32::try_from(growing.len()).expect("fewer nodes than 2^32");
                let children = &mut growing[at].1;
                at = match children.binary_search_by_key(byte, |(known, _)| *known) {
                    Ok(known) => children[known].1 as usize,
                    Err(place) => {
                        children.insert(place, (*byte, fresh));
                        growing.push((0, Vec::new()));
                        fresh as usize
                    }
                };
            }
            growing[at].0 |= bit;
        }
        let nodes = growing.into_iter().map(|(bits, children)| Node {
            bits,
            children: children.into(),
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// The bits of all strings that the value begins with.
    pub(super) fn find<'a>(&self, value: impl Iterator<Item = &'a u8>) -> u64 {
        let mut node = &self.nodes[0];
        let mut found = node.bits;
        for byte in value {
            let Some((_, next)) = node.children.iter().find(|(b, _)| b == byte) else {
                break;
            };
            node = &self.nodes[*next as usize];
            found |= node.bits;
        }
        found
    }
}
