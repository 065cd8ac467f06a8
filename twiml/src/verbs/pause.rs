//! `<Pause>`: silence. As the first verb it delays picking up.

use super::{Definition, Flow, Verb};
use crate::{
    ask::{Ask, Event},
    element::Element,
};
use std::time::Duration;

pub(super) const PAUSE: Definition = Definition { name: "Pause", attributes: &["length"], parse };

/// Seconds one pause may last.
const LONGEST: u64 = 3600;

#[derive(Debug)]
struct Pause(Duration);

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    Box::new(Pause(length(element)))
}

pub(super) fn length(element: &mut Element<'_, '_>) -> Duration {
    element.seconds("length", 0..=LONGEST, 1)
}

impl Verb for Pause {
    fn needs_answer(&self) -> bool {
        false
    }

    fn begin(&mut self) -> Flow {
        Flow::Stay(vec![Ask::Timer(self.0)])
    }

    fn on(&mut self, event: &Event) -> Flow {
        match event {
            Event::TimerFired => Flow::Next(Vec::new()),
            _ => Flow::Stay(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::testing::*;

    // length (1 s)

    #[test]
    fn it_lasts_a_second_unless_told_otherwise() {
        for (body, seconds) in
            [("<Pause/>", 1), (r#"<Pause length="7"/>"#, 7), (r#"<Pause length="-2"/>"#, 1)]
        {
            assert_eq!(acts(&run(body).1), [Ask::Timer(Duration::from_secs(seconds))], "{body}");
        }
    }

    // "If <Pause> is the first verb, the call is picked up after it."

    #[test]
    fn as_the_first_verb_it_delays_picking_up() {
        let (mut machine, asks) = run_unanswered("<Pause/><Say>Hi</Say>");
        assert_eq!(acts(&asks), [Ask::Timer(Duration::from_secs(1))]);
        assert_eq!(acts(&machine.on(&Event::TimerFired)), [Ask::Answer]);
    }
}
