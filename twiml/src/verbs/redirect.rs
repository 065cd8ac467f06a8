//! `<Redirect>`: the call goes on with another document. It picks nothing up.

use super::{Definition, Flow, Verb};
use crate::{
    ask::Request,
    element::{Element, Warning},
};

pub(super) const REDIRECT: Definition = Definition { name: "Redirect", attributes: &["method"], parse };

#[derive(Debug)]
struct Redirect(Result<Request, Warning>);

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    let (text, method) = (element.own_text(), element.method("method"));
    Box::new(Redirect(element.address(&text).map(|url| Request { url, method, params: Vec::new() })))
}

impl Verb for Redirect {
    fn needs_answer(&self) -> bool {
        false
    }

    fn begin(&mut self) -> Flow {
        self.0.clone().map_or_else(Flow::Fail, Flow::Leave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ask, Event, verbs::testing::*};

    // method (POST); body URL

    #[test]
    fn the_call_goes_on_with_another_document() {
        let cases = [
            ("<Redirect>next</Redirect>", "https://example.com/app/next", "POST"),
            (r#"<Redirect method="GET">../x?a=1</Redirect>"#, "https://example.com/x?a=1", "GET"),
            ("<Redirect/>", "https://example.com/app/voice", "POST"),
        ];
        for (body, url, method) in cases {
            assert_eq!(fetched(&run_unanswered(body).1), Some((url.into(), method, String::new())), "{body}");
        }
    }

    #[test]
    fn verbs_after_it_are_unreachable() {
        assert_eq!(acts(&run("<Redirect>next</Redirect><Say>never</Say>").1).len(), 1);
    }

    #[test]
    fn an_address_that_is_none_fails_when_it_is_its_turn() {
        for address in
            ["mailto:me@example.com", "javascript:1", "http://[::1", "http://a.test:99999/", "ftp://a"]
        {
            let body = format!("<Say>Hi</Say><Redirect>{address}</Redirect><Say>never</Say>");
            let (mut machine, asks) = run(&body);
            assert_eq!((acts(&asks), codes(&body)), (vec![say("Hi")], vec![]));
            let asks = acts(&machine.on(&Event::PlayFinished));
            assert!(matches!(&asks[..], [Ask::Fail(Warning { code: 11100, .. })]), "{address}: {asks:?}");
        }
    }
}
