//! What a leg's quality was, and the opinion score that follows from it.

use super::Codec;
use std::{net::SocketAddr, time::Duration};

/// Figures of one leg, so far or final.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LegStatistics {
    /// RTP packets taken in from the latched peer.
    pub packets_received: u64,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Packets of the peer that never came (RFC 3550 A.3), never negative here.
    pub packets_lost: u64,
    /// Interarrival jitter (RFC 3550 6.4.1), milliseconds.
    pub jitter_ms: f64,
    /// Round-trip time from the peer's latest report, milliseconds; `None` when it sent none.
    pub rtt_ms: Option<f64>,
    /// Mean opinion score of what we heard, 1 to 4.5; `None` before any packet arrived.
    pub mos: Option<f64>,
    /// Packets dropped because they came from a stranger or were no RTP of this call.
    pub foreign_dropped: u64,
    /// Where the latest of them came from that would have been RTP of this call.
    pub foreign_from: Option<SocketAddr>,
    /// The negotiated codec; `None` before `configure`.
    pub codec: Option<Codec>,
}

/// G.711 has no impairment of its own (ITU-T G.113 table I.1).
const EQUIPMENT_IMPAIRMENT: f64 = 0.0;
/// Robustness of G.711 with loss concealment, as phones have it (ITU-T G.113 table I.4).
const LOSS_ROBUSTNESS: f64 = 25.1;
/// The E-model's rating with all defaults (ITU-T G.107).
const BASE_RATING: f64 = 93.2;

/// Mean opinion score by the E-model (ITU-T G.107) for G.711.
///
/// `loss` is a share from 0 to 1. With a round-trip time this is the conversational score; without, the
/// listening one, since delay is unknown.
#[must_use]
pub fn mean_opinion_score(loss: f64, jitter_ms: f64, rtt: Option<Duration>) -> f64 {
    let percent = loss.clamp(0.0, 1.0) * 100.0;
    let equipment =
        EQUIPMENT_IMPAIRMENT + (95.0 - EQUIPMENT_IMPAIRMENT) * percent / (percent + LOSS_ROBUSTNESS);
    let rating = BASE_RATING - equipment - delay_impairment(jitter_ms, rtt);
    score_of(rating)
}

/// A receiver's buffer of twice the jitter is part of the delay, as is one packet.
fn delay_impairment(jitter_ms: f64, rtt: Option<Duration>) -> f64 {
    let Some(rtt) = rtt else { return 0.0 };
    let one_way = rtt.as_secs_f64() * 500.0 + 2.0 * jitter_ms.max(0.0) + 20.0;
    0.024 * one_way + 0.11 * (one_way - 177.3).max(0.0)
}

/// ITU-T G.107 annex B.
fn score_of(rating: f64) -> f64 {
    let r = rating.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(measured: f64, expected: f64) {
        assert!((measured - expected).abs() < 0.02, "{measured} is not {expected}");
    }

    #[test]
    fn an_unharmed_call_scores_as_the_e_model_says() {
        assert_near(mean_opinion_score(0.0, 0.0, None), 4.41);
    }

    #[test]
    fn loss_costs_what_g113_says() {
        // Ie,eff = 95 * 5 / (5 + 25.1) = 15.78, so R = 77.42.
        assert_near(mean_opinion_score(0.05, 0.0, None), 3.92);
        // Ie,eff = 95 * 20 / (20 + 25.1) = 42.13, so R = 51.07.
        assert_near(mean_opinion_score(0.2, 0.0, None), 2.63);
    }

    #[test]
    fn long_delay_lowers_the_score() {
        // One way 300 + 20 ms: Id = 7.68 + 15.70, so R = 69.8.
        assert_near(mean_opinion_score(0.0, 0.0, Some(Duration::from_millis(600))), 3.59);
    }

    #[test]
    fn nonsense_stays_inside_the_scale() {
        assert_near(mean_opinion_score(7.0, 1e9, Some(Duration::from_secs(3600))), 1.0);
        assert!(mean_opinion_score(-1.0, -5.0, Some(Duration::ZERO)) <= 4.5);
    }
}
