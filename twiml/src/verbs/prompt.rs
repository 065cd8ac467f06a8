//! What is heard: the shared half of `<Say>`, `<Play>` and the prompts inside `<Gather>`.

use super::{pause, play, say};
use crate::{
    ask::Ask,
    element::{Element, SCHEMA_WARNING, quote},
};
use std::{collections::VecDeque, time::Duration};

/// Prompts inside one `<Gather>`.
const MAX_PROMPTS: usize = 100;

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

/// The `<Say>`, `<Play>` and `<Pause>` children of an element; others are warned about.
pub(super) fn children(element: &mut Element<'_, '_>) -> VecDeque<Prompt> {
    let mut prompts = VecDeque::new();
    for node in element.children() {
        let mut child = element.child(node);
        let prompt = match child.name() {
            "Say" => checked(&mut child, &say::SAY, say::prompt),
            "Play" => checked(&mut child, &play::PLAY, play::prompt),
            "Pause" => {
                checked(&mut child, &pause::PAUSE, |child| Some(Prompt::Silence(pause::length(child))))
            }
            other => {
                let message = format!("<{}> cannot be inside it; ignored", quote(other));
                element.warn(SCHEMA_WARNING, message);
                continue;
            }
        };
        prompts.extend(prompt);
    }
    if prompts.len() > MAX_PROMPTS {
        element.warn(SCHEMA_WARNING, format_args!("only the first {MAX_PROMPTS} prompts are heard"));
        prompts.truncate(MAX_PROMPTS);
    }
    prompts
}

fn checked(
    child: &mut Element<'_, '_>,
    definition: &super::Definition,
    read: impl Fn(&mut Element<'_, '_>) -> Option<Prompt>,
) -> Option<Prompt> {
    child.expect_attributes(definition.attributes);
    read(child)
}
