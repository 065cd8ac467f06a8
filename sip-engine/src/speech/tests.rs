//! The real programs speak where they are installed; scripted ones fail and dawdle.

use super::*;
use crate::media::{Codec, Prompt, audio::tone::energy, g711::ulaw_to_linear};
use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};
use tempfile::TempDir;

fn request(text: &str) -> SayRequest {
    SayRequest { tenant: "AC1".into(), text: text.into(), voice: None, language: None }
}

fn loudness(prompt: &Prompt) -> f64 {
    let samples: Vec<i16> = prompt.payload(Codec::Pcmu).iter().map(|&byte| ulaw_to_linear(byte)).collect();
    energy(&samples)
}

/// A program that is a shell script.
fn scripted(folder: &TempDir, body: &str) -> PathBuf {
    let file = folder.path().join("espeak-ng");
    fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// Without a program there is nothing to hear. Where every program must be there, as in `bin/test`, that is a failure.
pub(crate) fn nothing_to_hear() {
    let required = std::env::var_os("TEST_ALL_PROGRAMS").is_some();
    assert!(!required, "neither flite nor espeak-ng is installed");
    eprintln!("neither flite nor espeak-ng is installed: nothing to hear");
}

fn speech_by(espeak: PathBuf, timeout: Duration) -> Speech {
    Speech::new(SpeechConfig { espeak: Some(espeak), timeout, ..SpeechConfig::find(OsStr::new("")) })
}

#[tokio::test]
async fn every_installed_program_speaks_audibly() {
    let speech = Speech::detect();
    if speech.programs().is_empty() {
        return nothing_to_hear();
    }
    for (voice, language) in
        [(None, None), (Some("man"), None), (Some("alice"), Some("fr-FR")), (None, Some("cmn-CN"))]
    {
        let asked = SayRequest {
            voice: voice.map(Into::into),
            language: language.map(Into::into),
            ..request("Hello, this is a test of the telephone.")
        };
        let spoken = speech.say(asked).await.unwrap();
        assert!(
            spoken.prompt.duration() > Duration::from_millis(500),
            "{voice:?} {:?}",
            spoken.prompt.duration()
        );
        assert!(loudness(&spoken.prompt) > 300.0, "{voice:?} {language:?} {}", loudness(&spoken.prompt));
        let expected_warning = language.is_some() && speech.programs() == ["flite"];
        assert_eq!(spoken.warning.is_some(), expected_warning, "{:?}", spoken.warning);
    }
}

#[tokio::test]
async fn text_that_looks_like_an_option_is_spoken_as_text() {
    let speech = Speech::detect();
    if speech.programs().is_empty() {
        return;
    }
    for text in
        ["-f /etc/passwd", "--stdout; $(touch /tmp/owned) `id`", "-- help me", "[[h@'loU]] and \u{1} more"]
    {
        for language in ["en-US", "fr-FR"] {
            let spoken =
                speech.say(SayRequest { language: Some(language.into()), ..request(text) }).await.unwrap();
            assert!(spoken.prompt.duration() > Duration::from_millis(300), "{text}");
        }
    }
}

#[tokio::test]
async fn a_language_nobody_speaks_is_read_in_english_with_a_warning() {
    let speech = Speech::detect();
    if !speech.programs().contains(&"espeak-ng") {
        return;
    }
    let spoken =
        speech.say(SayRequest { language: Some("xx-XX".into()), ..request("Hello there") }).await.unwrap();
    assert!(spoken.warning.is_some_and(|warning| warning.contains("xx-xx")));
    assert!(spoken.prompt.duration() > Duration::from_millis(300));
}

#[tokio::test]
async fn the_same_text_is_made_once_per_tenant() {
    let folder = TempDir::new().unwrap();
    let wav = folder.path().join("tone.wav");
    fs::write(&wav, piped_wav(&[9_000; 8_000])).unwrap();
    let speech = speech_by(
        scripted(&folder, &format!("cat >/dev/null; cat {}", wav.display())),
        Duration::from_secs(10),
    );

    let waiting = (0..20).map(|_| speech.say(request("hello")));
    let all = futures_util::future::join_all(waiting).await;
    assert!(all.iter().all(|spoken| spoken.as_ref().is_ok_and(|spoken| spoken.prompt.samples() == 8_000)));
    assert_eq!(speech.runs(), 1, "twenty at once, one run");
    speech.say(request("hello")).await.unwrap();
    assert_eq!(speech.runs(), 1);
    speech.say(SayRequest { tenant: "AC2".into(), ..request("hello") }).await.unwrap();
    assert_eq!(speech.runs(), 2, "another tenant's text is its own");
}

#[tokio::test]
async fn a_failing_program_is_reported_and_tried_again_next_time() {
    let folder = TempDir::new().unwrap();
    let speech = speech_by(scripted(&folder, "cat >/dev/null; exit 3"), Duration::from_secs(10));
    for runs in [2, 4] {
        // Once in the language, once in the English it falls back to.
        let refusal = speech.say(request("hello")).await.unwrap_err();
        assert!(
            matches!(&refusal, SpeechError::Failed { program: "espeak-ng", reason } if reason.contains('3')),
            "{refusal}"
        );
        assert_eq!(speech.runs(), runs);
    }
    let missing = speech_by(folder.path().join("nothing"), Duration::from_secs(10));
    assert!(matches!(missing.say(request("hello")).await, Err(SpeechError::Failed { .. })));
}

#[tokio::test]
async fn a_program_that_dawdles_is_ended() {
    let folder = TempDir::new().unwrap();
    let pid = folder.path().join("pid");
    let body = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600", pid.display());
    let speech = speech_by(scripted(&folder, &body), Duration::from_millis(500));
    let refusal = speech.say(request("hello")).await.unwrap_err();
    assert_eq!(refusal, SpeechError::TimedOut { program: "espeak-ng" });
    let pid = fs::read_to_string(pid).unwrap();
    let status = format!("/proc/{}/status", pid.trim());
    while fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ")) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_endless_program_is_cut_off_at_the_limit() {
    let folder = TempDir::new().unwrap();
    let speech = speech_by(scripted(&folder, "exec cat /dev/zero"), Duration::from_secs(30));
    assert!(speech.say(request("hello")).await.is_err());
}

#[tokio::test]
async fn empty_and_endless_texts_are_refused() {
    let speech = Speech::new(SpeechConfig::find(OsStr::new("")));
    assert_eq!(speech.say(request(" \n\t…!")).await, Err(SpeechError::NothingToSay));
    let long = "a".repeat(MAX_TEXT + 1);
    assert_eq!(speech.say(request(&long)).await, Err(SpeechError::TextTooLong { characters: MAX_TEXT + 1 }));
    assert_eq!(speech.say(request("hello")).await, Err(SpeechError::NoProgram));
}

/// A WAV file as a program writes it to a pipe.
fn piped_wav(samples: &[i16]) -> Vec<u8> {
    let mut file =
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data"
            .to_vec();
    file.extend(u32::MAX.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
