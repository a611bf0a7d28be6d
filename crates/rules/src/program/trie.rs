//! Strings that a value may begin with, in one walk.

/// A tree of bytes.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// Bytes and the nodes that they lead to, those of one node next to each other.
    edges: Vec<(u8, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The bits of the strings that end here.
    bits: u64,
    /// Where its edges begin and end.
    edges: (u32, u32),
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
                let fresh = number(growing.len());
                let edges = &mut growing[at].1;
                at = match edges.binary_search_by_key(byte, |(known, _)| *known) {
                    Ok(known) => edges[known].1 as usize,
                    Err(place) => {
                        edges.insert(place, (*byte, fresh));
                        growing.push((0, Vec::new()));
                        fresh as usize
                    }
                };
            }
            growing[at].0 |= bit;
        }
        let mut edges = Vec::with_capacity(growing.len());
        let nodes = growing.into_iter().map(|(bits, own)| {
            let from = number(edges.len());
            edges.extend(own);
            Node {
                bits,
                edges: (from, number(edges.len())),
            }
        });
        Self {
            nodes: nodes.collect(),
            edges,
        }
    }

    /// The bits of all strings that the value begins with.
    pub(super) fn find<'a>(&self, value: impl Iterator<Item = &'a u8>) -> u64 {
        let mut node = &self.nodes[0];
        let mut found = node.bits;
        for byte in value {
            let (from, to) = node.edges;
            let edges = &self.edges[from as usize..to as usize];
            let Some((_, next)) = edges.iter().find(|(b, _)| b == byte) else {
                break;
            };
            node = &self.nodes[*next as usize];
            found |= node.bits;
        }
        found
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("fewer nodes than 2^32")
}
