//! GSM 06.10 full rate (ETSI EN 300 961): 160 samples in 33 bytes, as voice mailboxes keep their prompts. Decoding only, in
//! the recommendation's own 16-bit arithmetic, so that every bit is as its test sequences have it.

use super::{AudioError, fits};

/// Bytes of a frame as files have it: four bits of mark, 260 of speech.
const FRAME: usize = 33;
/// Bytes of two frames as WAV has them, without marks.
const PAIR: usize = 65;
/// Samples of a frame.
const SAMPLES: usize = 160;
/// What a frame begins with.
const MARK: u8 = 0xd;
/// Bits of the eight log area ratios.
const LAR_BITS: [u8; 8] = [6, 6, 5, 5, 4, 4, 3, 3];
/// B, MIC and 1/A of each log area ratio (table 4.1 and 4.2).
const LAR: [(i16, i16, i16); 8] = [
    (0, -32, 13_107),
    (0, -32, 13_107),
    (2_048, -16, 13_107),
    (-2_560, -16, 13_107),
    (94, -8, 19_223),
    (-1_792, -8, 17_476),
    (-341, -4, 31_454),
    (-1_144, -4, 29_708),
];
/// Normalised direct mantissa (table 4.6).
const FAC: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
/// Long-term gains (table 4.3b).
const QLB: [i16; 4] = [3_277, 11_469, 21_299, 32_767];

/// Whether a file without any header looks like GSM frames.
pub(super) fn is_gsm(bytes: &[u8]) -> bool {
    let marked = |frame: &[u8]| frame.first().is_some_and(|byte| byte >> 4 == MARK);
    bytes.len() >= 2 * FRAME && bytes.len().is_multiple_of(FRAME) && bytes.chunks(FRAME).all(marked)
}

/// Decodes frames of 33 bytes; an incomplete last one is left out.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<i16>, AudioError> {
    let samples = bytes.len() / FRAME * SAMPLES;
    fits(samples)?;
    let (mut decoder, mut out) = (Decoder::default(), Vec::with_capacity(samples));
    for frame in bytes.chunks_exact(FRAME) {
        let mut bits = Bits { bytes: frame, at: 0, low_first: false };
        if bits.take(4) != i16::from(MARK) {
            return Err(AudioError::Damaged("it is no GSM 06.10"));
        }
        out.extend(decoder.frame(&mut bits));
    }
    Ok(out)
}

/// Decodes the blocks of a WAV file, each of two frames in 65 bytes, the low bits first.
pub(super) fn decode_pairs(bytes: &[u8]) -> Result<Vec<i16>, AudioError> {
    let samples = bytes.len() / PAIR * 2 * SAMPLES;
    fits(samples)?;
    let (mut decoder, mut out) = (Decoder::default(), Vec::with_capacity(samples));
    for pair in bytes.chunks_exact(PAIR) {
        let mut bits = Bits { bytes: pair, at: 0, low_first: true };
        out.extend(decoder.frame(&mut bits));
        out.extend(decoder.frame(&mut bits));
    }
    Ok(out)
}

/// Reads numbers of few bits.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    low_first: bool,
}

impl Bits<'_> {
    fn take(&mut self, count: u8) -> i16 {
        let mut value = 0;
        for n in 0..count {
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or_default();
            let place = self.at % 8;
            let bit = i16::from(byte >> if self.low_first { place } else { 7 - place } & 1);
            value = if self.low_first { value | bit << n } else { value << 1 | bit };
            self.at += 1;
        }
        value
    }
}

/// `mult_r`: a product of fractions, rounded.
fn times(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + 16_384) >> 15).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// `asr`: a shift to the right, or to the left where negative.
fn shifted(value: i16, by: i16) -> i16 {
    match by {
        16.. => value >> 15,
        0..16 => value >> by,
        -15..0 => value << -by,
        _ => 0,
    }
}

/// What goes over from frame to frame.
struct Decoder {
    /// The reconstructed short-term residual of the latest 120 samples.
    residual: [i16; 120],
    lag: usize,
    /// The log area ratios of the frame before.
    ratios: [i16; 8],
    filter: [i16; 9],
    emphasis: i16,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { residual: [0; 120], lag: 40, ratios: [0; 8], filter: [0; 9], emphasis: 0 }
    }
}

