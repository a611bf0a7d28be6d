//! Against a plain queue, and with two threads.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

fn frame(seq: u64, len: usize) -> Vec<u8> {
    let bytes = seq.to_le_bytes();
    (0..len)
        .map(|i| bytes[i % 8].wrapping_add(bytes[0]))
        .collect()
}

fn length(seq: u64) -> usize {
    usize::try_from(seq % 700).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Release(u64),
    Rewind,
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..9000).prop_map(Step::Push),
        2 => (0_u64..12).prop_map(Step::Release),
        1 => Just(Step::Rewind),
        4 => (0_usize..8).prop_map(Step::Take),
    ]
}

proptest! {
    /// Against a plain queue: what comes out is what went in, in order, across every wrap.
    #[test]
    fn behaves_as_a_queue(steps in proptest::collection::vec(step(), 1..400)) {
        let (mut writer, mut reader) = ring(2 * 4096 * 8);
        let mut model: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        let (mut seq, mut sent, mut reached) = (0, 0, 0);
        for step in steps {
            match step {
                Step::Push(len) => {
                    if writer.has_room(cost(len), 0) {
                        seq += 1;
                        let bytes = frame(seq, len);
                        writer.push(Stamp { seq, class: Class::Event }, &bytes);
                        model.push_back((seq, bytes));
                    } else {
                        let held: u64 = model.iter().map(|(_, b)| cost(b.len())).sum();
                        prop_assert!(held + cost(len) > writer.capacity());
                    }
                }
                Step::Release(ahead) => {
                    let upto = model.front().map_or(0, |(first, _)| first + ahead);
                    let mut count = 0;
                    reader.release(upto, |_| count += 1);
                    let expected = reached.min(
                        model.iter().take_while(|(seq, _)| *seq <= upto).count());
                    prop_assert_eq!(count, expected);
                    model.drain(..expected);
                    reached -= expected;
                    sent = sent.max(expected) - expected;
                }
                Step::Rewind => {
                    reader.rewind();
                    sent = 0;
                }
                Step::Take(count) => {
                    for _ in 0..count {
                        let mut out = vec![1, 2, 3];
                        let stamp = reader.take(&mut out);
                        prop_assert_eq!(stamp.map(|s| s.seq), model.get(sent).map(|m| m.0));
                        if let Some((_, bytes)) = model.get(sent) {
                            prop_assert_eq!(&out[..3], [1, 2, 3]);
                            prop_assert_eq!(&out[3..], bytes.as_slice());
                            sent += 1;
                            reached = reached.max(sent);
                        }
                    }
                }
            }
            prop_assert_eq!(reader.is_drained(), model.is_empty());
            prop_assert_eq!(reader.is_empty(), sent == model.len());
        }
    }
}

#[test]
fn two_threads_see_every_frame_once_and_in_order() {
    const FRAMES: u64 = 50_000;
    let (mut writer, mut reader) = ring(2 * 4096 * 8);
    let maker = std::thread::spawn(move || {
        let mut seq = 0;
        while seq < FRAMES {
            let len = length(seq);
            if writer.has_room(cost(len), 0) {
                seq += 1;
                let class = Class::Event;
                writer.push(Stamp { seq, class }, &frame(seq, len));
            } else {
                std::thread::yield_now();
            }
        }
    });
    let mut expected = 1;
    while expected <= FRAMES {
        let mut out = Vec::new();
        let Some(stamp) = reader.take(&mut out) else {
            std::thread::yield_now();
            continue;
        };
        assert_eq!(stamp.seq, expected);
        assert_eq!(out, frame(expected, length(expected - 1)));
        reader.release(expected, |_| ());
        expected += 1;
    }
    maker.join().unwrap();
    assert!(reader.is_drained());
}
