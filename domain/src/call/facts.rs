//! What is remembered about a call.

use crate::{
    Sid,
    webhook_url::{Method, WebhookUrl},
};
use serde::{Deserialize, Serialize};

/// Which way a call went, in Twilio's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From a trunk to a number.
    Inbound,
    /// Placed by the Calls API.
    OutboundApi,
    /// Placed by `<Dial>`.
    OutboundDial,
}

impl Direction {
    /// `inbound`, `outbound-api` or `outbound-dial`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Inbound => "inbound",
            Direction::OutboundApi => "outbound-api",
            Direction::OutboundDial => "outbound-dial",
        }
    }
}

/// Most characters of a TwiML document that is given or kept rather than asked for.
pub const MAX_TWIML: usize = 4_000;

/// Whether TwiML is longer than that, as it was written: what stands for a password in the vault takes nobody's room.
#[must_use]
pub fn is_too_long(twiml: &str) -> bool {
    crate::url_password::written_length(twiml) > MAX_TWIML
}

/// Where a call's TwiML comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Asked from an application.
    Fetched(Document),
    /// Given with the request or kept with the number, at most [`MAX_TWIML`] characters.
    Inline(String),
}

impl Program {
    /// Where it is fetched from.
    pub(super) fn addresses(&mut self) -> Vec<&mut WebhookUrl> {
        match self {
            Program::Fetched(Document { url, fallback_url, .. }) => {
                [url].into_iter().chain(fallback_url).collect()
            }
            Program::Inline(_) => vec![],
        }
    }
}

/// An application's address, with the one to ask when it fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Asked first.
    pub url: WebhookUrl,
    /// How.
    pub method: Method,
    /// Asked when the first fails, with `ErrorCode` and `ErrorUrl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_url: Option<WebhookUrl>,
    /// How.
    #[serde(default)]
    pub fallback_method: Method,
}

/// A moment a status callback can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackEvent {
    /// The call left the queue.
    Initiated,
    /// It rings.
    Ringing,
    /// It was answered.
    Answered,
    /// It is over, however it ended.
    Completed,
}

impl std::str::FromStr for CallbackEvent {
    type Err = String;
    fn from_str(text: &str) -> Result<CallbackEvent, String> {
        match text {
            "initiated" => Ok(CallbackEvent::Initiated),
            "ringing" => Ok(CallbackEvent::Ringing),
            "answered" => Ok(CallbackEvent::Answered),
            "completed" => Ok(CallbackEvent::Completed),
            other => Err(format!(
                "not a status callback event: {other:?} (initiated, ringing, answered or completed)"
            )),
        }
    }
}

/// Who is told about the call's progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Told.
    pub url: WebhookUrl,
    /// How.
    pub method: Method,
    /// About these.
    pub events: Vec<CallbackEvent>,
}

/// An INVITE that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The node that has the call.
    pub node: String,
    /// The account the dialled number is assigned to, if it is.
    pub account: Option<Sid>,
    /// The trunk its source address belongs to.
    pub trunk: Sid,
    /// The dialled number in the inventory, if it is there.
    pub phone_number: Option<Sid>,
    /// Who calls: E.164 with plus, a short code, or what the network said (for example `anonymous`).
    pub from: String,
    /// Who is called: E.164 with plus or a short code; as dialled when it is no number of ours.
    pub to: String,
    /// The user part of the Request-URI, as it came.
    pub dialled: String,
    /// The SIP Call-ID.
    pub sip_call_id: String,
    /// The address and port it came from.
    pub source: String,
    /// What answers it, if anything is configured.
    pub program: Option<Program>,
    /// Who is told about its progress.
    pub callback: Option<Callback>,
}

/// A call that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The account that asked.
    pub account: Sid,
    /// By the API or by `<Dial>`.
    pub direction: Direction,
    /// The call whose `<Dial>` it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Sid>,
    /// Who calls: E.164 with plus, or a short code.
    pub from: String,
    /// Whom the callee is shown instead, likewise (the Calls API's `CallerId`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// Who to call: E.164 with plus, a short code, or a phone's own [`SipAddress`](crate::sip_address::SipAddress).
    pub to: String,
    /// The caller's number in the inventory, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<Sid>,
    /// What it does when answered; a dialled leg is bridged to its parent instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// Who is told about its progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    /// How long it may ring, in seconds (1-600).
    pub timeout: u32,
    /// How long it may last once answered, in seconds (1-86,400).
    pub time_limit: u32,
    /// Keys to press once answered; `w` waits half a second, `W` one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_digits: Option<String>,
}

/// What a webhook was requested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The first document of a call, or one it was redirected to.
    Document,
    /// A verb's `action`.
    Action,
    /// The fallback for one that failed.
    Fallback,
    /// A status callback.
    StatusCallback,
}

/// A webhook's request and response, as the inspector shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookExchange {
    /// What for.
    pub purpose: Purpose,
    /// `GET` or `POST`.
    pub method: Method,
    /// The URL as requested, without user and password.
    pub url: String,
    /// The parameters we sent.
    pub parameters: Vec<(String, String)>,
    /// The HTTP status, when there was a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// From the first byte sent to the last received, in milliseconds.
    pub duration_ms: u64,
    /// The response's headers, at most 64 of at most 1 KB.
    #[serde(default)]
    pub response_headers: Vec<(String, String)>,
    /// The response's body, at most its first 16 KB, as text.
    #[serde(default)]
    pub body: String,
    /// Whether the body was longer.
    #[serde(default)]
    pub truncated: bool,
    /// What went wrong, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExchangeError>,
}

/// Why a webhook failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeError {
    /// Twilio's error code, for example 11200.
    pub code: u32,
    /// What happened.
    pub message: String,
}

/// What a call's media was like, seen from our end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaSummary {
    /// `PCMU` or `PCMA`; empty when no media was agreed on.
    pub codec: String,
    /// RTP packets from the far end.
    pub packets_received: u64,
    /// RTP packets to the far end.
    pub packets_sent: u64,
    /// RTP packets that never came.
    pub packets_lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), in milliseconds.
    pub jitter_ms: f64,
    /// Round trip by RTCP, in milliseconds, when the far end reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// Mean opinion score by the E-model (ITU-T G.107), 1.0 to 4.5, when anything was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos: Option<f64>,
    /// Packets of strangers that were dropped.
    pub foreign_dropped: u64,
}