impl Decoder {
    fn frame(&mut self, bits: &mut Bits<'_>) -> [i16; SAMPLES] {
        let coded = LAR_BITS.map(|count| bits.take(count));
        let mut samples = [0; SAMPLES];
        for part in samples.chunks_exact_mut(40) {
            self.excite(bits, part);
        }
        self.shape(&coded, &mut samples);
        for sample in &mut samples {
            self.emphasis = sample.saturating_add(times(self.emphasis, 28_180));
            *sample = self.emphasis.saturating_add(self.emphasis) & !7;
        }
        samples
    }

    /// The residual of a quarter of the frame: pulses on a grid, and what was a pitch period ago (sections 4.2.15 to 4.3.2).
    fn excite(&mut self, bits: &mut Bits<'_>, part: &mut [i16]) {
        let (lag, gain, grid, top) = (bits.take(7), bits.take(2), bits.take(2), bits.take(6));
        let pulses: [i16; 13] = std::array::from_fn(|_| bits.take(3));
        let (exponent, mantissa) = normalised(top);
        let (shift, factor) = (6 - exponent, FAC[usize::from(mantissa as u16 & 7)]);
        let half = shifted(1, 1 - shift);
        for (n, pulse) in pulses.into_iter().enumerate() {
            let value = times(factor, (2 * pulse - 7) << 12).saturating_add(half);
            if let Some(place) = part.get_mut(grid as usize + 3 * n) {
                *place = shifted(value, shift);
            }
        }
        if (40..=120).contains(&lag) {
            self.lag = lag as usize;
        }
        let gain = QLB[usize::from(gain as u16 & 3)];
        let start = self.residual.len() - self.lag;
        for (n, sample) in part.iter_mut().enumerate() {
            // The lag is 40 at least, so what it refers to is before this part.
            let before = self.residual.get(start + n).copied().unwrap_or_default();
            *sample = sample.saturating_add(times(gain, before));
        }
        self.residual.copy_within(40.., 0);
        self.residual[80..].copy_from_slice(part);
    }

    /// The filter of the vocal tract, whose ratios glide from the frame before (sections 4.3.3 to 4.3.4).
    fn shape(&mut self, coded: &[i16; 8], samples: &mut [i16; SAMPLES]) {
        let mut ratios = [0; 8];
        for ((ratio, coded), (b, mic, inverse)) in ratios.iter_mut().zip(coded).zip(LAR) {
            let value = (coded + mic) << 10;
            let value = times(inverse, value.saturating_sub(b << 1));
            *ratio = value.saturating_add(value);
        }
        let before = std::mem::replace(&mut self.ratios, ratios);
        let glide = |mix: fn(i16, i16) -> i16| -> [i16; 8] {
            std::array::from_fn(|n| reflection(mix(before[n], ratios[n])))
        };
        let quarter = glide(|old, new| (old >> 2).saturating_add(new >> 2).saturating_add(old >> 1));
        let half = glide(|old, new| (old >> 1).saturating_add(new >> 1));
        let most = glide(|old, new| (old >> 2).saturating_add(new >> 2).saturating_add(new >> 1));
        let whole = glide(|_, new| new);
        for (n, sample) in samples.iter_mut().enumerate() {
            let reflections = match n {
                0..13 => &quarter,
                13..27 => &half,
                27..40 => &most,
                _ => &whole,
            };
            *sample = self.filtered(reflections, *sample);
        }
    }

    fn filtered(&mut self, reflections: &[i16; 8], sample: i16) -> i16 {
        let mut out = sample;
        for n in (0..8).rev() {
            out = out.saturating_sub(times(reflections[n], self.filter[n]));
            self.filter[n + 1] = self.filter[n].saturating_add(times(reflections[n], out));
        }
        self.filter[0] = out;
        out
    }
}

/// Exponent and mantissa of the largest pulse (section 4.2.15).
fn normalised(top: i16) -> (i16, i16) {
    let mut exponent = if top > 15 { (top >> 3) - 1 } else { 0 };
    let mut mantissa = top - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, mantissa - 8)
}

/// A reflection coefficient from its log area ratio (section 4.2.9.2).
fn reflection(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let value = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -value } else { value }
}
