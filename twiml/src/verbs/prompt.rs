//! What is heard: the shared half of `<Say>`, `<Play>` and the prompts inside `<Gather>`.

use crate::ask::Ask;
use std::time::Duration;

/// One thing to be heard, or a silence.
#[derive(Clone, Debug)]
pub(super) enum Prompt {
    /// A `Say`, `Play` or `SendDigits`.
    Sound(Ask),
    Silence(Duration),
}

impl Prompt {
    pub(super) fn ask(self) -> Ask {
        match self {
            Prompt::Sound(ask) => ask,
            Prompt::Silence(length) => Ask::Timer(length),
        }
    }
}
