//! What a description offers, in words: for a person who must find out why nothing fits.

use super::prefilter::{self, Section};

/// Longest text.
const MAX_WORDS: usize = 160;
/// Formats of one line that are named.
const MAX_FORMATS: usize = 12;

/// For example `audio RTP/AVP G722, G729; video RTP/SAVP H264`; printable ASCII without quotes.
#[must_use]
pub fn words(body: &[u8]) -> String {
    let lines = prefilter::cut(body).map(|sections| sections.media).unwrap_or_default();
    let told = lines.iter().map(line).collect::<Vec<_>>().join("; ");
    let plain = |c: &char| (c.is_ascii_graphic() || *c == ' ') && !matches!(c, '"' | '\\');
    let told: String = told.chars().filter(plain).take(MAX_WORDS).collect();
    if told.is_empty() { "no media".into() } else { told }
}

fn line(section: &Section) -> String {
    let mut words = section.words();
    let (kind, port, protocol) = (words.next(), words.next(), words.next());
    let formats: Vec<&str> = words.take(MAX_FORMATS).map(|format| name(section, format)).collect();
    let off = if port == Some("0") { " (off)" } else { "" };
    format!("{} {} {}{off}", kind.unwrap_or_default(), protocol.unwrap_or_default(), formats.join(", "))
}

/// A format's encoding name: its rtpmap's, or the static table's (RFC 3551 section 6).
fn name<'s>(section: &'s Section, format: &'s str) -> &'s str {
    let map = section.lines.iter().find_map(|line| {
        let (payload, encoding) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        (payload == format).then(|| encoding.split('/').next().unwrap_or_default())
    });
    map.unwrap_or(match format {
        "0" => "PCMU",
        "3" => "GSM",
        "4" => "G723",
        "8" => "PCMA",
        "9" => "G722",
        "15" => "G728",
        "18" => "G729",
        other => other,
    })
}
