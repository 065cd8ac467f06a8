//! A webhook's password goes to the vault: the log has a name in its place.

use domain::{
    Actor, Clock, Kind, Meta, Sid, Tenant,
    call::{Call, CallCommand, Callback, CallbackEvent, Direction, Document, Program, Queued},
    phone_number::{PhoneNumber, PhoneNumberCommand, VoiceConfiguration},
    webhook_url::{Method, WebhookUrl},
};
use store::{
    ExecuteError, Store, SystemClock,
    testing::{self, sid},
};

const PASSWORD: &str = "correct-horse";

fn url(host: &str) -> WebhookUrl {
    format!("https://bob:{PASSWORD}@{host}/voice?a=b#rt=500").parse().unwrap()
}

fn asked(account: Sid) -> Queued {
    let document = Document {
        url: url("a.test"),
        method: Method::Post,
        fallback_url: Some(url("b.test")),
        fallback_method: Method::Get,
    };
    let events = vec![CallbackEvent::Completed];
    Queued {
        account,
        direction: Direction::OutboundApi,
        parent: None,
        from: "+85512345678".into(),
        to: "+15551230000".into(),
        caller_id: None,
        phone_number: None,
        program: Some(Program::Fetched(document)),
        callback: Some(Callback { url: url("a.test"), method: Method::Post, events }),
        timeout: 60,
        time_limit: 14_400,
        send_digits: None,
    }
}

/// Everything a stream's events say.
async fn told(store: &Store, stream: &Sid) -> String {
    store.stream(stream).await.unwrap().iter().map(|fact| fact.payload.to_string()).collect()
}

fn meta(carrier: &Sid) -> Meta {
    Meta::new(Tenant::carrier(carrier.clone()), Actor::system("test"), SystemClock.now())
}

#[tokio::test]
async fn no_event_has_a_webhooks_password() {
    for store in testing::stores().await {
        let (carrier, account) = (sid(Kind::Carrier), sid(Kind::Account));
        let (number, call, meta) = (sid(Kind::PhoneNumber), sid(Kind::Call), meta(&carrier));
        let create = PhoneNumberCommand::Create {
            carrier: carrier.clone(),
            number: "1234".parse().unwrap(),
            enabled: true,
            account: Some(account.clone()),
        };
        let voice = VoiceConfiguration {
            voice_url: Some(url("a.test")),
            voice_fallback_url: Some(url("b.test")),
            status_callback_url: Some(url("c.test")),
            twiml: Some(format!("<Response><Redirect>{}</Redirect></Response>", url("d.test"))),
            ..VoiceConfiguration::default()
        };
        let configure = PhoneNumberCommand::ConfigureVoice { account: Some(account.clone()), voice };
        let commands = vec![(create, meta.clone()), (configure, meta.clone())];
        store.execute_all::<PhoneNumber>(&number, commands).await.unwrap();
        let queue = CallCommand::Queue(asked(account));
        let once = meta.clone().once("a");
        let first = store.execute::<Call>(&call, queue.clone(), &once).await.unwrap();
        let again = store.execute::<Call>(&sid(Kind::Call), queue, &once).await.unwrap();
        assert_eq!((&again.stream, again.replayed), (&first.stream, true), "{}", store.name);
        let redirect = CallCommand::Redirect(asked(carrier.clone()).program.unwrap());
        store.execute::<Call>(&call, redirect, &meta).await.unwrap();
        let twiml = format!("<Response><Redirect>{}&amp;c</Redirect></Response>", url("a.test"));
        store.execute::<Call>(&call, CallCommand::Redirect(Program::Inline(twiml)), &meta).await.unwrap();
        for stream in [&number, &call] {
            let told = told(&store, stream).await;
            assert!(told.contains("kept-") && !told.contains(PASSWORD), "{}: {told}", store.name);
        }
    }
}

#[tokio::test]
async fn a_kept_password_is_told_at_its_own_address_alone() {
    for store in testing::stores().await {
        let (carrier, number) = (sid(Kind::Carrier), sid(Kind::PhoneNumber));
        let create = PhoneNumberCommand::Create {
            carrier: carrier.clone(),
            number: "1234".parse().unwrap(),
            enabled: true,
            account: None,
        };
        let voice = VoiceConfiguration { voice_url: Some(url("a.test")), ..VoiceConfiguration::default() };
        let configure = PhoneNumberCommand::ConfigureVoice { account: None, voice };
        let commands = vec![(create, meta(&carrier)), (configure, meta(&carrier))];
        store.execute_all::<PhoneNumber>(&number, commands).await.unwrap();
        let kept =
            store.load::<PhoneNumber>(&number).await.unwrap().aggregate.voice().voice_url.clone().unwrap();
        let vault = store.vault();
        assert_eq!(vault.with_password(&carrier, &kept).await.unwrap(), url("a.test"), "{}", store.name);
        let moved: WebhookUrl = kept.as_str().replace("/voice", "/else").parse().unwrap();
        assert_eq!(vault.with_password(&carrier, &moved).await.unwrap().password(), Some(PASSWORD));
        for (other, whose) in [
            (kept.as_str().replace("a.test", "evil.test"), &carrier),
            (kept.as_str().replace("a.test", "a.test:8443"), &carrier),
            (kept.as_str().replace("https", "http"), &carrier),
            (kept.to_string(), &sid(Kind::Carrier)),
        ] {
            let other: WebhookUrl = other.parse().unwrap();
            assert_eq!(vault.with_password(whose, &other).await.unwrap(), other, "{}", store.name);
        }
    }
}

#[tokio::test]
async fn the_addresses_of_inline_twiml_are_asked_with_their_passwords() {
    for store in testing::stores().await {
        let (carrier, call) = (sid(Kind::Carrier), sid(Kind::Call));
        let twiml = format!(
            "<Response><Redirect>https://bob:a&amp;b@a.test/</Redirect><Play>{}</Play></Response>",
            url("b.test")
        );
        let queued = Queued { program: Some(Program::Inline(twiml)), ..asked(sid(Kind::Account)) };
        store.execute::<Call>(&call, CallCommand::Queue(queued), &meta(&carrier)).await.unwrap();
        let told = told(&store, &call).await;
        let places = domain::url_password::addresses(&told).into_iter().take(2);
        let mut found = Vec::new();
        for place in places {
            let kept: WebhookUrl = told[place].trim_end_matches('\\').parse().unwrap();
            found.push(store.vault().with_password(&carrier, &kept).await.unwrap().to_string());
        }
        assert_eq!(
            found,
            ["https://bob:a&b@a.test/".to_owned(), url("b.test").to_string()],
            "{}",
            store.name
        );
    }
}

#[tokio::test]
async fn what_stands_for_a_password_is_refused_where_it_is_none() {
    for store in testing::stores().await {
        let (carrier, call) = (sid(Kind::Carrier), sid(Kind::Call));
        let account = Actor::Account(sid(Kind::Account));
        let meta = Meta { actor: account, ..meta(&carrier) };
        let invented = url("a.test").with_kept_password(&"0".repeat(32));
        let callback = Callback { url: invented, method: Method::Post, events: vec![] };
        let queued = Queued { callback: Some(callback), ..asked(sid(Kind::Account)) };
        let refused = store.execute::<Call>(&call, CallCommand::Queue(queued), &meta).await;
        assert!(matches!(refused, Err(ExecuteError::UnknownPassword(_))), "{}: {refused:?}", store.name);
    }
}
