use super::{
    tone::{energy, share_of, tone, tone_at},
    *,
};
use crate::media::g711::{linear_to_alaw, linear_to_ulaw};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A WAV file around `data`.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"LIST\x03\0\0\0abc\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn pcm16(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn assert_tone(samples: &[i16], hertz: f64, what: &str) {
    assert!(share_of(samples, hertz) > 0.95, "{what}: {}", share_of(samples, hertz));
    assert!((energy(samples) - 11_585.0).abs() < 900.0, "{what}: {}", energy(samples));
    assert!(samples.len().abs_diff(8_000) < 2, "{what}: {}", samples.len());
}

#[test]
fn every_width_and_law_of_wav_is_read() {
    let samples = tone(440.0, SECOND);
    let eight: Vec<u8> = samples.iter().map(|sample| ((sample >> 8) + 128) as u8).collect();
    let wide = |pad: usize| -> Vec<u8> {
        samples.iter().flat_map(|sample| [vec![0; pad], sample.to_le_bytes().to_vec()].concat()).collect()
    };
    let float: Vec<u8> =
        samples.iter().flat_map(|sample| (f32::from(*sample) / 32_768.0).to_le_bytes()).collect();
    let ulaw: Vec<u8> = samples.iter().map(|sample| linear_to_ulaw(*sample)).collect();
    let alaw: Vec<u8> = samples.iter().map(|sample| linear_to_alaw(*sample)).collect();
    for (tag, bits, data) in [
        (1, 8, eight),
        (1, 16, pcm16(&samples)),
        (1, 24, wide(1)),
        (1, 32, wide(2)),
        (3, 32, float),
        (7, 8, ulaw),
        (6, 8, alaw),
    ] {
        let decoded = decode(&wav(tag, 1, 8_000, bits, &data), None).unwrap();
        assert_tone(&decoded, 440.0, &format!("format {tag}, {bits} bits"));
    }
}

#[test]
fn sixteen_bits_at_eight_kilohertz_pass_untouched() {
    let samples: Vec<i16> = (0..8_000).map(|n| (n * 4_099 % 65_536 - 32_768) as i16).collect();
    assert_eq!(decode(&wav(1, 1, 8_000, 16, &pcm16(&samples)), None).unwrap(), samples);
}

#[test]
fn every_rate_keeps_frequency_level_and_length() {
    for rate in [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 44_056] {
        let decoded = decode(&wav(1, 1, rate, 16, &pcm16(&tone_at(rate, 1_000.0, SECOND))), None).unwrap();
        assert_tone(&decoded, 1_000.0, &format!("{rate} Hz"));
    }
}

#[test]
fn what_the_telephone_can_not_carry_is_gone_rather_than_folded_back() {
    for hertz in [4_500.0, 7_000.0, 12_560.0] {
        let decoded = decode(&wav(1, 1, 44_100, 16, &pcm16(&tone_at(44_100, hertz, SECOND))), None).unwrap();
        let middle = &decoded[400..7_600];
        assert!(energy(middle) < 20.0, "{hertz} Hz leaves {}", energy(middle));
    }
}

#[test]
fn stereo_is_mixed() {
    let (left, right) = (tone(440.0, SECOND), tone(900.0, SECOND));
    let both: Vec<i16> = left.iter().zip(&right).flat_map(|(left, right)| [*left, *right]).collect();
    let decoded = decode(&wav(1, 2, 8_000, 16, &pcm16(&both)), None).unwrap();
    assert!((share_of(&decoded, 440.0) - 0.5).abs() < 0.05 && (share_of(&decoded, 900.0) - 0.5).abs() < 0.05);
}

#[test]
fn a_file_from_a_pipe_knows_no_sizes() {
    let mut file = wav(1, 1, 8_000, 16, &pcm16(&tone(440.0, SECOND)));
    let size = file.len() - 16_000 - 4;
    for unknown in [0u32, u32::MAX] {
        file[size..size + 4].copy_from_slice(&unknown.to_le_bytes());
        assert_tone(&decode(&file, None).unwrap(), 440.0, "piped");
    }
}

