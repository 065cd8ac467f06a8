//! The ears and mouth of a test phone: an RTP socket that speaks a tone or keys, and keeps what it hears.

use super::tone;
use std::{
    collections::VecDeque,
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
/// The payload type of events.
const EVENT: u8 = 101;

/// How many packets of a key say that it is down, and that it is over (RFC 4733 section 2.5.1.4).
const DOWN: u16 = 5;
const OVER: u16 = 3;

/// What goes out in an interval of 20 ms.
#[derive(Clone, Debug)]
pub enum Packet {
    /// Of a key (RFC 4733).
    Key(Key),
    /// Sound, and its samples.
    Sound(Vec<i16>),
}

/// What a packet says of a key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Which one.
    pub key: char,
    /// When it began, 1/8000 s.
    pub timestamp: u32,
    /// How long it is down, 1/8000 s.
    pub duration: u16,
    /// It is over.
    pub end: bool,
}

#[derive(Default)]
struct State {
    heard: Vec<i16>,
    /// The keys it was told as events.
    told: String,
    sources: Vec<SocketAddr>,
    target: Option<SocketAddr>,
    pitch: Option<f64>,
    waiting: VecDeque<Packet>,
    /// How many intervals are over.
    frames: u32,
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
        let mut state = self.shared.0.lock().unwrap();
        let timestamp = (state.frames + state.waiting.len() as u32) * FRAME as u32;
        state.waiting.extend(press(char::from(key), |_| timestamp));
        state.waiting.extend(pause());
    }

    /// Sends these, one each 20 ms, once the other side is known.
    pub fn sends(&self, packets: Vec<Packet>) {
        self.shared.0.lock().unwrap().waiting.extend(packets);
    }

    /// Waits until it was told these keys as events, and no others.
    pub fn wait_for_events(&self, keys: &str) {
        self.wait(&format!("{keys} as events"), |state| state.told == keys);
    }

    /// Waits until these keys were heard as tones after `from` samples, and no others.
    pub fn wait_for_keys(&self, from: usize, keys: &str) {
        self.wait(&format!("{keys} as tones"), |state| {
            state.heard.len() > from && tone::keys(&state.heard[from..]) == keys
        });
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

    /// Waits until all it was to send is sent.
    pub fn wait_until_said(&self) {
        self.wait("the end of what it says", |state| state.waiting.is_empty());
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
        let (heard, sources) = (state.heard.len(), state.sources.clone());
        drop(state);
        assert!(!late.timed_out(), "{what} was not heard; {heard} samples from {sources:?}");
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
                // Each key begins with one marked packet.
                if length > 12 && packet[1] == 0x80 | EVENT {
                    state.told.push(tone::KEYS[usize::from(packet[12])]);
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
                let timestamp = state.frames * FRAME as u32;
                state.frames += 1;
                let pitch = state.pitch;
                let packet = state.waiting.pop_front();
                drop(state);
                let hum =
                    || pitch.map_or(vec![0; FRAME], |pitch| tone::sine(pitch, timestamp as usize, FRAME));
                match packet.unwrap_or_else(|| Packet::Sound(hum())) {
                    Packet::Key(key) => {
                        send(&socket, target, (EVENT, sequence, key.timestamp), &key.payload());
                    }
                    Packet::Sound(samples) => {
                        let payload: Vec<u8> = samples.into_iter().map(tone::encode).collect();
                        send(&socket, target, (0, sequence, timestamp), &payload);
                    }
                }
                sequence = sequence.wrapping_add(1);
            }
        })
    }
}

impl Key {
    fn payload(self) -> [u8; 4] {
        let event = tone::KEYS.iter().position(|key| *key == self.key).expect("a key");
        let [high, low] = self.duration.to_be_bytes();
        [event as u8, if self.end { 0x8a } else { 10 }, high, low]
    }
}

/// A key as phones send it: down for 100 ms, and told three times to be over. `timestamp` says which one each packet has,
/// by its number.
pub fn press(key: char, timestamp: impl Fn(u32) -> u32) -> Vec<Packet> {
    let packet = |number: u16| Key {
        key,
        timestamp: timestamp(u32::from(number)),
        duration: FRAME as u16 * (number + 1).min(DOWN),
        end: number >= DOWN,
    };
    (0..DOWN + OVER).map(|number| Packet::Key(packet(number))).collect()
}

/// Silence between two keys: 100 ms.
pub fn pause() -> Vec<Packet> {
    vec![Packet::Sound(vec![0; FRAME]); 5]
}

/// A key as it sounds: its two tones for 100 ms, and silence for as long.
pub fn sound(key: char) -> Vec<Packet> {
    let (low, high) = tone::pair(key);
    let part = |hertz: f64, number: usize| tone::sine(hertz, number * FRAME, FRAME);
    let frame = |number: usize| {
        let both = part(low, number).into_iter().zip(part(high, number));
        Packet::Sound(both.map(|(low, high)| low / 2 + high / 2).collect())
    };
    (0..5).map(frame).chain(pause()).collect()
}

fn send(
    socket: &UdpSocket,
    target: SocketAddr,
    (payload_type, sequence, timestamp): (u8, u16, u32),
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
