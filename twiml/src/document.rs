//! A TwiML document: what an application answered, read once into steps.
//!
//! Unknown elements and attributes are warnings (Twilio 12200) and ignored; what Twilio knows and we do not, as
//! `missing` says. A document that is no XML is an error (12100) and goes to the fallback URL. An empty one hangs up.
//! Any encoding of the web is read.

use crate::{
    element::{Element, SCHEMA_WARNING, Warning, quote},
    encoding,
    verbs::{self, Step},
};
use std::collections::VecDeque;
use url::Url;

/// Twilio's limit for a document: 64 KB.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
/// XML nodes a document may have; 64 KB of the shortest elements stay below it.
const MAX_NODES: u32 = 20_000;
/// How deeply elements may be nested; TwiML itself needs four.
const MAX_DEPTH: usize = 16;
/// Verbs in one document.
const MAX_VERBS: usize = 1_000;
/// Warnings kept of one document.
const MAX_WARNINGS: usize = 50;

/// A document that can be run.
#[derive(Debug)]
pub struct Document {
    steps: VecDeque<Step>,
    warnings: Vec<Warning>,
}

/// Why an answer is no document. [`DocumentError::code`] is Twilio's number for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More than 64 KB.
    #[error("the document is larger than 64 KB")]
    TooLarge,
    /// Not text in an encoding that is known.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    /// Not well-formed XML.
    #[error("the document is not well-formed XML: {0}")]
    Malformed(String),
    /// The root is not `<Response>`.
    #[error("the root element is <{0}>, not <Response>")]
    WrongRoot(String),
    /// Neither XML, audio nor plain text.
    #[error("the content type is {0:?}, not text/xml")]
    WrongType(String),
}

impl DocumentError {
    /// Twilio's error code.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            DocumentError::TooLarge => 11750,
            DocumentError::Unreadable(_) | DocumentError::Malformed(_) => 12100,
            DocumentError::WrongRoot(_) => 12101,
            DocumentError::WrongType(_) => 12300,
        }
    }
}

impl Document {
    /// Reads an HTTP answer by its content type: XML is TwiML, `audio/*` is played,
    /// `text/plain` is spoken, and nothing at all hangs up.
    ///
    /// # Errors
    /// [`DocumentError`] when it is none of these.
    pub fn from_response(
        content_type: Option<&str>,
        body: &[u8],
        url: &Url,
    ) -> Result<Document, DocumentError> {
        let essence = essence(content_type);
        if is_audio(content_type) {
            return Ok(Document::of(verbs::play_of(url.clone())));
        }
        if body.len() > MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge);
        }
        if body.trim_ascii().is_empty() {
            return Ok(Document { steps: VecDeque::new(), warnings: Vec::new() });
        }
        let text = &encoding::text_of(body, content_type).map_err(DocumentError::Unreadable)?;
        match essence.as_str() {
            "text/xml" | "application/xml" | "text/html" | "application/xhtml+xml" => {
                Document::of_xml(text, Some(url))
            }
            "text/plain" => Ok(Document::of(verbs::say_of(text))),
            "" if text.trim_start().starts_with('<') => Document::of_xml(text, Some(url)),
            other => Err(DocumentError::WrongType(quote(other))),
        }
    }

    /// Reads TwiML text. `url` is where it came from; relative addresses resolve against it.
    ///
    /// # Errors
    /// [`DocumentError`] when it is too large, no XML, or has another root.
    pub fn parse(text: &str, url: Option<&Url>) -> Result<Document, DocumentError> {
        if text.len() > MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge);
        }
        Document::of_xml(text, url)
    }

    /// A DOCTYPE is stepped over; nothing it names is loaded. One that declares entities is refused: a few of them grow into
    /// more than memory holds, and TwiML needs none.
    fn of_xml(text: &str, url: Option<&Url>) -> Result<Document, DocumentError> {
        if text.contains("<!ENTITY") {
            return Err(DocumentError::Malformed("entities may not be declared".into()));
        }
        let options =
            roxmltree::ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..Default::default() };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let xml = roxmltree::Document::parse_with_options(text, options)
            .map_err(|error| DocumentError::Malformed(error.to_string()))?;
        let root = xml.root_element();
        if root.tag_name().name() != "Response" {
            return Err(DocumentError::WrongRoot(quote(root.tag_name().name())));
        }
        if root.descendants().any(|node| node.ancestors().nth(MAX_DEPTH).is_some()) {
            return Err(DocumentError::Malformed(format!("elements are nested more than {MAX_DEPTH} deep")));
        }
        Ok(Document::read(root, url))
    }

    fn read(root: roxmltree::Node<'_, '_>, url: Option<&Url>) -> Document {
        let mut document = Document { steps: VecDeque::new(), warnings: Vec::new() };
        for node in root.children().filter(roxmltree::Node::is_element) {
            let mut element = Element::new(node, url, &mut document.warnings);
            match verbs::read(&mut element) {
                Some(_) if document.steps.len() >= MAX_VERBS => {
                    element.warn(SCHEMA_WARNING, format_args!("only the first {MAX_VERBS} verbs are run"));
                    break;
                }
                Some(step) => document.steps.push_back(step),
                None => element.warn(SCHEMA_WARNING, "is not a verb we speak; ignored"),
            }
        }
        document.warnings.truncate(MAX_WARNINGS);
        document
    }

    fn of(step: Step) -> Document {
        Document { steps: VecDeque::from([step]), warnings: Vec::new() }
    }

    /// What its author should know.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(crate) fn into_parts(self) -> (VecDeque<Step>, Vec<Warning>) {
        (self.steps, self.warnings)
    }
}

