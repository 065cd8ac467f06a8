//! Bodies of several parts (RFC 5621), as switches send them with ISUP beside the session description.

use super::message::media_type;
use super::text;
use bytes::Bytes;

/// Most parts looked at.
const MAX_PARTS: usize = 8;

/// The first `application/sdp` part of a multipart body.
pub(crate) fn sdp(content_type: &str, body: &Bytes) -> Option<Bytes> {
    let boundary = text::unquote(&text::parameter_value(content_type, "boundary")?);
    let delimiter = format!("--{boundary}");
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let mut rest = after(body, find(body, delimiter.as_bytes())? + delimiter.len());
    for _ in 0..MAX_PARTS {
        let end = find(&rest, delimiter.as_bytes())?;
        let part = rest.slice(..end);
        if let Some(found) = sdp_of(&part) {
            return Some(found);
        }
        rest = after(&rest, end + delimiter.len());
    }
    None
}

fn sdp_of(part: &Bytes) -> Option<Bytes> {
    // The line end behind the delimiter belongs to it.
    let part = after(part, part.iter().position(|byte| *byte == b'\n')? + 1);
    let end = super::parse::head_end(&part)?;
    let head = String::from_utf8_lossy(part.get(..end)?).into_owned();
    let kind = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| super::headers::same_name(name.trim().as_bytes(), "content-type"));
    (media_type(kind?.1) == "application/sdp").then(|| after(&part, end))
}

fn after(bytes: &Bytes, at: usize) -> Bytes {
    bytes.slice(at.min(bytes.len())..)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_description_is_found_beside_isup() {
        let body = Bytes::from_static(b"--b1\r\nContent-Type: application/ISUP\r\n\r\n\x01\x02\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b1--\r\n");
        let found = sdp("multipart/mixed;boundary=\"b1\"", &body).unwrap();
        assert!(found.starts_with(b"v=0\r\n"));
        assert_eq!(sdp("multipart/mixed", &body), None);
        assert_eq!(sdp("multipart/mixed;boundary=zz", &body), None);
        assert_eq!(sdp("multipart/mixed;boundary=b1", &Bytes::from_static(b"--b1")), None);
    }
}
