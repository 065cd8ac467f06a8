//! The prompts inside `<Gather>`.

use super::{Definition, pause, play, prompt::Prompt, say};
use crate::element::{Element, SCHEMA_WARNING, quote};
use std::collections::VecDeque;

/// Prompts inside one `<Gather>`.
const MAX_PROMPTS: usize = 100;

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
    definition: &Definition,
    read: impl Fn(&mut Element<'_, '_>) -> Option<Prompt>,
) -> Option<Prompt> {
    child.expect_attributes(definition.attributes);
    read(child)
}
