//! Where a number's calls are answered from, as the API writes it.

use super::text::Text;
use crate::fields::Fields;
use domain::{
    call::{MAX_TWIML, is_too_long},
    phone_number::VoiceConfiguration,
    webhook_url::{Method, WebhookUrl},
};
use poem_openapi::{Enum, Object, types::MaybeUndefined};

/// How a webhook is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "UPPERCASE")]
enum WebhookMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body.
    Post,
}

/// Where calls are answered from.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Voice {
    /// Asked for TwiML when a call comes in; without it calls are refused. In this and the other addresses `kept-…` stands
    /// for a password, which is not shown again; sent back at the same host and user it stays.
    voice_url: Option<String>,
    /// How it is asked.
    voice_method: WebhookMethod,
    /// Asked when the first fails.
    voice_fallback_url: Option<String>,
    /// How it is asked.
    voice_fallback_method: WebhookMethod,
    /// Told when a call has ended.
    status_callback_url: Option<String>,
    /// How it is told.
    status_callback_method: WebhookMethod,
    /// A TwiML document kept here that answers instead of `voice_url`, so that no server is needed. Passwords in its addresses
    /// are shown as `kept-…`.
    twiml: Option<String>,
}

/// What to change; absent fields stay, `null` clears.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(super) struct VoiceUpdate {
    /// Asked for TwiML when a call comes in.
    #[oai(nullable)]
    voice_url: MaybeUndefined<Text>,
    /// How it is asked.
    voice_method: Option<WebhookMethod>,
    /// Asked when the first fails.
    #[oai(nullable)]
    voice_fallback_url: MaybeUndefined<Text>,
    /// How it is asked.
    voice_fallback_method: Option<WebhookMethod>,
    /// Told when a call has ended.
    #[oai(nullable)]
    status_callback_url: MaybeUndefined<Text>,
    /// How it is told.
    status_callback_method: Option<WebhookMethod>,
    /// A TwiML document to keep, at most 4,000 characters; it answers instead of `voice_url`.
    #[oai(nullable)]
    twiml: MaybeUndefined<Text>,
}

impl VoiceUpdate {
    /// `old` with these changes, unless something is wrong with them.
    pub(super) fn merged(&self, old: VoiceConfiguration, fields: &mut Fields) -> Option<VoiceConfiguration> {
        let voice_url = url("voice.voice_url", &self.voice_url, old.voice_url, fields);
        let fallback = &self.voice_fallback_url;
        let fallback = url("voice.voice_fallback_url", fallback, old.voice_fallback_url, fields);
        let callback = &self.status_callback_url;
        let callback = url("voice.status_callback_url", callback, old.status_callback_url, fields);
        let twiml = kept(&self.twiml, old.twiml, fields);
        Some(VoiceConfiguration {
            voice_url: voice_url?,
            voice_method: method(self.voice_method, old.voice_method),
            voice_fallback_url: fallback?,
            voice_fallback_method: method(self.voice_fallback_method, old.voice_fallback_method),
            status_callback_url: callback?,
            status_callback_method: method(self.status_callback_method, old.status_callback_method),
            twiml: twiml?,
        })
    }
}

/// The new document, once it can be read; an empty one clears as `null` does.
fn kept(new: &MaybeUndefined<Text>, old: Option<String>, fields: &mut Fields) -> Option<Option<String>> {
    let text = match new {
        MaybeUndefined::Undefined => return Some(old),
        MaybeUndefined::Null => return Some(None),
        MaybeUndefined::Value(text) if text.trim().is_empty() => return Some(None),
        MaybeUndefined::Value(text) => text.trim(),
    };
    if is_too_long(text) {
        fields.wrong("voice.twiml", format!("a TwiML document kept here has at most {MAX_TWIML} characters"));
        return None;
    }
    match twiml::Document::parse(text, None) {
        Ok(_) => Some(Some(text.to_owned())),
        Err(error) => {
            fields.wrong("voice.twiml", error);
            None
        }
    }
}

/// The new URL; an empty one clears as `null` does.
fn url(
    field: &str,
    new: &MaybeUndefined<Text>,
    old: Option<WebhookUrl>,
    fields: &mut Fields,
) -> Option<Option<WebhookUrl>> {
    match new {
        MaybeUndefined::Undefined => Some(old),
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(text) if text.is_empty() => Some(None),
        MaybeUndefined::Value(text) => fields.read(field, text).map(Some),
    }
}

fn method(new: Option<WebhookMethod>, old: Method) -> Method {
    match new {
        Some(WebhookMethod::Get) => Method::Get,
        Some(WebhookMethod::Post) => Method::Post,
        None => old,
    }
}

impl From<Method> for WebhookMethod {
    fn from(method: Method) -> WebhookMethod {
        match method {
            Method::Get => WebhookMethod::Get,
            Method::Post => WebhookMethod::Post,
        }
    }
}

impl From<VoiceConfiguration> for Voice {
    fn from(voice: VoiceConfiguration) -> Voice {
        let text = |url: Option<WebhookUrl>| url.map(String::from);
        Voice {
            voice_url: text(voice.voice_url),
            voice_method: voice.voice_method.into(),
            voice_fallback_url: text(voice.voice_fallback_url),
            voice_fallback_method: voice.voice_fallback_method.into(),
            status_callback_url: text(voice.status_callback_url),
            status_callback_method: voice.status_callback_method.into(),
            twiml: voice.twiml,
        }
    }
}
