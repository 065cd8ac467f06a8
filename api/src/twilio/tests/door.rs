//! Who gets in, and what everybody else is told.

use super::*;

#[tokio::test]
async fn an_account_sees_itself() {
    let bench = Bench::new().await;
    let (status, body) = answered(bench.get(".json")).await;
    assert_eq!(
        (status, text(&body, "sid"), text(&body, "auth_token")),
        (200, bench.me().into(), TOKEN.into())
    );
    assert_eq!((text(&body, "status"), text(&body, "type")), ("active".into(), "Full".into()));
    let (_, list) = answered(bench.signed(bench.client.get("/2010-04-01/Accounts.json"))).await;
    assert_eq!(list["accounts"], Value::Array(vec![body]));
    let nobody = bench.signed(bench.client.get("/2010-04-01/Accounts.json?FriendlyName=Other"));
    assert_eq!(answered(nobody).await.1["accounts"], Value::Array(vec![]));
}

#[tokio::test]
async fn nobody_reaches_what_is_anothers() {
    let bench = Bench::new().await;
    let sid = bench.call().await;
    let other = Tenant::account(bench.tenant.carrier.clone(), store::testing::sid(Kind::Account));
    bench.account(&other).await;
    let them = other.account.clone().unwrap();
    let ours = [
        (format!("/Calls/{sid}.json"), "GET"),
        (format!("/Calls/{sid}.json"), "POST"),
        (format!("/Calls/{sid}.json"), "DELETE"),
        (format!("/IncomingPhoneNumbers/{}.json", bench.number), "GET"),
        (format!("/IncomingPhoneNumbers/{}.json", bench.number), "POST"),
        (".json".to_owned(), "GET"),
        ("/Calls.json".to_owned(), "GET"),
        ("/Calls.json".to_owned(), "POST"),
        ("/IncomingPhoneNumbers.json".to_owned(), "GET"),
    ];
    for (path, method) in ours {
        let under_own_name = format!("/2010-04-01/Accounts/{them}{path}");
        let single = path.matches('/').count() > 1;
        for uri in [bench.path(&path)].into_iter().chain(single.then_some(under_own_name)) {
            let request = bench.client.request(method.parse().unwrap(), uri.clone());
            let request = request.header("authorization", basic(them.as_str(), TOKEN)).form(&CALL);
            assert_eq!(fault(request).await, (404, 20404), "{method} {uri}");
        }
    }
    let theirs = bench.client.get(format!("/2010-04-01/Accounts/{them}/Calls.json"));
    let (_, list) = answered(theirs.header("authorization", basic(them.as_str(), TOKEN))).await;
    assert_eq!(list["calls"], Value::Array(vec![]));
    assert_eq!(bench.events(&sid).await.len(), 1);
}

#[tokio::test]
async fn wrong_credentials_are_all_the_same() {
    let bench = Bench::new().await;
    let unknown = store::testing::sid(Kind::Account);
    let wrong = "ffffffffffffffffffffffffffffffff";
    let headers = [
        basic(bench.me(), wrong),
        basic(bench.me(), ""),
        basic(unknown.as_str(), TOKEN),
        basic("nobody", TOKEN),
        "Basic ???".to_owned(),
        format!("Bearer {TOKEN}"),
    ];
    for header in headers {
        let request = bench.client.get(bench.path("/Calls.json")).header("authorization", &header);
        assert_eq!(fault(request).await, (401, 20003), "{header}");
    }
    assert_eq!(fault(bench.client.get(bench.path("/Calls.json"))).await, (401, 20003));
}

#[tokio::test]
async fn a_disabled_account_is_turned_away() {
    let bench = Bench::new().await;
    let account = bench.tenant.account.clone().unwrap();
    let meta = meta(&bench.tenant);
    bench.store.execute::<Account>(&account, AccountCommand::Disable, &meta).await.unwrap();
    bench.settle().await;
    assert_eq!(fault(bench.post("/Calls.json", &CALL)).await, (401, 20005));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let bench = Bench::new().await;
    let mut tries = 0;
    loop {
        let request =
            bench.client.get(bench.path(".json")).header("authorization", basic(bench.me(), "guess"));
        match fault(request).await {
            (429, 20429) => break,
            refused => assert_eq!(refused, (401, 20003)),
        }
        tries += 1;
        assert!(tries < 100, "guesses are counted");
    }
    assert!(tries >= 20);
    // Far more guesses than an account has requests: none of them is the account's.
    let guesses = (0..400).map(|_| {
        let request = bench.client.get(bench.path(".json"));
        request.header("authorization", basic(bench.me(), "guess")).send()
    });
    futures_util::future::join_all(guesses).await;
    assert_eq!(answered(bench.get(".json")).await.0, 200, "the account itself is not locked out");
}

