//! Keys as tones in the audio (ITU-T Q.23), for peers that agreed on no telephone-event. Pure.
//!
//! The audio is looked at in steps of 10 ms. A key is heard when one low and one high tone hold 85 % of the sound for three
//! steps at an even level, in their right frequencies as the turn of their phase from step to step tells: speech, which is
//! rarely two tones and never evenly so, presses no keys (talk-off), and 40 ms of tone always hold three whole steps.

use std::{
    f32::consts::{PI, TAU},
    sync::LazyLock,
};

/// Samples a second.
const RATE: f32 = 8_000.0;
/// Samples of one step.
const STEP: usize = 80;
/// Steps a key must sound.
const STEPS: usize = 3;
/// Steps without its tones after which a key is let go (Q.24: a pause is 40 ms, which holds three whole steps).
const LET_GO: u8 = 3;
/// The tones of rows and columns, hertz.
const TONES: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [&[u8; 4]; 4] = [b"123A", b"456B", b"789C", b"*0#D"];

/// Share of the sound that the two tones hold.
const SHARE: f32 = 0.85;
/// The same for a key that is down already, for one step.
const SHARE_DOWN: f32 = 0.5;
/// How much stronger a tone is than its neighbours (3 dB).
const CLEAR: f32 = 2.0;
/// How far a tone may be from its frequency: Q.24 accepts 1.5 % and refuses 3.5 %.
const OFF: f32 = 0.025;
/// How much weaker a step may be than the strongest (3 dB).
const EVEN: f32 = 0.5;
/// High tone over low tone: Q.24 has -8 to +4 dB; a little more, and as much the other way round, harms nothing.
const TWIST: std::ops::RangeInclusive<f32> = 0.08..=7.0;
/// Mean square of the weakest tone heard: -41 dBm0, which leaves room for twist at -30 dBm0.
const FAINT: f32 = 20_000.0;

/// Amplitude of -10 dBm0; 0 dBm0 is 3.17 dB below the loudest sine that mu-law has.
const LOUD: f32 = 7_050.0;

/// A complex number: in phase, and a quarter behind.
type Phasor = [f32; 2];

static TABLE: LazyLock<[[Phasor; 8]; STEP]> =
    LazyLock::new(|| std::array::from_fn(|n| TONES.map(|hertz| turn(-TAU * hertz * n as f32 / RATE))));

fn turn(angle: f32) -> Phasor {
    [angle.cos(), angle.sin()]
}

fn times([a, b]: Phasor, [c, d]: Phasor) -> Phasor {
    [a * c - b * d, a * d + b * c]
}

fn conjugate([a, b]: Phasor) -> Phasor {
    [a, -b]
}

fn square([a, b]: Phasor) -> f32 {
    a * a + b * b
}

/// What the key sounds like, from sample `from` of it on; each tone at -10 dBm0, as our events say. Silence for no key.
pub(super) fn sound(key: char, from: u32) -> impl Iterator<Item = i16> {
    let place = KEYS.iter().enumerate().find_map(|(row, keys)| {
        let column = keys.iter().position(|known| char::from(*known) == key)?;
        Some((TONES[row], TONES[4 + column]))
    });
    (from..).map(move |n| {
        let Some((low, high)) = place else { return 0 };
        let wave = |hertz: f32| (TAU * ((hertz * n as f32 / RATE) % 1.0)).sin();
        (LOUD * (wave(low) + wave(high))) as i16
    })
}

/// One step of audio: its energy, and its share in each tone.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    energy: f32,
    tones: [Phasor; 8],
}

impl Step {
    fn of(samples: &[f32; STEP]) -> Step {
        let mut step = Step::default();
        for (sample, turns) in samples.iter().zip(TABLE.iter()) {
            step.energy += sample * sample;
            for (sum, [a, b]) in step.tones.iter_mut().zip(turns) {
                sum[0] += sample * a;
                sum[1] += sample * b;
            }
        }
        step
    }
}

/// Listens to one stream of audio.
#[derive(Debug)]
pub(crate) struct ToneReceiver {
    samples: [f32; STEP],
    filled: usize,
    /// The latest steps, the newest last.
    steps: [Step; STEPS],
    /// The key that is down, and for how many steps it was not heard.
    down: Option<(u8, u8)>,
    sounding: bool,
}

impl Default for ToneReceiver {
    fn default() -> Self {
        Self { samples: [0.0; STEP], filled: 0, steps: [Step::default(); STEPS], down: None, sounding: false }
    }
}

