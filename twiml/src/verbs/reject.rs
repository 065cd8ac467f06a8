//! `<Reject>`: turns the call away without picking up. Once the call is answered it hangs up.

use super::{Definition, Flow, Verb};
use crate::{
    ask::{Ask, RejectReason},
    element::{Element, SCHEMA_WARNING},
};

pub(super) const REJECT: Definition = Definition { name: "Reject", attributes: &["reason"], parse };

#[derive(Debug)]
struct Reject(RejectReason);

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    let reason = match element.attribute("reason").map(str::trim) {
        None | Some("rejected") => RejectReason::Rejected,
        Some("busy") => RejectReason::Busy,
        Some(_) => {
            element.warn(SCHEMA_WARNING, "reason is neither rejected nor busy; rejected is used");
            RejectReason::Rejected
        }
    };
    Box::new(Reject(reason))
}

impl Verb for Reject {
    fn needs_answer(&self) -> bool {
        false
    }

    fn begin(&mut self) -> Flow {
        Flow::End(Ask::Reject(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::testing::*;

    // reason (rejected; busy) must be first, unbilled

    #[test]
    fn the_reason_is_rejected_or_busy() {
        let cases = [
            ("<Reject/>", RejectReason::Rejected),
            (r#"<Reject reason="rejected"/>"#, RejectReason::Rejected),
            (r#"<Reject reason="busy"/>"#, RejectReason::Busy),
            (r#"<Reject reason="bored"/>"#, RejectReason::Rejected),
        ];
        for (body, reason) in cases {
            assert_eq!(acts(&run_unanswered(body).1), [Ask::Reject(reason)], "{body}");
        }
        assert_eq!(codes(r#"<Reject reason="bored"/>"#), [12200]);
    }

    #[test]
    fn after_another_verb_it_hangs_up() {
        let (mut machine, _) = run("<Say>Sorry</Say><Reject/>");
        assert_eq!(acts(&machine.on(&crate::Event::PlayFinished)), [Ask::HangUp]);
    }
}