#[test]
fn an_extensible_header_names_its_format_further_on() {
    let data = pcm16(&tone(440.0, SECOND));
    let mut file = wav(0xfffe, 1, 8_000, 16, &data);
    file[16] = 40;
    let mut extension = vec![22, 0, 16, 0, 4, 0, 0, 0, 1, 0];
    extension.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    file.splice(36..36, extension);
    assert_tone(&decode(&file, None).unwrap(), 440.0, "extensible");
}

#[test]
fn mp3_is_read() {
    let decoded = decode(include_bytes!("testdata/440hz.mp3"), None).unwrap();
    let middle = &decoded[1_000..7_000];
    assert!(share_of(middle, 440.0) > 0.95, "{}", share_of(middle, 440.0));
    assert!(decoded.len().abs_diff(8_000) < 1_000, "{}", decoded.len());
}

/// Half a second of 440 Hz at half of full scale, as sox writes it.
fn assert_file(file: &[u8], raw: Option<Raw>, what: &str) {
    let samples = decode(file, raw).unwrap();
    let share = share_of(&samples[400..3_600], 440.0);
    assert!(share > 0.95, "{what}: {share}");
    let energy = energy(&samples[400..3_600]);
    assert!((energy - 11_585.0).abs() < 900.0, "{what}: {energy}");
    assert!(samples.len().abs_diff(4_000) <= 160, "{what}: {}", samples.len());
}

#[test]
fn au_and_aiff_files_are_read() {
    assert_file(include_bytes!("testdata/tone-ulaw.au"), None, "AU, mu-law");
    assert_file(include_bytes!("testdata/tone-8.au"), None, "AU, 8 bits");
    assert_file(include_bytes!("testdata/tone-16.au"), None, "AU, 16 bits");
    assert_file(include_bytes!("testdata/tone.aiff"), None, "AIFF, stereo, 16 kHz");
    assert_file(include_bytes!("testdata/tone.aifc"), None, "AIFF-C");
}

#[test]
fn an_au_file_from_a_pipe_knows_no_size() {
    let mut file = include_bytes!("testdata/tone-ulaw.au").to_vec();
    file[8..12].copy_from_slice(&[0xff; 4]);
    assert_file(&file, None, "piped");
}

#[test]
fn gsm_is_read_bit_for_bit_as_sox_reads_it() {
    let expected: Vec<i16> = include_bytes!("testdata/speech-of-gsm.s16")
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(decode(include_bytes!("testdata/speech.gsm"), None).unwrap(), expected);
    assert_eq!(decode(include_bytes!("testdata/speech-gsm.wav"), None).unwrap()[..4_800], expected);
    assert_file(include_bytes!("testdata/tone.gsm"), Some(Raw::Gsm), "GSM");
    assert_eq!(decode(&[0; 66], Some(Raw::Gsm)), Err(AudioError::Damaged("it is no GSM 06.10")));
}

#[test]
fn a_file_without_a_header_is_what_its_type_or_its_name_says() {
    let samples: Vec<i16> = tone(440.0, SECOND / 2);
    let ulaw: Vec<u8> = samples.iter().map(|sample| linear_to_ulaw(*sample)).collect();
    let alaw: Vec<u8> = samples.iter().map(|sample| linear_to_alaw(*sample)).collect();
    for (content_type, path, file) in [
        (Some("audio/basic"), "/a", &ulaw),
        (Some("Audio/PCMU; rate=8000"), "/a", &ulaw),
        (Some("application/octet-stream"), "/a.ulaw", &ulaw),
        (None, "/greeting.UL", &ulaw),
        (Some("audio/x-PCMU"), "/a", &ulaw),
        (Some("audio/x-mulaw"), "/a.wav", &ulaw),
        (Some("audio/g711-mlaw"), "/a", &ulaw),
        (Some("audio/pcma"), "/a", &alaw),
        (Some("audio/x-pcma"), "/a", &alaw),
        (Some("audio/alaw"), "/a", &alaw),
        (Some("audio/x-alaw-basic"), "/a.ulaw", &alaw),
        (Some("audio/x-unheard-of"), "/a.alaw", &alaw),
        (None, "/a.al", &alaw),
    ] {
        assert_file(file, Raw::told_by(content_type, path), &format!("{content_type:?} {path}"));
    }
    for (content_type, path) in
        [("audio/mpeg", "/a.ulaw"), ("text/html", "/a.al"), ("audio/x-what", "/a.pcm")]
    {
        assert_eq!(Raw::told_by(Some(content_type), path), None, "{content_type}");
    }
    assert_eq!(decode(&ulaw, None), Err(AudioError::UnknownFormat));
    assert_file(include_bytes!("testdata/tone-ulaw.au"), Some(Raw::Ulaw), "audio/basic with a header");
}

