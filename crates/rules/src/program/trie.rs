//! Strings that a value may begin with, in one walk.

use std::collections::BTreeMap;

/// A tree of bytes.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// The bits of the strings that end here.
    bits: u64,
    children: Box<[(u8, u32)]>,
}

impl Trie {
    pub(super) fn new(strings: impl Iterator<Item = (Box<[u8]>, u64)>) -> Self {
        let mut children: Vec<BTreeMap<u8, u32>> = vec![BTreeMap::new()];
        let mut bits = vec![0_u64];
        for (string, bit) in strings {
            let mut at = 0;
            for byte in string {
                let fresh = u32::try_from(children.len()).expect("fewer nodes than 2^32");
                let next = *children[at].entry(byte).or_insert(fresh);
                if next == fresh {
                    children.push(BTreeMap::new());
                    bits.push(0);
                }
                at = next as usize;
            }
            bits[at] |= bit;
        }
        let nodes = children.into_iter().zip(bits).map(|(children, bits)| Node {
            bits,
            children: children.into_iter().collect(),
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
