//! Any bytes in any pieces: the decoder gives the same messages however they are cut, what it gives
//! can be written and read again, and everything in it can be turned into what the sidecar stores.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Body, Control, Decoder, Frame, encode};

fn decode(pieces: &[&[u8]]) -> (Vec<Frame>, bool) {
    let mut decoder = Decoder::<Frame>::default();
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            let announced = decoder.has_message();
            match decoder.next() {
                Ok(Some(frame)) => {
                    assert!(announced);
                    frames.push(frame);
                }
                Ok(None) => {
                    assert!(!announced);
                    break;
                }
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

fuzz_target!(|data: &[u8]| {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    let (front, back) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    let whole = decode(&[bytes]);
    assert_eq!(whole, decode(&[front, back]));
    for frame in whole.0 {
        let mut again = Vec::new();
        encode(&frame, &mut again).expect("what was read is short enough to be written");
        let mut decoder = Decoder::<Frame>::default();
        decoder.push(&again);
        assert_eq!(decoder.next().expect("what was written can be read"), Some(frame.clone()));
        match frame.body {
            Some(Body::Event(event)) => {
                if let Ok(event) = event::Event::try_from(event) {
                    assert!(event::Event::from_json(&event.to_json()).is_ok());
                }
            }
            Some(Body::Alert(alert)) => {
                assert!(event::Alert::from(alert).to_json().ends_with('}'));
            }
            _ => {}
        }
    }
    let mut decoder = Decoder::<Control>::default();
    decoder.push(bytes);
    while let Ok(Some(_)) = decoder.next() {}
});
