//! The ears and mouth of a test phone: an RTP socket that speaks a tone or keys, and keeps what it hears.

use super::tone;
use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Samples in a packet of 20 ms.
const FRAME: usize = 160;

#[derive(Default)]
struct State {
    heard: Vec<i16>,
    sources: Vec<SocketAddr>,
    target: Option<SocketAddr>,
    pitch: Option<f64>,
    keys: Vec<u8>,
}

/// An RTP socket with a thread that sends every 20 ms and one that listens.
pub struct Ear {
    socket: UdpSocket,
    shared: Arc<(Mutex<State>, Condvar)>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Ear {
    /// Opens one on a free loopback port. It speaks to whoever speaks to it.
    pub fn open() -> Ear {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (shared, stop) = (Arc::new((Mutex::default(), Condvar::new())), Arc::new(AtomicBool::new(false)));
        let mut ear = Ear { socket, shared, stop, threads: Vec::new() };
        ear.threads = vec![ear.listen(), ear.speak()];
        ear
    }

    /// Its port, for the SDP.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// Speaks this tone from now on.
    pub fn sing(&self, pitch: f64) {
        self.shared.0.lock().unwrap().pitch = Some(pitch);
    }

    /// Presses a key (RFC 4733), once the other side is known.
    pub fn press(&self, key: u8) {
        self.shared.0.lock().unwrap().keys.push(key);
    }

    /// Waits until the last 200 ms heard are this tone.
    pub fn wait_for_tone(&self, pitch: f64) {
        self.wait(&format!("a tone of {pitch} Hz"), |state| {
            let from = state.heard.len().saturating_sub(10 * FRAME);
            state.heard.len() >= 10 * FRAME && tone::share(&state.heard[from..], pitch) > 0.8
        });
    }

    /// Waits until something as loud as speech was heard for half a second in all after `from` samples.
    pub fn wait_for_speech(&self, from: usize) {
        self.wait("speech", |state| {
            let loud = state.heard[from.min(state.heard.len())..]
                .chunks(FRAME)
                .filter(|frame| tone::rms(frame) > 500.0);
            loud.count() >= 25
        });
    }

    /// How many samples were heard so far.
    pub fn heard(&self) -> usize {
        self.shared.0.lock().unwrap().heard.len()
    }

    /// The largest share this frequency had in any 200 ms heard so far.
    pub fn most_of(&self, pitch: f64) -> f64 {
        let state = self.shared.0.lock().unwrap();
        state.heard.chunks_exact(10 * FRAME).map(|part| tone::share(part, pitch)).fold(0.0, f64::max)
    }

    fn wait(&self, what: &str, there: impl Fn(&State) -> bool) {
        let (lock, news) = &*self.shared;
        let limit = Duration::from_secs(30);
        let (state, late) =
            news.wait_timeout_while(lock.lock().unwrap(), limit, |state| !there(state)).unwrap();
        assert!(
            !late.timed_out(),
            "{what} was not heard; {} samples from {:?}",
            state.heard.len(),
            state.sources
        );
    }

    fn listen(&self) -> JoinHandle<()> {
        let (socket, shared, stop) =
            (self.socket.try_clone().unwrap(), self.shared.clone(), self.stop.clone());
        std::thread::spawn(move || {
            let mut packet = [0; 2_048];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, source)) = socket.recv_from(&mut packet) else { continue };
                let mut state = shared.0.lock().unwrap();
                if length > 12 && packet[1] & 0x7f == 0 {
                    state.target.get_or_insert(source);
                    if !state.sources.contains(&source) {
                        state.sources.push(source);
                    }
                    state.heard.extend(packet[12..length].iter().map(|byte| tone::decode(*byte)));
                    shared.1.notify_all();
                }
            }
        })
    }

    fn speak(&self) -> JoinHandle<()> {
        let (socket, shared, stop) =
            (self.socket.try_clone().unwrap(), self.shared.clone(), self.stop.clone());
        std::thread::spawn(move || {
            let (mut sequence, mut due) = (0u16, Instant::now());
            while !stop.load(Ordering::Relaxed) {
                due += Duration::from_millis(20);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let mut state = shared.0.lock().unwrap();
                let Some(target) = state.target else { continue };
                let timestamp = u32::from(sequence) * FRAME as u32;
                let key = (!state.keys.is_empty()).then(|| state.keys.remove(0));
                let pitch = state.pitch;
                drop(state);
                if let Some(key) = key {
                    sequence = send_key(&socket, target, sequence, timestamp, key);
                } else {
                    let samples =
                        pitch.map_or(vec![0; FRAME], |pitch| tone::sine(pitch, timestamp as usize, FRAME));
                    let payload: Vec<u8> = samples.into_iter().map(tone::encode).collect();
                    send(&socket, target, 0, sequence, timestamp, &payload);
                    sequence = sequence.wrapping_add(1);
                }
            }
        })
    }
}

/// RFC 4733: five packets of growing duration, the last three with the end bit.
fn send_key(socket: &UdpSocket, target: SocketAddr, mut sequence: u16, timestamp: u32, key: u8) -> u16 {
    let event = match key {
        b'0'..=b'9' => key - b'0',
        b'*' => 10,
        _ => 11,
    };
    for (duration, end) in [(160u16, 0u8), (320, 0), (480, 0x80), (480, 0x80), (480, 0x80)] {
        let [high, low] = duration.to_be_bytes();
        send(socket, target, 101, sequence, timestamp, &[event, end | 10, high, low]);
        sequence = sequence.wrapping_add(1);
    }
    sequence
}

fn send(
    socket: &UdpSocket,
    target: SocketAddr,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    payload: &[u8],
) {
    let mut packet = vec![0x80, payload_type];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&0x5eed_5eedu32.to_be_bytes());
    packet.extend_from_slice(payload);
    let _ = socket.send_to(&packet, target);
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
