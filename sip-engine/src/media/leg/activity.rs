//! What a leg sends of its own: a prompt, digits, or nothing but silence.

use super::LegState;
use crate::media::{Codec, Loops, MediaEvent, PlayOutcome, PlayToken, Prompt, dtmf::DigitSender, leg::Turn};
use std::sync::Arc;

/// At most one thing is sent at a time.
#[derive(Debug)]
pub(super) enum Activity {
    Idle,
    Playing(Playing),
    /// Digits under a token, or keys of the other party.
    Digits(DigitSender, Option<PlayToken>),
}

/// A prompt on its way out.
#[derive(Debug)]
pub(super) struct Playing {
    prompt: Arc<Prompt>,
    position: usize,
    /// Rounds to go, this one included; `None` is endless.
    rounds: Option<u32>,
    pub(super) token: PlayToken,
}

impl Playing {
    pub(super) fn new(prompt: Arc<Prompt>, loops: Loops, token: PlayToken) -> Self {
        let rounds = match loops {
            Loops::Times(times) => Some(times.get()),
            Loops::Endless => None,
        };
        Self { prompt, position: 0, rounds, token }
    }

    /// Fills a frame, round after round without a gap, and silence after the last. True when it was the last.
    pub(super) fn fill(&mut self, codec: Codec, frame: &mut [u8]) -> bool {
        frame.fill(codec.silence());
        let payload = self.prompt.payload(codec);
        let mut filled = 0;
        while self.rounds != Some(0) && !payload.is_empty() {
            let rest = payload.get(self.position..).unwrap_or_default();
            let room = frame.get_mut(filled..).unwrap_or_default();
            let count = rest.len().min(room.len());
            room[..count].copy_from_slice(&rest[..count]);
            (filled, self.position) = (filled + count, self.position + count);
            if self.position < payload.len() {
                return false;
            }
            self.position = 0;
            self.rounds = self.rounds.map(|rounds| rounds - 1);
        }
        true
    }
}

impl LegState {
    /// Begins a prompt in place of what was sent before.
    pub(in crate::media) fn play(
        &mut self,
        turn: &mut Turn<'_>,
        prompt: Arc<Prompt>,
        loops: Loops,
        token: PlayToken,
    ) {
        self.end_activity(PlayOutcome::Replaced);
        self.activity = Activity::Playing(Playing::new(prompt, loops, token));
        self.plan_frame(turn);
    }

    /// Begins digits in place of what was sent before.
    pub(in crate::media) fn send_digits(&mut self, turn: &mut Turn<'_>, digits: &str, token: PlayToken) {
        self.end_activity(PlayOutcome::Replaced);
        match DigitSender::new(digits) {
            Some(sender) => self.activity = Activity::Digits(sender, Some(token)),
            None => {
                self.emit(MediaEvent::DigitsSent { leg: self.id, token, outcome: PlayOutcome::Refused });
            }
        }
        self.plan_frame(turn);
    }

    /// Ends what is being sent, if anything, and says so.
    pub(in crate::media) fn end_activity(&mut self, outcome: PlayOutcome) {
        let leg = self.id;
        match std::mem::replace(&mut self.activity, Activity::Idle) {
            Activity::Idle => return,
            Activity::Playing(Playing { token, .. }) => {
                self.emit(MediaEvent::PlayFinished { leg, token, outcome });
            }
            Activity::Digits(_, Some(token)) => self.emit(MediaEvent::DigitsSent { leg, token, outcome }),
            Activity::Digits(_, None) => {}
        }
        self.outgoing.interrupt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds_of(times: u32, samples: usize) -> Vec<(usize, bool)> {
        let prompt = Arc::new(Prompt::from_pcm8k(&vec![8_000; samples]));
        let loops = Loops::Times(times.try_into().unwrap());
        let mut playing = Playing::new(prompt, loops, PlayToken(1));
        let mut frames = Vec::new();
        loop {
            let mut frame = [0; 160];
            let last = playing.fill(Codec::Pcmu, &mut frame);
            frames.push((frame.iter().filter(|byte| **byte != 0xff).count(), last));
            if last {
                return frames;
            }
        }
    }

    #[test]
    fn the_last_frame_is_filled_up_with_silence() {
        assert_eq!(rounds_of(1, 400), [(160, false), (160, false), (80, true)]);
        assert_eq!(rounds_of(1, 160), [(160, true)]);
    }

    #[test]
    fn rounds_follow_without_a_gap_even_inside_a_frame() {
        assert_eq!(rounds_of(3, 100), [(160, false), (140, true)]);
        assert_eq!(rounds_of(5, 20), [(100, true)]);
    }

    #[test]
    fn an_empty_prompt_is_over_at_once() {
        assert_eq!(rounds_of(1, 0), [(0, true)]);
        let mut endless = Playing::new(Arc::new(Prompt::from_pcm8k(&[])), Loops::Endless, PlayToken(1));
        assert!(endless.fill(Codec::Pcmu, &mut [0; 160]));
    }
}
