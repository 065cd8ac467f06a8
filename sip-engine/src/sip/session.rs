//! Session timers (RFC 4028): what two sides agree on, and when the session must be refreshed or is over. A call whose
//! other end vanished ends by itself.

use super::message::Message;
use super::text::parameter_value;
use super::values::has_option;
use std::time::{Duration, Instant};

/// The shortest interval we take, seconds; the least there may be (RFC 4028 section 5).
pub(crate) const MIN_SE: u32 = 90;
/// The interval we offer, seconds (RFC 4028 section 4 recommends it).
pub(crate) const OFFERED: u32 = 1_800;
/// The shortest interval that is kept where a peer answers with less than it may, seconds: nobody makes us refresh without
/// end.
const SHORTEST: u32 = 6;
/// How long before its end a session that was not refreshed is given up, at most (RFC 4028 section 10).
const BEFORE_THE_END: Duration = Duration::from_secs(32);
/// Pause after a refresh that came to nothing.
const AGAIN: Duration = Duration::from_secs(10);

/// Who refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresher {
    Us,
    Peer,
}

/// What is to be done about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Refresh,
    End,
}

/// The timer of one dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    /// Seconds.
    pub interval: u32,
    pub refresher: Refresher,
    refresh_at: Option<Instant>,
    ends_at: Instant,
}

impl SessionTimer {
    /// A session that was agreed on or refreshed now.
    pub fn begin(now: Instant, interval: u32, refresher: Refresher) -> SessionTimer {
        let whole = Duration::from_secs(interval.into());
        SessionTimer {
            interval,
            refresher,
            refresh_at: (refresher == Refresher::Us).then(|| now + whole / 2),
            ends_at: now + whole - BEFORE_THE_END.min(whole / 3),
        }
    }

    /// When [`SessionTimer::take_due`] has something to say.
    pub fn due(&self) -> Instant {
        self.refresh_at.unwrap_or(self.ends_at).min(self.ends_at)
    }

    /// What is due. A refresh is asked for once, until it is put off.
    pub fn take_due(&mut self, now: Instant) -> Option<Due> {
        if self.ends_at <= now {
            return Some(Due::End);
        }
        self.refresh_at.take_if(|at| *at <= now).map(|_| Due::Refresh)
    }

    /// The refresh came to nothing: it is tried again soon.
    pub fn put_off(&mut self, now: Instant) {
        if self.refresher == Refresher::Us {
            self.refresh_at = Some(now + AGAIN);
        }
    }

    /// Session-Expires of a request of ours.
    pub fn header(&self) -> String {
        let refresher = if self.refresher == Refresher::Us { "uac" } else { "uas" };
        format!("{};refresher={refresher}", self.interval)
    }
}

/// What a request says of session timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    supported: bool,
    interval: Option<u32>,
    /// Whom the request wants to refresh.
    refresher: Option<Refresher>,
    least: u32,
}

impl Asked {
    /// What a request or a response of the peer says. What cannot be read was not said.
    fn of(message: &Message) -> Asked {
        let expires = message.headers.text("session-expires").unwrap_or_default();
        let number = |text: &str| text.split(';').next()?.trim().parse::<u32>().ok().filter(|n| *n > 0);
        let is_request = message.method().is_some();
        let refresher = parameter_value(&expires, "refresher").map(|who| who.to_ascii_lowercase());
        let (uac, uas) =
            if is_request { (Refresher::Peer, Refresher::Us) } else { (Refresher::Us, Refresher::Peer) };
        Asked {
            supported: ["supported", "require"].iter().any(|name| has_option(message, name, "timer")),
            interval: number(&expires),
            refresher: match refresher.as_deref() {
                Some("uac") => Some(uac),
                Some("uas") => Some(uas),
                _ => None,
            },
            least: least(message).unwrap_or(MIN_SE),
        }
    }
}

/// Min-SE of a message, seconds.
pub(crate) fn least(message: &Message) -> Option<u32> {
    let text = message.headers.text("min-se")?;
    text.split(';').next()?.trim().parse().ok()
}

/// Session-Expires of a message, seconds; 0 without one.
pub(crate) fn interval(message: &Message) -> u32 {
    Asked::of(message).interval.unwrap_or_default()
}

/// Whether a request wants a session shorter than we take: 422 (RFC 4028 section 9).
pub(crate) fn is_too_short(request: &Message) -> bool {
    let asked = Asked::of(request);
    asked.supported && asked.interval.is_some_and(|interval| interval < MIN_SE)
}

