//! Twenty tenants whose applications hang: what the others wait. Run it alone: `cargo nextest run faults::hanging
//! --no-capture`; it prints its figures.

use domain::{Kind, Sid, webhook_url::Method};
use reactors::http::{Guard, Http, HttpOptions, MAX_CONNECTIONS, MAX_DOCUMENT, Request, SystemResolver};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use store::RandomIds;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Tenants whose applications hang, and requests each of them wants made at once.
const HUNG: u128 = 20;
const EACH: usize = 100;
/// Requests of healthy applications that are measured.
const MEASURED: u32 = 200;
/// What 99 of 100 of them may wait at most.
const P99: Duration = Duration::from_secs(1);

fn account(number: u128) -> Sid {
    Sid::parse_as(Kind::Account, &format!("AC{number:032x}")).unwrap()
}

fn client() -> Http {
    Http::new(HttpOptions {
        guard: Guard { allowed: vec!["127.0.0.0/8".parse().unwrap()], ..Guard::default() },
        resolver: Arc::new(SystemResolver),
        extra_roots: Vec::new(),
        connections: MAX_CONNECTIONS,
        ids: Arc::new(RandomIds::default()),
    })
}

fn request(account: Sid, url: String) -> Request {
    Request {
        method: Method::Post,
        url,
        parameters: Vec::new(),
        auth_token: None,
        headers: Vec::new(),
        limit: MAX_DOCUMENT,
        sounds: false,
        token: None,
        cookies: None,
        logins: None,
        account: Some(account),
    }
}

/// A server that answers on `/well` and says nothing anywhere else.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    if bytes[..read].starts_with(b"POST /well") {
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                    }
                }
            });
        }
    });
    url
}

/// How long each of so many requests took, one every 25 ms, sorted.
async fn measure(http: &Http, account: Sid, url: &str, times: u32) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut every = tokio::time::interval(Duration::from_millis(25));
    for _ in 0..times {
        every.tick().await;
        let began = Instant::now();
        let outcome = http.send(&request(account.clone(), url.to_owned())).await;
        assert_eq!(outcome.result.map(|response| response.status), Ok(204));
        took.push(began.elapsed());
    }
    took.sort_unstable();
    took
}

#[test]
fn twenty_tenants_that_hang_delay_no_healthy_application() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (http, url) = (client(), server().await);
        let well = format!("{url}/well");
        // They have worked for a while: an address that never answered is counted with the others of its origin.
        for whose in [account(99), account(0)] {
            measure(&http, whose, &well, 20).await;
        }
        for tenant in 0..HUNG {
            for number in 0..EACH {
                let (http, url) = (http.clone(), format!("{url}/hangs{}", number % 2));
                tokio::spawn(async move {
                    loop {
                        http.send(&request(account(tenant), url.clone())).await;
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                });
            }
        }
        let (others, own) = tokio::join!(
            measure(&http, account(99), &well, MEASURED),
            measure(&http, account(0), &well, MEASURED)
        );
        for (whose, took) in [("another tenant's", others), ("a hanging tenant's own", own)] {
            let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
            println!(
                "{HUNG} tenants hang with {EACH} requests each; {whose} healthy application: p50 {:?}, p99 {:?}, \
                 longest {:?}",
                at(50),
                at(99),
                at(100)
            );
            assert!(at(99) <= P99, "{whose}: {:?}", at(99));
        }
    });
}
