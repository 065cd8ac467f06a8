//! One XML element as a verb sees it: typed attributes, text, and a place for warnings.

use crate::missing::{Instead, Missing};
use std::{fmt::Display, ops::RangeInclusive, time::Duration};
use url::Url;

/// Twilio's code for "this is not in the schema, and is ignored".
pub(crate) const SCHEMA_WARNING: u32 = 12200;
/// Twilio's code for an address that cannot be used.
pub(crate) const BAD_URL: u32 = 11100;
/// Characters of a document's own text repeated in a warning.
const QUOTED: usize = 64;

/// A remark about a document. It runs all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Twilio's error code, for example 12200.
    pub code: u32,
    /// One sentence for the document's author.
    pub message: String,
}

/// Where a program goes on; what cannot be asked is told when it would be.
pub(crate) type Address = Result<Url, Warning>;

/// How a document is requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Parameters in the query.
    Get,
    /// Parameters in the body; the default everywhere.
    #[default]
    Post,
}

impl Method {
    /// `GET` or `POST`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

/// What a document asks for that must not be stepped over and cannot be done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    element: String,
    pub(crate) attribute: Option<String>,
}

impl Lack {
    pub(crate) fn warning(&self) -> Warning {
        let attribute = self.attribute.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let message = format!(
            "<{}>{attribute} is not supported yet and cannot be left out without changing who hears whom",
            self.element
        );
        Warning { code: SCHEMA_WARNING, message }
    }
}

/// An element under the reader's eye. Every lookup that finds a wrong value leaves a warning and gives the default.
pub(crate) struct Element<'a, 'input> {
    node: roxmltree::Node<'a, 'input>,
    base: Option<&'a Url>,
    warnings: &'a mut Vec<Warning>,
}

impl<'a, 'input> Element<'a, 'input> {
    pub(crate) fn new(
        node: roxmltree::Node<'a, 'input>,
        base: Option<&'a Url>,
        warnings: &'a mut Vec<Warning>,
    ) -> Element<'a, 'input> {
        Element { node, base, warnings }
    }

