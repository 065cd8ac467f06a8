//! G.711: the two companding laws, and the way from one to the other.
//!
//! All three tables are computed at build time from the formulas of the recommendation.

const ULAW_BIAS: i32 = 0x84;

static ULAW_TO_LINEAR: [i16; 256] = ulaw_table();
static ALAW_TO_LINEAR: [i16; 256] = alaw_table();
static ULAW_TO_ALAW: [u8; 256] = ulaw_to_alaw_table();
static ALAW_TO_ULAW: [u8; 256] = alaw_to_ulaw_table();

/// Decodes one mu-law byte to 16-bit.
#[must_use]
pub fn ulaw_to_linear(byte: u8) -> i16 {
    ULAW_TO_LINEAR[usize::from(byte)]
}

/// Decodes one A-law byte to 16-bit.
#[must_use]
pub fn alaw_to_linear(byte: u8) -> i16 {
    ALAW_TO_LINEAR[usize::from(byte)]
}

/// mu-law to A-law.
#[must_use]
pub fn ulaw_to_alaw(byte: u8) -> u8 {
    ULAW_TO_ALAW[usize::from(byte)]
}

/// A-law to mu-law.
#[must_use]
pub fn alaw_to_ulaw(byte: u8) -> u8 {
    ALAW_TO_ULAW[usize::from(byte)]
}

/// Encodes one 16-bit sample as mu-law.
#[must_use]
pub const fn linear_to_ulaw(sample: i16) -> u8 {
    let (magnitude, mask) = if sample < 0 { (-(sample as i32), 0x7f) } else { (sample as i32, 0xff) };
    let clipped = if magnitude > 32_635 { 32_635 } else { magnitude };
    let biased = (clipped + ULAW_BIAS) as u32;
    let segment = 31 - biased.leading_zeros() - 7;
    let step = (biased >> (segment + 3)) & 0x0f;
    ((segment << 4) | step) as u8 ^ mask
}

/// Encodes one 16-bit sample as A-law.
#[must_use]
pub const fn linear_to_alaw(sample: i16) -> u8 {
    let (magnitude, mask) = if sample < 0 { (!(sample as i32), 0x55) } else { (sample as i32, 0xd5) };
    let value = (magnitude >> 4) as u32;
    // The two lowest segments have the same step, so a value below 32 is its own code.
    let code = if value < 0x20 {
        value
    } else {
        let shift = 31 - value.leading_zeros() - 4;
        (shift + 1) << 4 | ((value >> shift) & 0x0f)
    };
    code as u8 ^ mask
}

const fn decode_ulaw(byte: u8) -> i16 {
    let bits = !byte as i32;
    let magnitude = ((((bits & 0x0f) << 3) + ULAW_BIAS) << ((bits & 0x70) >> 4)) - ULAW_BIAS;
    (if bits & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

const fn decode_alaw(byte: u8) -> i16 {
    let bits = (byte ^ 0x55) as i32;
    let segment = (bits & 0x70) >> 4;
    let step = (bits & 0x0f) << 4;
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    (if bits & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

const fn ulaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_ulaw(byte as u8);
        byte += 1;
    }
    table
}

const fn alaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_alaw(byte as u8);
        byte += 1;
    }
    table
}

const fn ulaw_to_alaw_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = linear_to_alaw(decode_ulaw(byte as u8));
        byte += 1;
    }
    table
}

const fn alaw_to_ulaw_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = linear_to_ulaw(decode_alaw(byte as u8));
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_decode_as_the_recommendation_says() {
        let ulaw =
            [(0xff, 0), (0x7f, 0), (0x80, 32_124), (0x00, -32_124), (0xfe, 8), (0xef, 132), (0x90, 15_996)];
        for (code, sample) in ulaw {
            assert_eq!(ulaw_to_linear(code), sample, "mu-law {code:#x}");
        }
        let alaw = [(0xd5, 8), (0x55, -8), (0xaa, 32_256), (0x2a, -32_256), (0xd4, 24), (0xc5, 264)];
        for (code, sample) in alaw {
            assert_eq!(alaw_to_linear(code), sample, "A-law {code:#x}");
        }
    }

    #[test]
    fn encoding_a_decoded_code_gives_the_code_back() {
        for code in 0..=255 {
            // 0x7f is negative zero, which encodes as positive zero.
            if code != 0x7f {
                assert_eq!(linear_to_ulaw(ulaw_to_linear(code)), code);
            }
            assert_eq!(linear_to_alaw(alaw_to_linear(code)), code);
        }
    }

    #[test]
    fn every_sample_is_encoded_to_a_nearest_code_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let error = |decoded: i16| (i32::from(decoded) - i32::from(sample)).abs();
            let allowed = i32::from(sample).abs() / 32 + 16;
            let clipped = i32::from(sample).abs() > 31_700;
            assert!(clipped || error(ulaw_to_linear(linear_to_ulaw(sample))) <= allowed, "mu-law {sample}");
            assert!(clipped || error(alaw_to_linear(linear_to_alaw(sample))) <= allowed, "A-law {sample}");
        }
    }

    #[test]
    fn changing_the_law_keeps_the_sample_and_silence_stays_silent() {
        for code in 0..=255u8 {
            let (before, after) =
                (i32::from(ulaw_to_linear(code)), i32::from(alaw_to_linear(ulaw_to_alaw(code))));
            assert!((before - after).abs() <= before.abs() / 32 + 16, "{code:#x}: {before} became {after}");
            let (before, after) =
                (i32::from(alaw_to_linear(code)), i32::from(ulaw_to_linear(alaw_to_ulaw(code))));
            assert!((before - after).abs() <= before.abs() / 32 + 16, "{code:#x}: {before} became {after}");
        }
        assert_eq!(ulaw_to_alaw(0xff), 0xd5);
        assert_eq!(alaw_to_linear(0xd5), 8);
    }
}
