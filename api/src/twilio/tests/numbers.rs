//! Phone numbers: configured and found.

use super::*;

#[tokio::test]
async fn a_number_is_configured_and_cleared() {
    let bench = Bench::new().await;
    let path = format!("/IncomingPhoneNumbers/{}.json", bench.number);
    let form =
        [("VoiceUrl", "https://example.com/v"), ("VoiceMethod", "GET"), ("FriendlyName", "Front desk")];
    let (status, body) = answered(bench.post(&path, &form)).await;
    assert_eq!((status, text(&body, "voice_url")), (200, "https://example.com/v".into()));
    assert_eq!(
        (text(&body, "voice_method"), text(&body, "friendly_name")),
        ("GET".into(), "Front desk".into())
    );
    assert_eq!(body["capabilities"]["voice"], true);
    let (_, body) = answered(bench.post(&path, &[("VoiceUrl", "")])).await;
    assert_eq!((text(&body, "voice_url"), text(&body, "voice_method")), (String::new(), "GET".into()));
    assert_eq!(fault(bench.post(&path, &[("VoiceUrl", "nowhere")])).await, (400, 21402));
    for (name, value) in [
        ("SmsUrl", "https://example.com/sms"),
        ("VoiceApplicationSid", "AP1"),
        ("TrunkSid", "TK1"),
        ("VoiceCallerIdLookup", "true"),
        ("AccountSid", "AC1"),
    ] {
        assert_eq!(fault(bench.post(&path, &[(name, value)])).await, (400, 20001), "{name}");
    }
    let nothing = [("SmsUrl", ""), ("VoiceCallerIdLookup", "false"), ("AccountSid", bench.me())];
    assert_eq!(answered(bench.post(&path, &nothing)).await.0, 200);
    let (_, list) = answered(bench.get("/IncomingPhoneNumbers.json?PhoneNumber=%2B85512345678")).await;
    assert_eq!(list["incoming_phone_numbers"][0]["sid"], bench.number.as_str());
}

#[tokio::test]
async fn numbers_are_found_by_exactly_their_friendly_name() {
    let bench = Bench::new().await;
    let (american, named) = (sid(Kind::PhoneNumber), sid(Kind::PhoneNumber));
    bench.number(&american, "+12125551234", &bench.tenant).await;
    bench.number(&named, "+85512345679", &bench.tenant).await;
    let path = format!("/IncomingPhoneNumbers/{named}.json");
    assert_eq!(answered(bench.post(&path, &[("FriendlyName", "Front desk")])).await.0, 200);
    for (name, found) in [
        ("Front+desk", Some(&named)),
        ("Front", None),
        ("%2B85512345678", Some(&bench.number)),
        ("%2B85512345679", None),
        ("(212)+555-1234", Some(&american)),
    ] {
        let (_, list) = answered(bench.get(&format!("/IncomingPhoneNumbers.json?FriendlyName={name}"))).await;
        let sids = list["incoming_phone_numbers"].as_array().unwrap().iter().map(|row| text(row, "sid"));
        assert_eq!(sids.collect::<Vec<_>>(), found.map(ToString::to_string).into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn every_filter_of_numbers_filters() {
    let bench = Bench::new().await;
    for (query, count) in [("Beta=true", 1), ("Beta=false", 1), ("Origin=hosted", 1), ("Origin=twilio", 0)] {
        let (status, list) = answered(bench.get(&format!("/IncomingPhoneNumbers.json?{query}"))).await;
        let found = list["incoming_phone_numbers"].as_array().map(Vec::len);
        assert_eq!((status, found), (200, Some(count)), "{query}");
    }
    let patterns = [
        ("%2B855123*5678", 1),
        ("855*2345", 1),
        ("%2B*5512345678", 1),
        ("%2B855*12345678", 0),
        ("855123*4", 0),
    ];
    for (pattern, count) in patterns {
        let query = format!("/IncomingPhoneNumbers.json?PhoneNumber={pattern}");
        let (_, list) = answered(bench.get(&query)).await;
        assert_eq!(list["incoming_phone_numbers"].as_array().map(Vec::len), Some(count), "{pattern}");
    }
    for query in ["Beta=maybe", "Origin=here"] {
        assert_eq!(fault(bench.get(&format!("/IncomingPhoneNumbers.json?{query}"))).await, (400, 20001));
    }
    let response = bench.get("/IncomingPhoneNumbers.json?Colour=red").send().await.0;
    assert_eq!(
        response.header("x-trunkline-warning"),
        Some("Colour is not a parameter of this operation; ignored")
    );
}
