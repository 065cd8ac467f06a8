//! From Twilio's voice and language to a program and its voice. Pure.

use super::{SayRequest, SpeechConfig, SpeechError};

/// A program we know how to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Engine {
    Flite,
    Espeak,
}

impl Engine {
    pub(super) fn name(self) -> &'static str {
        match self {
            Engine::Flite => "flite",
            Engine::Espeak => "espeak-ng",
        }
    }
}

/// Who speaks, and what to tell the customer about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) engine: Engine,
    /// A name the program knows; letters, digits, `-` and `+` only, and never an option.
    pub(super) voice: String,
    pub(super) warning: Option<String>,
}

const DEFAULT_LANGUAGE: &str = "en-us";
/// espeak-ng's variants of a language's voice.
const WOMAN: &str = "+f2";
const MAN: &str = "+m3";

/// Chooses for a request. Voices of vendors we don't have become the language's default, with a warning.
pub(super) fn choose(config: &SpeechConfig, request: &SayRequest) -> Result<Choice, SpeechError> {
    let wanted = request.voice.as_deref().unwrap_or("woman");
    let (is_man, mut warning) = match wanted {
        "man" => (true, None),
        "woman" | "alice" | "default" | "" => (false, None),
        other => (false, Some(format!("voice {other:?} is not available; the language's default speaks"))),
    };
    let language = match language_of(request, wanted) {
        Ok(language) => language,
        Err(unknown) => {
            warning.get_or_insert(format!("language {unknown:?} is not known; English is spoken"));
            DEFAULT_LANGUAGE.into()
        }
    };
    let english = language == "en" || language.starts_with("en-");
    let (engine, voice) = match (&config.flite, &config.espeak) {
        (Some(_), _) if english => (Engine::Flite, flite_voice(is_man).to_owned()),
        (_, Some(_)) => (Engine::Espeak, format!("{language}{}", if is_man { MAN } else { WOMAN })),
        (Some(_), None) => {
            warning.get_or_insert(format!(
                "{language} needs espeak-ng, which is not installed; an English voice reads it"
            ));
            (Engine::Flite, flite_voice(is_man).to_owned())
        }
        (None, None) => return Err(SpeechError::NoProgram),
    };
    Ok(Choice { engine, voice, warning })
}

fn flite_voice(is_man: bool) -> &'static str {
    if is_man { "rms" } else { "slt" }
}

/// The language asked for, else the one in a vendor's voice name (`Google.fr-FR-Wavenet-A`), else English.
/// It goes to a program's command line, so anything but a language tag is refused.
fn language_of(request: &SayRequest, voice: &str) -> Result<String, String> {
    let given = request.language.as_deref().filter(|language| !language.is_empty());
    let named = || voice.strip_prefix("Google.").and_then(|name| name.get(..5)).filter(|tag| is_tag(tag));
    let Some(tag) = given.or_else(named) else { return Ok(DEFAULT_LANGUAGE.into()) };
    if !is_tag(tag) {
        return Err(tag.chars().take(20).collect());
    }
    Ok(espeak_language(&tag.to_ascii_lowercase()))
}

/// `en`, `pt-BR`, `es-419`: two or three letters, and at most one region.
fn is_tag(text: &str) -> bool {
    let (language, region) = text.split_once('-').unwrap_or((text, "001"));
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (2..=4).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Where Twilio's tag and espeak-ng's name differ; unknown regions fall back to the language by themselves.
fn espeak_language(tag: &str) -> String {
    match tag {
        "zh-hk" | "zh-mo" => "yue",
        "arb" => "ar",
        "no-no" => "nb",
        "fil-ph" | "tl" => "en-us",
        tag if tag == "zh" || tag.starts_with("zh-") || tag.starts_with("cmn-") => "cmn",
        tag => tag,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, time::Duration};

    fn config(flite: bool, espeak: bool) -> SpeechConfig {
        SpeechConfig {
            flite: flite.then(|| "flite".into()),
            espeak: espeak.then(|| "espeak-ng".into()),
            timeout: Duration::from_secs(1),
            ..SpeechConfig::find(OsStr::new(""))
        }
    }

    fn chosen(config: &SpeechConfig, voice: Option<&str>, language: Option<&str>) -> (Engine, String, bool) {
        let request = SayRequest {
            tenant: "AC1".into(),
            text: "hello".into(),
            voice: voice.map(Into::into),
            language: language.map(Into::into),
        };
        let choice = choose(config, &request).unwrap();
        (choice.engine, choice.voice, choice.warning.is_some())
    }

    #[test]
    fn english_is_flites_and_everything_else_espeaks() {
        let both = config(true, true);
        let espeak = |voice: &str, warned| (Engine::Espeak, voice.to_owned(), warned);
        let flite = |voice: &str, warned| (Engine::Flite, voice.to_owned(), warned);
        for (voice, language, expected) in [
            (None, None, flite("slt", false)),
            (Some("woman"), Some("en-GB"), flite("slt", false)),
            (Some("man"), None, flite("rms", false)),
            (Some("alice"), Some("fr-FR"), espeak("fr-fr+f2", false)),
            (Some("man"), Some("de-DE"), espeak("de-de+m3", false)),
            (None, Some("zh-HK"), espeak("yue+f2", false)),
            (None, Some("cmn-CN"), espeak("cmn+f2", false)),
            (Some("Polly.Joanna-Neural"), None, flite("slt", true)),
            (Some("Polly.Celine"), Some("fr-FR"), espeak("fr-fr+f2", true)),
            (Some("Google.pt-BR-Wavenet-A"), None, espeak("pt-br+f2", true)),
            (Some("nobody"), Some("en"), flite("slt", true)),
        ] {
            assert_eq!(chosen(&both, voice, language), expected, "{voice:?} {language:?}");
        }
    }

    #[test]
    fn one_program_speaks_for_both() {
        assert_eq!(chosen(&config(false, true), None, None), (Engine::Espeak, "en-us+f2".into(), false));
        assert_eq!(chosen(&config(true, false), None, Some("fr-FR")), (Engine::Flite, "slt".into(), true));
    }

    #[test]
    fn without_a_program_nothing_is_said() {
        let request = SayRequest { tenant: String::new(), text: "a".into(), voice: None, language: None };
        assert_eq!(choose(&config(false, false), &request), Err(SpeechError::NoProgram));
    }

    #[test]
    fn a_language_is_never_an_option_or_a_path() {
        let both = config(true, true);
        for evil in [
            "-f/etc/passwd",
            "--path=/tmp",
            "../../voices/x",
            "en;id",
            "e",
            "fr+f2",
            "fr-",
            "-x",
            "fr-FR-x-y",
        ] {
            assert_eq!(chosen(&both, None, Some(evil)), (Engine::Flite, "slt".into(), true), "{evil}");
        }
    }
}
