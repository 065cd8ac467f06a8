//! Audio without a header: only its content type or the name of its file tells what it is.

use super::{AudioError, fits, gsm};
use crate::media::g711::{alaw_to_linear, ulaw_to_linear};

/// What a file without a header holds, 8 kHz mono.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Raw {
    /// mu-law.
    Ulaw,
    /// A-law.
    Alaw,
    /// GSM 06.10.
    Gsm,
}

/// One kind of audio, and how it is told.
struct Told {
    /// What it is; `None` for what has a header that says so.
    raw: Option<Raw>,
    /// Content types, behind `audio/` and an `x-` that may stand there.
    types: &'static [&'static str],
    /// What its files' names end in. Not `pcm`: that is as often linear.
    extensions: &'static [&'static str],
}

/// Twilio's list for `<Play>`, RTP's names (RFC 4856), and those that switches, phones and players have for the same.
const TABLE: [Told; 4] = [
    Told {
        raw: Some(Raw::Ulaw),
        types: &["basic", "ulaw", "mulaw", "pcmu", "ulaw-basic", "mulaw-basic", "g711-mlaw"],
        extensions: &["ulaw", "ul", "mulaw", "mu", "ulw", "pcmu"],
    },
    Told {
        raw: Some(Raw::Alaw),
        types: &["alaw", "pcma", "alaw-basic", "g711-alaw"],
        extensions: &["alaw", "al", "alw", "pcma"],
    },
    Told { raw: Some(Raw::Gsm), types: &["gsm"], extensions: &["gsm"] },
    Told {
        raw: None,
        types: &["mpeg", "mpeg3", "mp3", "wav", "wave", "vnd.wave", "aiff", "pn-aiff"],
        extensions: &[],
    },
];

impl Raw {
    /// What the content type says, or the extension of the address where the type is none that is known for a sound.
    #[must_use]
    pub fn told_by(content_type: Option<&str>, path: &str) -> Option<Raw> {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        let sound = essence.strip_prefix("audio/").map(|name| name.strip_prefix("x-").unwrap_or(name));
        if let Some(told) = sound.and_then(|name| TABLE.iter().find(|told| told.types.contains(&name))) {
            return told.raw;
        }
        let says_nothing =
            matches!(&*essence, "" | "application/octet-stream" | "binary/octet-stream" | "text/plain");
        if sound.is_some() || says_nothing { Raw::of_extension(path) } else { None }
    }

    fn of_extension(path: &str) -> Option<Raw> {
        let extension = path.rsplit_once('.')?.1.to_ascii_lowercase();
        TABLE.iter().find(|told| told.extensions.contains(&&*extension))?.raw
    }

    pub(super) fn decode(self, bytes: &[u8]) -> Result<Vec<i16>, AudioError> {
        if self != Raw::Gsm {
            fits(bytes.len())?;
        }
        match self {
            Raw::Ulaw => Ok(bytes.iter().map(|byte| ulaw_to_linear(*byte)).collect()),
            Raw::Alaw => Ok(bytes.iter().map(|byte| alaw_to_linear(*byte)).collect()),
            Raw::Gsm => gsm::decode(bytes),
        }
    }
}
