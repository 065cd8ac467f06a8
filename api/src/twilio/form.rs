//! Parameters: of a form body or of the query; one name may come several times only where a list is meant.

use super::fault::Fault;
use domain::{
    Timestamp,
    webhook_url::{Method, WebhookUrl},
};
use std::str::FromStr;

/// The length of a day in UTC.
const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// Most parameters of one request.
const MAX_PARAMETERS: usize = 1_000;

/// A request's parameters, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`. A name that ends in `>=` or `<=` is the one without its equals sign: who
    /// encodes all of Twilio's `StartTime>=2026-11-23` means that.
    pub fn parse(text: &[u8]) -> Result<Form, Fault> {
        let pairs: Vec<(String, String)> =
            serde_html_form::from_bytes(text).map_err(|_| Fault::invalid("the parameters are not a form"))?;
        if pairs.len() > MAX_PARAMETERS {
            return Err(Fault::invalid("too many parameters"));
        }
        let named = |(name, value): (String, String)| match name.strip_suffix('=') {
            Some(span) if span.ends_with(['<', '>']) => (span.to_owned(), value),
            _ => (name, value),
        };
        Ok(Form(pairs.into_iter().map(named).collect()))
    }

    /// The names, each once, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.0 {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Whether a name is given with a value.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, value)| known == name && !value.is_empty())
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a name that may come once.
    pub fn given(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(String::as_str)),
            _ => Err(Fault::invalid(format!("Parameter {name} is given more than once"))),
        }
    }

    /// The same; an empty value counts as none.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Fault> {
        Ok(self.given(name)?.filter(|value| !value.is_empty()))
    }

    /// A value that must parse.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Fault> {
        let invalid = |value: &str| {
            let value: String = value.chars().take(64).collect();
            Fault::invalid(format!("Parameter {name} has an invalid value: {value}"))
        };
        self.one(name)?.map(|value| value.parse().map_err(|_| invalid(value))).transpose()
    }

    /// A whole number within limits.
    pub fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Fault> {
        match self.parsed::<u32>(name)? {
            Some(number) if !(least..=most).contains(&number) => {
                Err(Fault::invalid(format!("Parameter {name} must be {least} to {most}")))
            }
            number => Ok(number),
        }
    }

    /// GET or POST; POST when nothing is said.
    pub fn method(&self, name: &str) -> Result<Method, Fault> {
        Ok(self.parsed(name)?.unwrap_or_default())
    }

    /// An absolute http or https URL, with the code to refuse another with.
    pub fn url(&self, name: &str, code: u32) -> Result<Option<WebhookUrl>, Fault> {
        let invalid = |value: &str| {
            let value: String = value.chars().take(80).collect();
            Fault::parameter(code, format!("{name} is not a valid URL: {value}"))
        };
        self.one(name)?.map(|value| value.parse().map_err(|_| invalid(value))).transpose()
    }

    /// A span of time, by Twilio's three spellings: `Name` (that day, or that very second), `Name<` (in the second of its
    /// beginning or before: bodies say whole seconds), `Name>` (at its beginning or after); several narrow each other. From
    /// inclusive, until exclusive.
    pub fn span(&self, name: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), Fault> {
        let (mut from, mut until) = (None, None);
        if let Some((begin, end)) = self.moment(name)? {
            (from, until) = (Some(begin), Some(end));
        }
        if let Some((begin, _)) = self.moment(&format!("{name}<"))? {
            let before = begin.plus(std::time::Duration::from_secs(1));
            until = Some(until.map_or(before, |until| until.min(before)));
        }
        if let Some((begin, _)) = self.moment(&format!("{name}>"))? {
            from = from.max(Some(begin));
        }
        Ok((from, until))
    }

    /// A day (`2026-11-23`) or a second (`2026-11-23T10:00:00Z`, and the same without a zone: Twilio's times are GMT), as its
    /// beginning and its end. The SDKs send a day as its midnight in UTC (`2026-11-23T00:00:00Z`) and mean all of it.
    fn moment(&self, name: &str) -> Result<Option<(Timestamp, Timestamp)>, Fault> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let begin = Timestamp::asked(text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Fault::invalid(format!("Parameter {name} is not a date: {shown}"))
        })?;
        let length = if begin.is_midnight() { DAY } else { std::time::Duration::from_secs(1) };
        Ok(Some((begin, begin.plus(length))))
    }

    /// The parameters without those that say which page, as a query.
    pub fn without_page(&self) -> Vec<(&str, &str)> {
        let of_page = ["Page", "PageSize", "PageToken"];
        let rest = self.0.iter().filter(|(name, _)| !of_page.contains(&name.as_str()));
        rest.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_scalar_means_one() {
        assert_eq!(form("To=1&To=2").one("To").unwrap_err().code, 20001);
        assert_eq!(form("To=%2B1+2").one("To").unwrap(), Some("+1 2"));
        assert_eq!(form("To=").one("To").unwrap(), None);
        assert_eq!(form("To=").given("To").unwrap(), Some(""));
    }

    #[test]
    fn a_list_is_a_repeated_name() {
        let form = form("StatusCallbackEvent=initiated&StatusCallbackEvent=ringing");
        assert_eq!(form.all("StatusCallbackEvent").collect::<Vec<_>>(), ["initiated", "ringing"]);
    }

    #[test]
    fn midnight_as_the_sdks_send_a_day_is_that_day() {
        let day = form("EndTime=2026-11-23").span("EndTime").unwrap();
        for sent in ["2026-11-23T00:00:00Z", "2026-11-23T00:00:00.000Z", "2026-11-23T00:00:00%2B00:00"] {
            assert_eq!(form(&format!("EndTime={sent}")).span("EndTime").unwrap(), day, "{sent}");
        }
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let second = form("EndTime=2026-11-23T00:00:01Z").span("EndTime").unwrap();
        assert_eq!(second, (at("2026-11-23T00:00:01Z"), at("2026-11-23T00:00:02Z")));
    }

    #[test]
    fn spans_have_three_spellings() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let day = form("StartTime=2026-11-23").span("StartTime").unwrap();
        assert_eq!(day, (at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z")));
        let between =
            form("StartTime%3E=2026-11-23&StartTime%3C=2026-11-24T00:00:00Z").span("StartTime").unwrap();
        assert_eq!(between, (at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:01Z")));
        let encoded = form("StartTime%3E%3D=2026-11-23&StartTime%3C%3D=2026-11-24T00:00:00Z");
        assert_eq!(encoded.span("StartTime").unwrap(), between, "the whole of it encoded");
        let narrowed =
            form("StartTime=2026-11-23&StartTime%3E=2026-11-23T10:00:00Z").span("StartTime").unwrap();
        assert_eq!(narrowed, (at("2026-11-23T10:00:00Z"), at("2026-11-24T00:00:00Z")));
        let zoneless = form("StartTime=2026-11-23T10:00:00").span("StartTime").unwrap();
        assert_eq!(zoneless, (at("2026-11-23T10:00:00Z"), at("2026-11-23T10:00:01Z")));
        let ever = form("StartTime%3E=0001-01-01&StartTime%3C=9999-12-31").span("StartTime").unwrap();
        assert!(ever.0 < at("1970-01-01T00:00:00Z") && ever.1 > at("9999-12-30T00:00:00Z"), "{ever:?}");
        assert!(form("StartTime=yesterday").span("StartTime").is_err());
    }
}
