//! Cuts a TCP stream into messages, whatever the segment boundaries, and never holds more than one message's limit.

use super::message::Message;
use super::parse::{self, MAX_HEAD, MAX_STREAM_MESSAGE, Malformed};
use bytes::{Buf, Bytes, BytesMut};

/// What came out of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, and the bytes it was.
    Message(Message, Bytes),
    /// A request to refuse; the stream goes on because its length was clear.
    Refuse(Malformed),
    /// A double CRLF (RFC 5626 section 4.4.1): answer with one CRLF.
    Ping,
}

/// Why a stream cannot be read any further. Close it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A head or a message beyond the limits.
    #[error("a message beyond {MAX_STREAM_MESSAGE} bytes")]
    TooLarge,
    /// No length, or an impossible one: where the next message starts cannot be known.
    #[error("a message without a usable Content-Length")]
    NoLength,
    /// Not SIP.
    #[error("not SIP")]
    NotSip,
}

/// The reading side of one stream.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How far `buffer` was searched for the end of the head, so that slow drips cost no quadratic time.
    searched: usize,
    broken: bool,
    waiting: Option<Waiting>,
}

/// A head that was read, and how many bytes the whole message has.
#[derive(Debug)]
struct Waiting {
    head: Result<Message, Malformed>,
    head_length: usize,
    total: usize,
}

const KEEP_ALIVE: &[u8] = b"\r\n\r\n";

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

impl Framer {
    /// Takes what the socket read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// True with part of a message in hand.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.buffer.iter().any(|byte| !is_line_end(*byte))
    }

    /// The next whole frame, `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`StreamError`]; every further call repeats an error.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.broken {
            return Err(StreamError::NotSip);
        }
        let result = self.cut();
        self.broken = result.is_err();
        result
    }

    fn cut(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.waiting.is_none() {
            if self.buffer.starts_with(KEEP_ALIVE) {
                self.buffer.advance(KEEP_ALIVE.len());
                self.searched = 0;
                return Ok(Some(Frame::Ping));
            }
            // A single line end may still become a keep-alive; anything else behind it is the next message.
            if KEEP_ALIVE.starts_with(&self.buffer) {
                return Ok(None);
            }
            let ends = self.buffer.iter().take_while(|byte| is_line_end(**byte)).count();
            self.buffer.advance(ends);
            self.searched = self.searched.saturating_sub(ends);
            self.waiting = self.head()?;
        }
        let Some(waiting) = self.waiting.take_if(|waiting| self.buffer.len() >= waiting.total) else {
            return Ok(None);
        };
        let raw = self.buffer.split_to(waiting.total).freeze();
        Ok(Some(match waiting.head {
            Ok(message) => Frame::Message(Message { body: raw.slice(waiting.head_length..), ..message }, raw),
            Err(refusal) => Frame::Refuse(refusal),
        }))
    }

    /// Reads the head once it is whole, so that a dripping body costs no second reading.
    fn head(&mut self) -> Result<Option<Waiting>, StreamError> {
        let Some(head) = self.head_bytes()? else { return Ok(None) };
        let result = parse::parse_head(&head);
        let message = match &result {
            Ok(message) => message,
            Err(Malformed::Refuse { message, .. }) => message,
            Err(_) => return Err(StreamError::NotSip),
        };
        let length = parse::content_length(message).ok().flatten().ok_or(StreamError::NoLength)?;
        if length > MAX_STREAM_MESSAGE.saturating_sub(head.len()) {
            return Err(StreamError::TooLarge);
        }
        Ok(Some(Waiting { head: result, head_length: head.len(), total: head.len() + length }))
    }

    fn head_bytes(&mut self) -> Result<Option<Bytes>, StreamError> {
        // Three bytes back: the end may have begun in what was searched before.
        let from = self.searched.saturating_sub(3);
        let line_start =
            self.buffer.get(..from).and_then(|seen| seen.iter().rposition(|byte| *byte == b'\n'));
        let from = line_start.map_or(0, |at| at + 1);
        let end = parse::head_end(self.buffer.get(from..).unwrap_or_default()).map(|end| from + end);
        self.searched = self.buffer.len();
        match end {
            Some(end) if end > MAX_HEAD => Err(StreamError::TooLarge),
            Some(end) => {
                self.searched = 0;
                Ok(self.buffer.get(..end).map(Bytes::copy_from_slice))
            }
            None if self.buffer.len() > MAX_HEAD => Err(StreamError::TooLarge),
            None => Ok(None),
        }
    }
}