    pub(crate) fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// The attribute as written.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        self.node.attribute(name)
    }

    /// The child elements, in order.
    pub(crate) fn children(&self) -> Vec<roxmltree::Node<'a, 'input>> {
        self.node.children().filter(roxmltree::Node::is_element).collect()
    }

    /// A child as an element of its own, with the same base and the same place for warnings.
    pub(crate) fn child<'b>(&'b mut self, node: roxmltree::Node<'b, 'input>) -> Element<'b, 'input>
    where
        'a: 'b,
    {
        Element { node, base: self.base, warnings: self.warnings }
    }

    /// The text of this element and everything in it, runs of white space as one space.
    pub(crate) fn text(&self) -> String {
        let texts = self.node.descendants().filter(roxmltree::Node::is_text);
        let all: String = texts.filter_map(|text| text.text()).collect();
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Only the text directly in this element, runs of white space as one space.
    pub(crate) fn own_text(&self) -> String {
        let texts = self.node.children().filter(roxmltree::Node::is_text);
        let all: String = texts.filter_map(|text| text.text()).collect();
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn warn(&mut self, code: u32, message: impl Display) {
        self.warnings.push(Warning { code, message: format!("<{}>: {message}", quote(self.name())) });
    }

    pub(crate) fn warn_of(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.attribute(name).map(str::trim) {
            None => default,
            Some("true" | "True" | "TRUE" | "1") => true,
            Some("false" | "False" | "FALSE" | "0") => false,
            Some(_) => self.replaced(name, "true or false", default),
        }
    }

    /// A whole number; one out of range becomes the nearest end of it.
    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(text) = self.attribute(name) else { return default };
        let expected = format!("a number from {} to {}", range.start(), range.end());
        match text.trim().parse::<u64>() {
            Ok(number) if range.contains(&number) => number,
            Ok(number) => self.replaced(name, &expected, number.clamp(*range.start(), *range.end())),
            Err(_) => self.replaced(name, &expected, default),
        }
    }

    /// Whole seconds.
    pub(crate) fn seconds(&mut self, name: &str, range: RangeInclusive<u64>, default: u64) -> Duration {
        Duration::from_secs(self.number(name, range, default))
    }

    /// `loop`: how often to repeat; 0 means for ever, which is 1,000 times here.
    pub(crate) fn times(&mut self) -> u32 {
        const FOREVER: u32 = 1000;
        match self.number("loop", 0..=u64::from(FOREVER), 1) {
            0 => FOREVER,
            times => u32::try_from(times).unwrap_or(FOREVER),
        }
    }

    /// `GET` or `POST` under this attribute name.
    pub(crate) fn method(&mut self, name: &str) -> Method {
        match self.attribute(name).map(|text| text.trim().to_ascii_uppercase()).as_deref() {
            None | Some("POST") => Method::Post,
            Some("GET") => Method::Get,
            Some(_) => self.replaced(name, "GET or POST", Method::Post),
        }
    }

    /// The address in this attribute, resolved against the document's own; `None` when absent or unusable.
    pub(crate) fn url(&mut self, name: &str) -> Option<Url> {
        let text = self.attribute(name)?;
        self.resolve(text)
    }

    /// The address in this attribute that the program goes on at; `None` when it is absent, or empty in a document that has
    /// no address of its own.
    pub(crate) fn next_url(&self, name: &str) -> Option<Address> {
        let text = self.attribute(name)?;
        (self.base.is_some() || !text.trim().is_empty()).then(|| self.address(text))
    }

    /// `text` resolved against the document's own address; a warning and `None` when that gives no web address.
    pub(crate) fn resolve(&mut self, text: &str) -> Option<Url> {
        match self.address(text) {
            Ok(url) => Some(url),
            Err(warning) => {
                self.warn_of(warning);
                None
            }
        }
    }

    /// `text` resolved against the document's own address.
    pub(crate) fn address(&self, text: &str) -> Address {
        let text = text.trim();
        let resolved = match self.base {
            Some(base) => base.join(text).ok(),
            None => Url::parse(text).ok(),
        };
        let url = resolved.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.ok_or_else(|| {
            let message = format!("<{}>: {} is not a web address", quote(self.name()), quote(text));
            Warning { code: BAD_URL, message }
        })
    }

    /// The document's own address, where it has one.
    pub(crate) fn document_url(&self) -> Option<Url> {
        self.base.cloned()
    }

    /// Warns about attributes that nobody knows, and about the ones that are known but not acted upon.
    pub(crate) fn expect_attributes(&mut self, known: &[&str]) {
        for attribute in self.node.attributes() {
            let name = attribute.name();
            match Missing::attribute(self.name(), name) {
                Some(missing) if missing.instead == Instead::Warn => {
                    self.warn(SCHEMA_WARNING, format_args!("{name} is not supported yet and ignored"));
                }
                None if !known.contains(&name) => {
                    self.warn(
                        SCHEMA_WARNING,
                        format_args!("{} is not an attribute of it; ignored", quote(name)),
                    );
                }
                _ => {}
            }
        }
    }

    /// Everything this element asks for that must not be stepped over and cannot be done yet.
    pub(crate) fn lacks(&self) -> Vec<Lack> {
        let lack = |attribute| Lack { attribute, element: self.name().to_owned() };
        let whole = Missing::element(self.name()).filter(|missing| missing.instead == Instead::End);
        let asked = self.node.attributes().filter(|attribute| {
            let missing = Missing::attribute(self.name(), attribute.name());
            missing.is_some_and(|it| it.instead == Instead::End && it.is_asked_by(attribute.value()))
        });
        let attributes = asked.map(|asked| lack(Some(asked.name().to_owned())));
        whole.map(|_| lack(None)).into_iter().chain(attributes).collect()
    }

    /// Attributes and text as written, for the timeline.
    pub(crate) fn details(&self) -> Vec<(String, String)> {
        let attributes = self.node.attributes();
        let mut details: Vec<_> =
            attributes.map(|one| (one.name().to_owned(), one.value().to_owned())).collect();
        let text = self.own_text();
        if !text.is_empty() {
            details.push(("text".into(), text));
        }
        details
    }

    fn replaced<T: std::fmt::Debug>(&mut self, name: &str, expected: &str, used: T) -> T {
        let found = quote(self.attribute(name).unwrap_or_default());
        self.warn(SCHEMA_WARNING, format_args!("{name} is {found}, not {expected}; {used:?} is used"));
        used
    }
}

/// A piece of somebody's text, short enough for a message.
pub(crate) fn quote(text: &str) -> String {
    text.chars().take(QUOTED).collect()
}
