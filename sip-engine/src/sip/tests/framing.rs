//! TCP framing: the same messages come out wherever the segments end.

use crate::sip::framing::{Frame, Framer, StreamError};
use crate::sip::parse::MAX_STREAM_MESSAGE;

const STREAM: &str = "\r\nINVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nl: 5\r\nSubject: x\r\n\r\nhello\r\n\r\n\
                      OPTIONS sip:h SIP/2.0\nContent-Length: 0\n\nSIP/2.0 200 OK\r\nContent-Length: 2\r\nTo: <sip:h>\r\n\r\n\r\nBYE sip:h SIP/2.0\r\nContent-Length: 0\r\n\r\n";

fn frames(framer: &mut Framer) -> Vec<Frame> {
    std::iter::from_fn(|| framer.next_frame().unwrap()).collect()
}

fn shape(frames: &[Frame]) -> Vec<String> {
    let one = |frame: &Frame| match frame {
        Frame::Message(message, _) => format!("{} {:?}", message.summary(), message.body),
        Frame::Refuse(malformed) => malformed.to_string(),
        Frame::Ping => "ping".to_owned(),
    };
    frames.iter().map(one).collect()
}

#[test]
fn every_split_gives_the_same_messages() {
    let mut whole = Framer::default();
    whole.push(STREAM.as_bytes());
    let expected = shape(&frames(&mut whole));
    assert_eq!(expected.len(), 5, "{expected:?}");
    for first in 0..STREAM.len() {
        for second in [first, (first + 1).min(STREAM.len()), (first + 17).min(STREAM.len())] {
            let mut framer = Framer::default();
            let mut seen = Vec::new();
            for part in [&STREAM[..first], &STREAM[first..second], &STREAM[second..]] {
                framer.push(part.as_bytes());
                seen.extend(frames(&mut framer));
            }
            assert_eq!(shape(&seen), expected, "split at {first} and {second}");
            assert!(!framer.is_partial());
        }
    }
}

#[test]
fn one_byte_at_a_time_gives_the_same_messages() {
    let mut framer = Framer::default();
    let mut seen = Vec::new();
    for byte in STREAM.as_bytes() {
        framer.push(&[*byte]);
        seen.extend(frames(&mut framer));
    }
    assert_eq!(seen.len(), 5);
}

#[test]
fn a_stream_without_a_usable_length_is_closed() {
    let lengths = ["", "l: -1\r\n", "l: 4294967296\r\n", "l: 9223372036854775808\r\n", "l: 1\r\nl: 1\r\n"];
    for length in lengths {
        let mut framer = Framer::default();
        framer.push(format!("OPTIONS sip:h SIP/2.0\r\n{length}\r\n").as_bytes());
        assert_eq!(framer.next_frame(), Err(StreamError::NoLength), "{length}");
        assert!(framer.next_frame().is_err());
    }
}

#[test]
fn a_huge_length_is_refused_before_anything_is_held() {
    let mut framer = Framer::default();
    framer.push(format!("OPTIONS sip:h SIP/2.0\r\nl: {}\r\n\r\n", MAX_STREAM_MESSAGE + 1).as_bytes());
    assert_eq!(framer.next_frame(), Err(StreamError::TooLarge));
}

#[test]
fn a_head_without_an_end_is_refused() {
    let mut framer = Framer::default();
    framer.push("OPTIONS sip:h SIP/2.0\r\n".as_bytes());
    let line = "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100);
    let error = (0..100).find_map(|_| {
        framer.push(line.as_bytes());
        framer.next_frame().err()
    });
    assert_eq!(error, Some(StreamError::TooLarge));
}

#[test]
fn a_flawed_request_does_not_cost_the_stream() {
    let mut framer = Framer::default();
    framer.push(b"OPTIONS <sip:h> SIP/2.0\r\nl: 2\r\n\r\nabBYE sip:h SIP/2.0\r\nl: 0\r\n\r\n");
    assert!(matches!(frames(&mut framer).as_slice(), [Frame::Refuse(_), Frame::Message(..)]));
}
