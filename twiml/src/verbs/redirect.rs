//! `<Redirect>`: the call goes on with another document. It picks nothing up.

use super::{Definition, Flow, Verb};
use crate::{
    ask::{Ask, Request},
    element::Element,
};

pub(super) const REDIRECT: Definition = Definition { name: "Redirect", attributes: &["method"], parse };

#[derive(Debug)]
struct Redirect(Option<Request>);

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    let (text, method) = (element.own_text(), element.method("method"));
    Box::new(Redirect(element.resolve(&text).map(|url| Request { url, method, params: Vec::new() })))
}

impl Verb for Redirect {
    fn needs_answer(&self) -> bool {
        false
    }

    fn begin(&mut self) -> Flow {
        self.0.take().map_or(Flow::End(Ask::HangUp), Flow::Leave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::testing::*;

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
    fn an_address_that_is_none_ends_the_call() {
        let body = "<Redirect>mailto:me@example.com</Redirect>";
        assert_eq!((acts(&run(body).1), codes(body)), (vec![Ask::HangUp], vec![11100]));
    }
}
