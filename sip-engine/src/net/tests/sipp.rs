//! Calls with a real sipp, both directions, UDP and TCP. Without the program there is nobody to call; where every program
//! must be there, as in `bin/test`, that is a failure.
#![expect(clippy::disallowed_methods, reason = "tests start their own programs and read PATH for them")]

use self::own_port::State;
use super::Running;
use crate::sip::sdp::{self, CodecName, LocalSession, MediaDirection};
use crate::sip::{ClosedBy, Command, Credentials, Event, Invite, LegKey, Target, Transport};
use bytes::Bytes;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command as Program};
use tokio::time::timeout;

#[path = "../../../../tests/support/own_port.rs"]
mod own_port;

const CALLS: u32 = 20;
const SOON: Duration = Duration::from_secs(60);

async fn sipp(arguments: &[&str]) -> Option<(Child, SocketAddr)> {
    let found = std::env::var("PATH")
        .unwrap_or_default()
        .split(':')
        .any(|dir| std::path::Path::new(dir).join("sipp").exists());
    if !found {
        assert!(std::env::var_os("TEST_ALL_PROGRAMS").is_none(), "the program sipp is not installed");
        eprintln!("skipped: the program sipp is not installed");
        return None;
    }
    let start = |port: u16| {
        Program::new("sipp")
            .args([
                "-i",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-nostdin",
                "-timeout",
                "40s",
                "-timeout_error",
            ])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let (child, port) = own_port::started(start, state, drop);
    Some((child, SocketAddr::from(([127, 0, 0, 1], port))))
}

/// How sipp is. One that found its port taken ends at once with an error.
fn state(child: &mut Child) -> State {
    match (child.try_wait().unwrap(), child.id()) {
        (None, Some(process)) => State::Runs(process),
        (Some(status), _) if status.success() => State::Done,
        _ => State::Failed,
    }
}

fn local_sdp() -> LocalSession {
    LocalSession::new("127.0.0.1:40000".parse().unwrap(), 40001, 2)
}

async fn serve(transport: &str) {
    let mut running = Running::start("127.0.0.1:0", |_| true);
    let target = running.addr.to_string();
    let calls = CALLS.to_string();
    let arguments = ["-sn", "uac", "-t", transport, "-m", &calls, "-r", "50", "-d", "50", &target];
    let Some((mut child, _)) = sipp(&arguments).await else { return };
    let mut ended = 0;
    while ended < CALLS {
        match running.event().await {
            Event::IncomingCall(call) => {
                let remote = sdp::parse(&call.sdp.expect("an offer")).unwrap();
                let answer = local_sdp().answer(&remote, MediaDirection::SendRecv);
                let respond = |code, sdp| Command::Respond {
                    leg: call.leg,
                    code,
                    reason: None,
                    headers: Vec::new(),
                    sdp,
                };
                running.commands.send(respond(180, None)).await.unwrap();
                running.commands.send(respond(200, Some(answer))).await.unwrap();
            }
            Event::Ended { by, .. } => {
                assert_eq!(by, ClosedBy::Remote);
                ended += 1;
            }
            Event::Acknowledged { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(timeout(SOON, child.wait()).await.unwrap().unwrap().success(), "sipp counted failed calls");
    running.stop().await;
}

async fn call(transport: Transport, flag: &str) {
    let Some((mut child, next_hop)) = sipp(&["-sn", "uas", "-t", flag, "-m", "3"]).await else { return };
    let mut running = Running::start("127.0.0.1:0", |_| true);
    for number in 0..3 {
        let sdp: Bytes = local_sdp().offer(&[CodecName::Pcmu], MediaDirection::SendRecv);
        place(&mut running, LegKey::outbound(number), next_hop, transport, sdp).await;
    }
    assert!(timeout(SOON, child.wait()).await.unwrap().unwrap().success(), "sipp counted failed calls");
    running.stop().await;
}

fn invite(leg: LegKey, next_hop: SocketAddr, transport: Transport, sdp: Bytes) -> Invite {
    Invite {
        leg,
        target: Target {
            uri: format!("sip:service@{next_hop}"),
            next_hop,
            networks: std::sync::Arc::default(),
            transport,
            local: None,
        },
        call_id: None,
        from: "<sip:+15550100@127.0.0.1>".into(),
        to: format!("<sip:service@{next_hop}>"),
        headers: Vec::new(),
        sdp,
        credentials: None,
        max_forwards: 70,
        emergency: false,
        ring_timeout: Duration::from_secs(20),
        silence: Duration::from_secs(20),
    }
}

/// Calls until sipp listens, then hangs up.
async fn place(running: &mut Running, leg: LegKey, next_hop: SocketAddr, transport: Transport, sdp: Bytes) {
    let invite = invite(leg, next_hop, transport, sdp);
    talk(running, invite).await;
}

async fn talk(running: &mut Running, invite: Invite) {
    let leg = invite.leg;
    running.commands.send(Command::Invite(Box::new(invite.clone()))).await.unwrap();
    loop {
        match running.event().await {
            Event::Ringing { code, .. } => assert_eq!(code, 180),
            Event::Answered { sdp, .. } => {
                assert!(sdp::parse(&sdp.expect("an answer")).is_ok());
                running.commands.send(Command::Bye { leg, headers: Vec::new() }).await.unwrap();
            }
            Event::Ended { by, .. } => return assert_eq!(by, ClosedBy::Us),
            // sipp may not listen yet.
            Event::Failed { code: 503, from_peer: false, .. } => {
                running.commands.send(Command::Invite(Box::new(invite.clone()))).await.unwrap();
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[tokio::test]
async fn sipp_calls_us_over_udp() {
    serve("u1").await;
}

#[tokio::test]
async fn sipp_calls_us_over_tcp() {
    serve("t1").await;
}

#[tokio::test]
async fn we_call_sipp_over_udp() {
    call(Transport::Udp, "u1").await;
}

#[tokio::test]
async fn we_call_sipp_over_tcp() {
    call(Transport::Tcp, "t1").await;
}

/// Runs a scenario of ours in sipp; its files last as long as the directory.
async fn scenario(text: &str) -> Option<(Child, SocketAddr, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.xml");
    std::fs::write(&file, text).unwrap();
    let (child, addr) = sipp(&["-sf", &file.to_string_lossy(), "-t", "u1", "-m", "1"]).await?;
    Some((child, addr, dir))
}

#[tokio::test]
async fn sipp_hears_a_cancel_of_its_own_transaction() {
    let Some((mut child, next_hop, _files)) =
        scenario(include_str!("scenarios/rings_until_cancelled.xml")).await
    else {
        return;
    };
    let mut running = Running::start("127.0.0.1:0", |_| true);
    let leg = LegKey::outbound(1);
    let sdp = local_sdp().offer(&[CodecName::Pcmu], MediaDirection::SendRecv);
    let invite = invite(leg, next_hop, Transport::Udp, sdp);
    loop {
        running.commands.send(Command::Invite(Box::new(invite.clone()))).await.unwrap();
        match running.event().await {
            Event::Ringing { code, .. } => break assert_eq!(code, 180),
            // sipp may not listen yet.
            Event::Failed { code: 503, from_peer: false, .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    running.commands.send(Command::Bye { leg, headers: Vec::new() }).await.unwrap();
    assert!(matches!(running.event().await, Event::Cancelled { .. }));
    assert!(
        timeout(SOON, child.wait()).await.unwrap().unwrap().success(),
        "sipp saw another CANCEL or no ACK"
    );
    running.stop().await;
}

#[tokio::test]
async fn sipp_accepts_our_digest() {
    let Some((mut child, next_hop, _files)) = scenario(include_str!("scenarios/wants_a_password.xml")).await
    else {
        return;
    };
    let mut running = Running::start("127.0.0.1:0", |_| true);
    let sdp = local_sdp().offer(&[CodecName::Pcmu], MediaDirection::SendRecv);
    let credentials = Credentials { username: "trunk".into(), password: "s3cret".into() };
    let invite = invite(LegKey::outbound(1), next_hop, Transport::Udp, sdp);
    talk(&mut running, Invite { credentials: Some(credentials), ..invite }).await;
    assert!(timeout(SOON, child.wait()).await.unwrap().unwrap().success(), "sipp refused the digest");
    running.stop().await;
}