/// Whether an answer of this content type is a sound, to be played as it came.
#[must_use]
pub fn is_audio(content_type: Option<&str>) -> bool {
    essence(content_type).starts_with("audio/")
}

/// The type without its parameters, in lower case.
fn essence(content_type: Option<&str>) -> String {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, DocumentError> {
        Document::parse(text, None)
    }

    fn answer(content_type: Option<&str>, body: &str) -> Result<Document, DocumentError> {
        Document::from_response(
            content_type,
            body.as_bytes(),
            &Url::parse("https://example.com/voice").unwrap(),
        )
    }

    #[test]
    fn unknown_verbs_and_attributes_are_warnings() {
        let document = parse(r#"<Response><Say pitch="high">Hi</Say><Dance/></Response>"#).unwrap();
        let codes: Vec<_> = document.warnings().iter().map(|warning| warning.code).collect();
        assert_eq!((document.steps.len(), codes), (1, vec![12200, 12200]));
        assert!(document.warnings()[1].message.contains("Dance"), "{:?}", document.warnings());
    }

    #[test]
    fn names_are_case_sensitive() {
        assert_eq!(parse("<Response><say>Hi</say></Response>").unwrap().steps.len(), 0);
        assert_eq!(parse("<response/>").unwrap_err().code(), 12101);
    }

    #[test]
    fn what_is_no_xml_is_an_error() {
        let cases = [
            "<Response><Say>Hi</Response>",
            "hello",
            " <?xml version=\"1.0\"?><Response/>",
            "<Response>&nope;</Response>",
            "<!DOCTYPE r [<!ENTITY a \"b\">]><Response>&a;</Response>",
        ];
        for text in cases {
            assert_eq!(parse(text).unwrap_err().code(), 12100, "{text}");
        }
    }

    #[test]
    fn a_doctype_is_stepped_over_and_nothing_it_names_is_loaded() {
        for doctype in [
            "<!DOCTYPE Response>",
            "<!DOCTYPE Response SYSTEM \"file:///etc/passwd\">",
            "<!DOCTYPE Response PUBLIC \"-//X//Y\" \"http://127.0.0.1/twiml.dtd\">",
            "<!DOCTYPE Response [<!ELEMENT Response ANY><!ATTLIST Say voice CDATA #IMPLIED>]>",
        ] {
            let text = format!("<?xml version=\"1.0\"?>\n{doctype}\n<Response><Say>Hi</Say></Response>");
            assert_eq!(parse(&text).unwrap().steps.len(), 1, "{doctype}");
        }
    }

    #[test]
    fn entities_are_never_declared_whatever_they_would_grow_to() {
        let laughs: String =
            (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
        let quadratic = format!("<!ENTITY l0 \"{}\">", "a".repeat(30_000));
        for declared in [
            format!("<!ENTITY l0 \"ha\">{laughs}"),
            quadratic,
            "<!ENTITY l0 SYSTEM \"file:///etc/passwd\">".into(),
            "<!ENTITY % l0 SYSTEM \"http://127.0.0.1/\"> %l0;".into(),
        ] {
            let text = format!("<!DOCTYPE r [{declared}]><Response><Say>&l0;</Say></Response>");
            assert_eq!(parse(&text).unwrap_err().code(), 12100, "{declared:.60}");
        }
    }

    #[test]
    fn a_document_in_another_encoding_is_a_document() {
        let url = Url::parse("https://example.com/").unwrap();
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Response><Say>\xe9</Say></Response>";
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Response><Hangup/></Response>";
        let wide: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for body in [&latin[..], &wide] {
            let document = Document::from_response(Some("text/xml"), body, &url).unwrap();
            assert_eq!((document.steps.len(), document.warnings().len()), (1, 0));
        }
    }

    #[test]
    fn a_document_has_limits() {
        let large = format!("<Response><Say>{}</Say></Response>", "a".repeat(MAX_DOCUMENT_BYTES));
        assert_eq!(parse(&large).unwrap_err().code(), 11750);
        let deep = format!("<Response>{}{}</Response>", "<a>".repeat(9000), "</a>".repeat(9000));
        assert_eq!(parse(&deep).unwrap_err().code(), 12100);
        let many = format!("<Response>{}</Response>", "<Hangup/>".repeat(1001));
        assert_eq!(parse(&many).unwrap().steps.len(), 1000);
        let wrong = format!("<Response>{}</Response>", "<Sway/>".repeat(1001));
        assert_eq!(parse(&wrong).unwrap().warnings().len(), MAX_WARNINGS);
    }

    #[test]
    fn the_content_type_decides_what_an_answer_is() {
        let twiml = "<Response><Hangup/></Response>";
        for good in ["text/xml", "application/xml; charset=utf-8", "TEXT/HTML", "audio/mpeg", "text/plain"] {
            assert_eq!(answer(Some(good), twiml).unwrap().steps.len(), 1, "{good}");
        }
        assert_eq!(answer(None, twiml).unwrap().steps.len(), 1);
        assert_eq!(answer(Some("application/json"), "{}").unwrap_err().code(), 12300);
        assert_eq!(answer(None, "hello").unwrap_err().code(), 12300);
    }

    #[test]
    fn an_empty_answer_is_an_empty_document() {
        for body in ["", "  \n", "<Response/>", "<Response><!-- nothing --></Response>"] {
            assert_eq!(answer(Some("text/xml"), body).unwrap().steps.len(), 0, "{body:?}");
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_malformed() {
        let url = Url::parse("https://example.com/").unwrap();
        let error =
            Document::from_response(Some("text/xml"), b"<Response>\xff</Response>", &url).unwrap_err();
        assert_eq!(error.code(), 12100);
    }
}
