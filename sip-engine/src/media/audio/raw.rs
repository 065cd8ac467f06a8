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

impl Raw {
    /// What the content type says (Twilio's list for `<Play>`, and the names other servers have for the same), or the
    /// extension of the address where the server has no name for it.
    #[must_use]
    pub fn told_by(content_type: Option<&str>, path: &str) -> Option<Raw> {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "audio/basic" | "audio/ulaw" | "audio/x-ulaw" | "audio/mulaw" | "audio/x-mulaw"
            | "audio/pcmu" => Some(Raw::Ulaw),
            "audio/alaw" | "audio/x-alaw" | "audio/pcma" => Some(Raw::Alaw),
            "audio/gsm" | "audio/x-gsm" => Some(Raw::Gsm),
            "" | "application/octet-stream" | "binary/octet-stream" | "text/plain" => Raw::of_extension(path),
            _ => None,
        }
    }

    fn of_extension(path: &str) -> Option<Raw> {
        let (_, extension) = path.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "ulaw" | "ul" | "mulaw" | "pcmu" => Some(Raw::Ulaw),
            "alaw" | "al" | "pcma" => Some(Raw::Alaw),
            "gsm" => Some(Raw::Gsm),
            _ => None,
        }
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
