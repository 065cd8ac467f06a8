//! Cuts a description into its session part and media sections, keeping only lines whose meaning we use.

use super::{MAX_BODY, MAX_LINES, MAX_MEDIA, SdpRefusal};

/// Attributes ezk-sdp-types may see; everything else is left out so that a malformed foreign one cannot refuse a call.
const ATTRIBUTES: [&str; 9] =
    ["rtpmap:", "fmtp:", "ptime:", "maxptime:", "rtcp:", "sendrecv", "sendonly", "recvonly", "inactive"];

/// A description taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Sections {
    /// `c=` and direction lines above the first m= line.
    pub session: Vec<String>,
    /// One per m= line.
    pub media: Vec<Section>,
}

/// One m= line and what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Section {
    /// The m= line without `m=`, as received: a rejected stream is answered with its own words.
    pub line: String,
    /// The kept lines below it.
    pub lines: Vec<String>,
}

impl Section {
    /// `audio`, the port, the transport and the formats of the m= line.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.line.split_ascii_whitespace()
    }

    /// True for audio over plain RTP with a port: something we could use.
    pub fn is_usable_audio(&self) -> bool {
        let mut words = self.words();
        let audio = words.next().is_some_and(|kind| kind.eq_ignore_ascii_case("audio"));
        let open = words.next().is_some_and(|port| !port.starts_with('0'));
        let plain = words.next().is_some_and(|proto| {
            proto.eq_ignore_ascii_case("RTP/AVP") || proto.eq_ignore_ascii_case("RTP/AVPF")
        });
        audio && open && plain
    }
}

/// Takes a description apart within the limits.
pub(super) fn cut(body: &[u8]) -> Result<Sections, SdpRefusal> {
    if body.len() > MAX_BODY {
        return Err(SdpRefusal::TooLarge);
    }
    let text = String::from_utf8_lossy(body);
    let mut lines = text.split(['\r', '\n']).map(str::trim_end).filter(|line| !line.is_empty());
    if lines.next() != Some("v=0") {
        return Err(SdpRefusal::Malformed);
    }
    let mut sections = Sections::default();
    for (count, line) in lines.enumerate() {
        if count >= MAX_LINES || sections.media.len() > MAX_MEDIA {
            return Err(SdpRefusal::TooLarge);
        }
        sections.take(line);
    }
    if sections.media.len() > MAX_MEDIA { Err(SdpRefusal::TooLarge) } else { Ok(sections) }
}

impl Sections {
    fn take(&mut self, line: &str) {
        if let Some(media) = line.strip_prefix("m=") {
            self.media.push(Section { line: media.to_owned(), lines: Vec::new() });
        } else if is_kept(line) {
            let lines = self.media.last_mut().map_or(&mut self.session, |section| &mut section.lines);
            lines.push(line.to_owned());
        }
    }
}

fn is_kept(line: &str) -> bool {
    match line.split_once('=') {
        Some(("c", _)) => true,
        Some(("a", attribute)) => ATTRIBUTES.iter().any(|kept| {
            if kept.ends_with(':') { attribute.starts_with(kept) } else { attribute.trim() == *kept }
        }),
        _ => false,
    }
}
