//! What the phone says and hears: one RTP stream each way, a tone, keys.

use super::Phone;
use crate::engine::tests::{SOON, sound};
use crate::media::{ToneReceiver, audio::tone, g711};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};

/// RTP going out and coming in.
pub(super) struct Stream {
    heard: Arc<Mutex<Vec<i16>>>,
    arrived: Arc<tokio::sync::Notify>,
    muted: Arc<AtomicBool>,
    sequence: Arc<AtomicU32>,
    to: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Phone {
    /// Where the other side sends our audio from.
    pub(in crate::engine) fn hears_from(&self) -> SocketAddr {
        self.stream.as_ref().unwrap().to
    }

    pub(super) fn hum(&mut self, to: SocketAddr, hertz: f64) {
        let (heard, arrived) = (Arc::default(), Arc::default());
        let (muted, sequence) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(1)));
        let send = tokio::spawn(send_tone(
            self.rtp.clone(),
            to,
            hertz,
            muted.clone(),
            sequence.clone(),
            (self.id, self.law),
        ));
        let receive =
            tokio::spawn(listen(self.rtp.clone(), Arc::clone(&heard), Arc::clone(&arrived), self.law));
        self.stream = Some(Stream { heard, arrived, muted, sequence, to, tasks: [send, receive] });
    }

    /// Presses a key: RFC 4733 with three end packets.
    pub(in crate::engine) async fn press(&self, digit: u8) {
        self.tells_key(digit, 3, Duration::ZERO).await;
    }

    /// Holds a key down for this long.
    pub(in crate::engine) async fn hold(&self, digit: u8, long: Duration) {
        let packet = Duration::from_millis(50);
        self.tells_key(digit, u16::try_from(long.as_millis() / 50).unwrap(), packet).await;
    }

    /// Tells a key in so many packets and three ends, one every so often.
    async fn tells_key(&self, digit: u8, packets: u16, every: Duration) {
        let stream = self.stream.as_ref().unwrap();
        stream.muted.store(true, Ordering::Relaxed);
        let timestamp = 1_000_000 + u32::from(digit) * 10_000 + stream.sequence.load(Ordering::Relaxed);
        let step = u16::try_from(every.as_millis() * 8).unwrap().max(160);
        let duration = |n: u16| (step * n).to_be_bytes();
        let ends = [(packets + 1, 0x80); 3];
        for (n, end) in (1..=packets).map(|n| (n, 0)).chain(ends) {
            let sequence = stream.sequence.fetch_add(1, Ordering::Relaxed);
            let [high, low] = duration(n);
            let packet = rtp(101, sequence, timestamp, self.id, &[digit, end | 10, high, low]);
            self.rtp.send_to(&packet, stream.to).await.unwrap();
            if end == 0 && !every.is_zero() {
                tokio::time::sleep(every).await;
            }
        }
        stream.muted.store(false, Ordering::Relaxed);
    }

    /// Waits until this many keys are heard as tones.
    pub(in crate::engine) async fn hears_keys(&self, count: usize) -> String {
        let (mut receiver, mut keys) = (ToneReceiver::default(), String::new());
        let wait = async {
            while keys.len() < count {
                keys.extend(receiver.hear(self.hears(Duration::from_millis(40)).await.into_iter()));
            }
        };
        timeout(SOON, wait).await.expect("keys");
        keys
    }

    /// Sends no more RTP.
    pub(in crate::engine) fn fall_silent(&self) {
        self.stream.as_ref().unwrap().muted.store(true, Ordering::Relaxed);
    }

    /// Forgets what was heard and listens for this long.
    pub(in crate::engine) async fn hears(&self, length: Duration) -> Vec<i16> {
        let stream = self.stream.as_ref().unwrap();
        let wanted = usize::try_from(length.as_millis()).unwrap() * 8;
        stream.heard.lock().unwrap().clear();
        let wait = async {
            loop {
                let arrived = stream.arrived.notified();
                if stream.heard.lock().unwrap().len() >= wanted {
                    break;
                }
                arrived.await;
            }
        };
        timeout(SOON, wait)
            .await
            .unwrap_or_else(|_| panic!("only {} samples came", stream.heard.lock().unwrap().len()));
        std::mem::take(&mut *stream.heard.lock().unwrap())
    }

    /// Waits until this tone, and nothing else, is heard for 200 ms.
    pub(in crate::engine) async fn hears_tone(&self, hertz: f64) {
        let wait = async {
            loop {
                let samples = self.hears(Duration::from_millis(200)).await;
                if sound::is_tone(&samples, hertz) {
                    return;
                }
            }
        };
        timeout(SOON, wait).await.unwrap_or_else(|_| panic!("{hertz} Hz was not heard"));
    }

    /// Waits until anything at all is heard.
    pub(in crate::engine) async fn hears_something(&self) {
        let wait = async { while tone::energy(&self.hears(Duration::from_millis(200)).await) < 300.0 {} };
        timeout(SOON, wait).await.expect("a sound");
    }

    /// Waits until silence is heard for 200 ms.
    pub(in crate::engine) async fn hears_silence(&self) {
        let wait = async { while tone::energy(&self.hears(Duration::from_millis(200)).await) > 100.0 {} };
        timeout(SOON, wait).await.expect("silence");
    }
}

fn rtp(kind: u8, sequence: u32, timestamp: u32, ssrc: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, kind];
    packet.extend(u16::try_from(sequence & 0xffff).unwrap().to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(u32::try_from(ssrc & 0xffff_ffff).unwrap().to_be_bytes());
    packet.extend(payload);
    packet
}

async fn send_tone(
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    hertz: f64,
    muted: Arc<AtomicBool>,
    sequence: Arc<AtomicU32>,
    (ssrc, law): (u64, u8),
) {
    // A whole second, so that it can be repeated without a click at whole frequencies.
    let samples = tone::tone(hertz, Duration::from_secs(1));
    let mut frames = tokio::time::interval(Duration::from_millis(20));
    for n in 0_u32.. {
        frames.tick().await;
        if muted.load(Ordering::Relaxed) {
            continue;
        }
        let start = usize::try_from(n % 50).unwrap() * 160;
        let payload: Vec<u8> = samples[start..start + 160].iter().map(|s| encode(law, *s)).collect();
        let number = sequence.fetch_add(1, Ordering::Relaxed);
        socket.send_to(&rtp(law, number, n.wrapping_mul(160), ssrc, &payload), to).await.ok();
    }
}

async fn listen(
    socket: Arc<UdpSocket>,
    heard: Arc<Mutex<Vec<i16>>>,
    arrived: Arc<tokio::sync::Notify>,
    law: u8,
) {
    let mut buffer = [0; 2048];
    while let Ok((length, _)) = socket.recv_from(&mut buffer).await {
        if length > 12 && buffer[1] & 0x7f == law {
            let samples = buffer[12..length].iter().map(|byte| decode(law, *byte));
            heard.lock().unwrap().extend(samples);
            arrived.notify_waiters();
        }
    }
}

fn encode(law: u8, sample: i16) -> u8 {
    if law == 8 { g711::linear_to_alaw(sample) } else { g711::linear_to_ulaw(sample) }
}

fn decode(law: u8, byte: u8) -> i16 {
    if law == 8 { g711::alaw_to_linear(byte) } else { g711::ulaw_to_linear(byte) }
}
