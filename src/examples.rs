//! The demo's application: a TwiML program in the smallest form a customer would write it.
//!
//! It plays a chime, greets, gathers one digit and says it back; 0 dials on. It is what the demo's numbers answer
//! with, so that a first call needs nothing else.

use poem::{Endpoint, IntoResponse, Request, Response, Route, handler, web::Form};
use serde::Deserialize;

/// Where a caller who presses 0 is connected to.
const ELSEWHERE: &str = "+85598765432";

/// Pitch and length of the chime: A4 for one second.
const CHIME: (f64, u32) = (440.0, 8_000);

/// The routes.
pub fn routes() -> impl Endpoint<Output = Response> {
    use poem::EndpointExt;
    Route::new()
        .at("/voice", poem::get(voice).post(voice))
        .at("/digit", poem::post(digit))
        .at("/chime.wav", poem::get(chime))
        .map_to_response()
}

#[handler]
fn voice() -> Response {
    twiml(
        r#"<Play>chime.wav</Play>
  <Gather numDigits="1" timeout="8" action="digit">
    <Say>Welcome to Trunkline. Press any digit, and I will say it back. Press zero to be connected.</Say>
  </Gather>
  <Say>I heard no digit. Goodbye.</Say>"#,
    )
}

#[derive(Deserialize)]
struct Gathered {
    #[serde(rename = "Digits", default)]
    digits: String,
}

#[handler]
fn digit(Form(gathered): Form<Gathered>) -> Response {
    match gathered.digits.as_str() {
        "0" => twiml(&format!(
            "<Say>Connecting you.</Say>\n  <Dial timeout=\"20\">{ELSEWHERE}</Dial>\n  <Say>Nobody answered. Goodbye.</Say>"
        )),
        "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "*" => twiml(&format!(
            "<Say>You pressed {}. Goodbye.</Say>\n  <Play>chime.wav</Play>",
            gathered.digits.replace('*', "star")
        )),
        _ => twiml("<Redirect>voice</Redirect>"),
    }
}

#[handler]
fn chime(_: &Request) -> Response {
    Response::builder()
        .content_type("audio/wav")
        .header("cache-control", "public, max-age=3600")
        .header("etag", "\"chime-1\"")
        .body(wav(CHIME))
}

fn twiml(verbs: &str) -> Response {
    let document =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\n  {verbs}\n</Response>\n");
    document.with_content_type("text/xml").into_response()
}

/// A tone as a WAV file: 8 kHz, 16-bit, mono, faded in and out over 10 ms so that it does not click.
fn wav((pitch, samples): (f64, u32)) -> Vec<u8> {
    let mut file = Vec::with_capacity(44 + 2 * samples as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + 2 * samples).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&8_000u32.to_le_bytes());
    file.extend_from_slice(&16_000u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&(2 * samples).to_le_bytes());
    for n in 0..samples {
        let fade = f64::from(n.min(samples - 1 - n)).min(80.0) / 80.0;
        let level = 12_000.0 * fade * (std::f64::consts::TAU * pitch * f64::from(n) / 8_000.0).sin();
        #[expect(clippy::cast_possible_truncation, reason = "the level is within 16 bits")]
        file.extend_from_slice(&(level as i16).to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chime_is_a_wav_file_of_one_second() {
        let file = wav(CHIME);
        assert_eq!((&file[..4], &file[8..16], file.len()), (&b"RIFF"[..], &b"WAVEfmt "[..], 44 + 16_000));
    }

    #[tokio::test]
    async fn a_digit_is_said_back() {
        let client = poem::test::TestClient::new(routes());
        let response = client.post("/digit").form(&[("Digits", "5")]).send().await;
        response.assert_status_is_ok();
        assert!(response.0.into_body().into_string().await.unwrap().contains("You pressed 5"));
    }
}