#[tokio::test]
async fn unknown_paths_and_methods_have_twilios_bodies() {
    let bench = Bench::new().await;
    assert_eq!(fault(bench.get("/Faxes.json")).await, (404, 20404));
    assert_eq!(fault(bench.get("/Calls/CA1.json")).await, (404, 20404));
    assert_eq!(fault(bench.signed(bench.client.get("/2010-04-01/"))).await, (404, 20404));
    assert_eq!(fault(bench.delete("/Calls.json")).await, (405, 20004));
    assert_eq!(fault(bench.signed(bench.client.put(bench.path(".json")))).await, (405, 20004));
}

#[tokio::test]
async fn head_is_answered_wherever_get_is_and_as_get_is() {
    let bench = Bench::new().await;
    let call = bench.call().await;
    let paths = [
        ".json".to_owned(),
        "/Calls.json?PageSize=1&Nonsense=1".to_owned(),
        format!("/Calls/{call}.json"),
        "/IncomingPhoneNumbers.json".to_owned(),
        format!("/IncomingPhoneNumbers/{}.json", bench.number),
        "/Recordings.json".to_owned(),
        "/Faxes.json".to_owned(),
    ];
    for path in paths {
        let get = bench.get(&path).send().await.0;
        let head = bench.signed(bench.client.head(bench.path(&path))).send().await.0;
        assert_eq!((head.status(), head.headers()), (get.status(), get.headers()), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_exist_yet_is_an_empty_list_of_its_shape() {
    let bench = Bench::new().await;
    let call = bench.call().await;
    let lists = [
        ("/SMS/ShortCodes", "short_codes"),
        ("/Recordings", "recordings"),
        ("/Notifications", "notifications"),
        ("/OutgoingCallerIds", "outgoing_caller_ids"),
        ("/Conferences", "conferences"),
        ("/Queues", "queues"),
        ("/Applications", "applications"),
        ("/Messages", "messages"),
        ("/AvailablePhoneNumbers", "countries"),
        ("/AvailablePhoneNumbers/KH/Mobile", "available_phone_numbers"),
        (&format!("/Calls/{call}/Recordings"), "recordings"),
        (&format!("/Calls/{call}/Notifications"), "notifications"),
        (&format!("/Calls/{call}/Events"), "events"),
    ];
    let of_every_page =
        ["first_page_uri", "next_page_uri", "previous_page_uri", "uri", "page", "page_size", "start", "end"];
    for (path, key) in lists {
        let (status, body) = answered(bench.get(&format!("{path}.json?PageSize=20"))).await;
        assert_eq!((status, &body[key]), (200, &Value::Array(vec![])), "{path}");
        let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        names.retain(|name| !of_every_page.contains(name));
        assert_eq!(names, [key], "{path}: the SDKs want one list");
        assert_eq!((&body["next_page_uri"], &body["page_size"]), (&Value::Null, &20.into()), "{path}");
        assert_eq!(fault(bench.post(&format!("{path}.json"), &[])).await, (405, 20004), "{path}");
    }
    let nobodys = format!("/Calls/{}/Recordings.json", store::testing::sid(Kind::Call));
    assert_eq!(fault(bench.get(&nobodys)).await, (404, 20404));
    assert_eq!(fault(bench.get("/Recordings/RE1.json")).await, (404, 20404));
}

#[tokio::test]
async fn every_resource_names_what_is_below_it() {
    let bench = Bench::new().await;
    let call = bench.call().await;
    let below = |body: Value| body["subresource_uris"].as_object().unwrap().clone();
    let account = below(answered(bench.get(".json")).await.1);
    assert_eq!(account.len(), 20);
    assert_eq!(account["short_codes"], bench.path("/SMS/ShortCodes.json"));
    for name in ["calls", "incoming_phone_numbers", "recordings", "queues", "applications", "notifications"] {
        let uri = account[name].as_str().unwrap().to_owned();
        assert_eq!(answered(bench.signed(bench.client.get(uri))).await.0, 200, "{name}");
    }
    let call = below(answered(bench.get(&format!("/Calls/{call}.json"))).await.1);
    assert_eq!(call.len(), 9);
    for name in ["recordings", "notifications", "events"] {
        let uri = call[name].as_str().unwrap().to_owned();
        assert_eq!(answered(bench.signed(bench.client.get(uri))).await.0, 200, "{name}");
    }
    let number = answered(bench.get(&format!("/IncomingPhoneNumbers/{}.json", bench.number))).await.1;
    assert!(below(number).contains_key("assigned_add_ons"));
}
