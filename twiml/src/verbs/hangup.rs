//! `<Hangup>`: the end of the call. It picks up first, as Twilio's does; `<Reject>` does not.

use super::{Definition, Flow, Verb};
use crate::{ask::Ask, element::Element};

pub(super) const HANGUP: Definition = Definition { name: "Hangup", attributes: &[], parse };

#[derive(Debug)]
pub(super) struct Hangup;

fn parse(_: &mut Element<'_, '_>) -> Box<dyn Verb> {
    Box::new(Hangup)
}

impl Verb for Hangup {
    fn begin(&mut self) -> Flow {
        Flow::End(Ask::HangUp)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Ask, Event, verbs::testing::*};

    #[test]
    fn it_ends_the_call_and_nothing_follows() {
        assert_eq!(acts(&run("<Hangup/><Say>never</Say>").1), [Ask::HangUp]);
    }

    // "<Hangup> as the first verb does not prevent the call from being answered."

    #[test]
    fn it_picks_up_first() {
        let (mut machine, asks) = run_unanswered("<Hangup/>");
        assert_eq!(asks, [Ask::Answer]);
        assert_eq!(acts(&machine.on(&Event::Answered)), [Ask::HangUp]);
    }
}