/// What our 2xx to a request agrees on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Seconds.
    pub interval: u32,
    pub refresher: Refresher,
    /// The peer knows session timers, and is told that there is one.
    pub told: bool,
}

impl Agreed {
    /// The table of RFC 4028 section 9: who refreshes is the peer's choice, then the caller's duty. A peer that knows timers
    /// and asks for none gets one that we refresh: it ends by itself should we be gone.
    pub fn with(request: &Message) -> Option<Agreed> {
        let asked = Asked::of(request);
        match (asked.interval, asked.supported) {
            (Some(interval), true) => {
                let refresher = asked.refresher.unwrap_or(Refresher::Peer);
                Some(Agreed { interval, refresher, told: true })
            }
            // A proxy on the way wants it; the peer does not know. We are the only one who can.
            (Some(interval), false) if interval >= MIN_SE => {
                Some(Agreed { interval, refresher: Refresher::Us, told: false })
            }
            (None, true) => {
                let interval = OFFERED.max(asked.least);
                Some(Agreed { interval, refresher: Refresher::Us, told: true })
            }
            _ => None,
        }
    }

    /// Session-Expires of our 2xx.
    pub fn header(&self) -> String {
        let refresher = if self.refresher == Refresher::Us { "uas" } else { "uac" };
        format!("{};refresher={refresher}", self.interval)
    }
}

/// The timer that a 2xx to a request of ours begins, if any (RFC 4028 section 7.2). Who is to refresh is said there; where
/// it is not, we do.
pub(crate) fn of_answer(now: Instant, response: &Message) -> Option<SessionTimer> {
    let asked = Asked::of(response);
    let refresher = asked.refresher.unwrap_or(Refresher::Us);
    asked.interval.map(|interval| SessionTimer::begin(now, interval.max(SHORTEST), refresher))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(headers: &[(&'static str, &'static str)]) -> Message {
        let mut message = Message::request("INVITE", "sip:a@h");
        headers.iter().for_each(|(name, value)| message.headers.push(*name, *value));
        message
    }

    #[test]
    fn who_refreshes_is_as_rfc_4028_section_9_has_it() {
        const TIMER: (&str, &str) = ("Supported", "100rel, timer");
        for (headers, wanted) in [
            (vec![TIMER, ("Session-Expires", "600;refresher=uas")], Some("600;refresher=uas")),
            (vec![TIMER, ("x", "600 ; refresher=UAC")], Some("600;refresher=uac")),
            (vec![TIMER, ("Session-Expires", "600")], Some("600;refresher=uac")),
            (vec![("Require", "timer"), ("Session-Expires", "600")], Some("600;refresher=uac")),
            (vec![("Session-Expires", "600")], Some("600;refresher=uas")),
            (vec![("k", "timer")], Some("1800;refresher=uas")),
            (vec![TIMER, ("Min-SE", "3600")], Some("3600;refresher=uas")),
            (vec![TIMER, ("Session-Expires", "soon")], Some("1800;refresher=uas")),
            (vec![("Supported", "100rel")], None),
            (vec![("Session-Expires", "30")], None),
            (vec![], None),
        ] {
            let agreed = Agreed::with(&invite(&headers)).map(|agreed| agreed.header());
            assert_eq!(agreed.as_deref(), wanted, "{headers:?}");
        }
    }

    #[test]
    fn a_session_under_90_seconds_is_too_short_for_who_can_be_told() {
        let short = |name| is_too_short(&invite(&[("Supported", name), ("Session-Expires", "89")]));
        assert!(short("timer") && !short("100rel"));
        assert!(!is_too_short(&invite(&[("Supported", "timer"), ("Session-Expires", "90")])));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the start of a clock that the test then moves by hand")]
    fn the_refresher_refreshes_at_half_time_and_anybody_ends_it_32_seconds_before_the_end() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut ours = SessionTimer::begin(began, 1_800, Refresher::Us);
        assert_eq!((ours.due(), ours.take_due(at(899))), (at(900), None));
        assert_eq!(ours.take_due(at(900)), Some(Due::Refresh));
        assert_eq!((ours.due(), ours.take_due(at(901))), (at(1_768), None));
        ours.put_off(at(932));
        assert_eq!((ours.due(), ours.take_due(at(942))), (at(942), Some(Due::Refresh)));
        assert_eq!(ours.take_due(at(1_768)), Some(Due::End));
        let mut theirs = SessionTimer::begin(began, 90, Refresher::Peer);
        assert_eq!((theirs.due(), theirs.take_due(at(59))), (at(60), None), "a third of a short one");
        theirs.put_off(at(59));
        assert_eq!(theirs.take_due(at(60)), Some(Due::End));
    }
}