impl ToneReceiver {
    /// Takes in audio, 8 kHz; returns the key that was pressed in it. At most one begins in 60 ms.
    pub(crate) fn hear(&mut self, samples: impl Iterator<Item = i16>) -> Option<char> {
        let mut pressed = None;
        for sample in samples {
            self.samples[self.filled] = f32::from(sample);
            self.filled += 1;
            if self.filled == STEP {
                self.filled = 0;
                pressed = self.step().or(pressed);
            }
        }
        pressed.map(char::from)
    }

    /// Whether the latest audio is, or is about to be, a key: it should reach nobody who is told the key otherwise.
    pub(super) fn is_sounding(&self) -> bool {
        self.sounding
    }

    fn step(&mut self) -> Option<u8> {
        self.steps.rotate_left(1);
        let newest = Step::of(&self.samples);
        self.steps[STEPS - 1] = newest;
        if let Some((key, missed)) = self.down {
            let missed = if is_still(&newest, key) { 0 } else { missed + 1 };
            self.down = (missed < LET_GO).then_some((key, missed));
        }
        let heard = key_of(&self.steps);
        let begins = heard.filter(|key| self.down.is_none_or(|(down, _)| down != *key));
        self.down = begins.map(|key| (key, 0)).or(self.down);
        self.sounding = self.down.is_some() || key_of(&self.steps[1..]).is_some();
        begins
    }
}

/// The key whose tones these steps are, if they are.
fn key_of(steps: &[Step]) -> Option<u8> {
    let energies = || steps.iter().map(|step| step.energy);
    let (weakest, strongest) = (energies().fold(f32::MAX, f32::min), energies().fold(0.0, f32::max));
    if weakest < EVEN * strongest || weakest < FAINT * STEP as f32 {
        return None;
    }
    let (row, column) = (strongest_of(steps, 0)?, strongest_of(steps, 4)?);
    let (low, high) = (power(steps, row)?, power(steps, column)?);
    let enough = low + high >= SHARE * energies().sum::<f32>();
    let loud = low.min(high) >= FAINT * (steps.len() * STEP) as f32;
    (enough && loud && TWIST.contains(&(high / low))).then(|| KEYS[row][column - 4])
}

/// The tone of the group (rows from 0, columns from 4) that stands out.
fn strongest_of(steps: &[Step], group: usize) -> Option<usize> {
    let sum = |tone: usize| steps.iter().map(|step| square(step.tones[tone])).sum::<f32>();
    let sums: [f32; 4] = std::array::from_fn(|n| sum(group + n));
    let best = (0..4).max_by(|a, b| sums[*a].total_cmp(&sums[*b]))?;
    let clear = (0..4).all(|other| other == best || sums[other] * CLEAR <= sums[best]);
    clear.then_some(group + best)
}

/// Energy of the tone over all steps, at the frequency that its phase tells; `None` when that is not the tone's.
fn power(steps: &[Step], tone: usize) -> Option<f32> {
    let hertz = TONES[tone];
    let expected = TAU * hertz * STEP as f32 / RATE;
    let mut advance = [0.0; 2];
    for pair in steps.windows(2) {
        let [re, im] = times(pair[1].tones[tone], conjugate(pair[0].tones[tone]));
        advance = [advance[0] + re, advance[1] + im];
    }
    let [re, im] = times(advance, turn(-expected));
    let drift = im.atan2(re);
    let off = drift * RATE / (STEP as f32 * TAU);
    if off.abs() > OFF * hertz {
        return None;
    }
    let mut sum = [0.0; 2];
    for (n, step) in steps.iter().enumerate() {
        let [re, im] = times(step.tones[tone], turn(-(expected + drift) * n as f32));
        sum = [sum[0] + re, sum[1] + im];
    }
    // What a step loses of a tone beside its frequency.
    let beside = PI * off * STEP as f32 / RATE;
    let lost = if beside.abs() < 1e-3 { 1.0 } else { (beside.sin() / beside).powi(2) };
    Some(2.0 * square(sum) / ((steps.len() * STEP) as f32 * lost))
}

/// Whether this key is still down in this step.
fn is_still(step: &Step, key: u8) -> bool {
    let Some((row, columns)) = KEYS.iter().enumerate().find(|(_, columns)| columns.contains(&key)) else {
        return false;
    };
    let column = columns.iter().position(|known| *known == key).unwrap_or_default();
    let power = |tone: usize| 2.0 * square(step.tones[tone]) / STEP as f32;
    step.energy >= FAINT * STEP as f32 && power(row) + power(column + 4) >= SHARE_DOWN * step.energy
}

#[cfg(test)]
mod tests;