#[test]
fn refusals_say_what_is_wrong() {
    let data = [0; 64];
    for (file, expected) in [
        (vec![0; MAX_BYTES + 1], AudioError::TooLarge { bytes: MAX_BYTES + 1 }),
        (b"OggS....".to_vec(), AudioError::UnknownFormat),
        (Vec::new(), AudioError::UnknownFormat),
        (b"RIFF....AVI ".to_vec(), AudioError::UnknownFormat),
        (wav(1, 1, 8_000, 12, &data), AudioError::Encoding { tag: 1, bits: 12 }),
        (wav(2, 1, 8_000, 4, &data), AudioError::Encoding { tag: 2, bits: 4 }),
        (wav(1, 1, 96_000, 16, &data), AudioError::Rate(96_000)),
        (wav(1, 1, 0, 16, &data), AudioError::Rate(0)),
        (wav(1, 0, 8_000, 16, &data), AudioError::Channels(0)),
        (wav(1, 6, 8_000, 16, &data), AudioError::Channels(6)),
        (wav(1, 1, 8_000, 16, &[])[..50].to_vec(), AudioError::Damaged("it has no data")),
        (wav(1, 1, 8_000, 16, &[]), AudioError::Empty),
        (b"ID3nothing of the kind".to_vec(), AudioError::Damaged("it is no MP3")),
    ] {
        assert_eq!(decode(&file, None), Err(expected));
    }
}

#[test]
fn audio_beyond_half_an_hour_is_refused_before_it_fills_memory() {
    // 31 minutes of 8-bit samples fit into 16 MiB.
    let file = wav(7, 1, 8_000, 8, &vec![0xff; 31 * 60 * 8_000]);
    assert_eq!(decode(&file, None), Err(AudioError::TooLong));
}

#[test]
fn what_says_its_length_is_not_decoded_when_that_is_too_long() {
    let minutes = |bytes_a_second: usize| vec![0xd0; 31 * 60 * bytes_a_second / 33 / 65 * 33 * 65];
    let (gsm, law) = (minutes(1_650 + 33), minutes(8_000 + 80));
    for raw in [Raw::Ulaw, Raw::Alaw] {
        assert_eq!(raw.decode(&law), Err(AudioError::TooLong));
    }
    // Not one frame of it is looked at: the first one is damaged.
    let mut damaged = gsm.clone();
    damaged[0] = 0;
    assert_eq!(Raw::Gsm.decode(&damaged), Err(AudioError::TooLong));
    assert_eq!(decode(&wav(0x31, 1, 8_000, 0, &gsm), None), Err(AudioError::TooLong));
}

#[test]
fn damaged_files_break_nothing() {
    let mut seed = 99u64;
    for original in [
        wav(1, 2, 44_100, 24, &[7; 600]),
        include_bytes!("testdata/440hz.mp3").to_vec(),
        include_bytes!("testdata/tone.aiff").to_vec(),
        include_bytes!("testdata/tone-16.au").to_vec(),
        include_bytes!("testdata/speech-gsm.wav").to_vec(),
    ] {
        for _ in 0..30 {
            let mut file = original.clone();
            for _ in 0..8 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (seed >> 33) as usize % file.len();
                file[at] = (seed >> 20) as u8;
            }
            file.truncate(file.len() - (seed >> 40) as usize % 40);
            // Whatever it is now, it is decoded or refused.
            assert!(decode(&file, None).map_or(true, |samples| !samples.is_empty()));
        }
    }
}
