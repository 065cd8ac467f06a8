//! Connection overrides in a URL's fragment (`#ct=2000&rc=3`): never sent, only obeyed.

use super::MAX_TIME;
use std::time::Duration;

/// How a request to one URL is made. Twilio's defaults and ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrides {
    /// `ct`: time to connect, 100-10,000 ms.
    pub connect: Duration,
    /// `rt`: longest silence while the response is awaited or read, 100-15,000 ms.
    pub read: Duration,
    /// `tt`: everything together, retries and redirects included, 100-15,000 ms.
    pub total: Duration,
    /// `rc`: how often it is tried again, 0-5.
    pub retries: u32,
    /// `rp`: after what it is tried again.
    pub policy: Policy,
}

/// After what a request is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `4xx`: a client error.
    pub client_error: bool,
    /// `5xx`: a server error.
    pub server_error: bool,
    /// `ct`: no connection.
    pub connect: bool,
    /// `rt`: no response.
    pub read: bool,
}

impl Default for Overrides {
    fn default() -> Overrides {
        Overrides {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: MAX_TIME,
            retries: 1,
            policy: Policy { connect: true, ..Policy::default() },
        }
    }
}

impl Overrides {
    /// Reads a fragment. What is unknown or no number is passed over, what is out of range is brought into it.
    #[must_use]
    pub fn of(fragment: Option<&str>) -> Overrides {
        let mut overrides = Overrides::default();
        for (key, value) in fragment.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            overrides.set(key, value);
        }
        overrides
    }

    fn set(&mut self, key: &str, value: &str) {
        let number = value.parse::<u64>().ok();
        let millis = |most: u64| number.map(|number| Duration::from_millis(number.clamp(100, most)));
        match key {
            "ct" => self.connect = millis(10_000).unwrap_or(self.connect),
            "rt" => self.read = millis(15_000).unwrap_or(self.read),
            "tt" => self.total = millis(15_000).unwrap_or(self.total),
            "rc" => {
                self.retries =
                    number.map_or(self.retries, |number| u32::try_from(number.min(5)).unwrap_or(5));
            }
            "rp" => self.policy = Policy::of(value),
            _ => {}
        }
    }
}

impl Policy {
    fn of(list: &str) -> Policy {
        let has = |name: &str| list.split(',').any(|item| item == name || item == "all");
        Policy { client_error: has("4xx"), server_error: has("5xx"), connect: has("ct"), read: has("rt") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_overrides_within_its_range() {
        let overrides = Overrides::of(Some("ct=2000&rt=1&tt=99999&rc=9&rp=5xx,ct&e=ashburn"));
        assert_eq!(overrides.connect, Duration::from_millis(2000));
        assert_eq!(overrides.read, Duration::from_millis(100));
        assert_eq!(overrides.total, Duration::from_secs(15));
        assert_eq!(overrides.retries, 5);
        assert!(overrides.policy.server_error && overrides.policy.connect && !overrides.policy.read);
    }

    #[test]
    fn an_ordinary_fragment_changes_nothing() {
        assert_eq!(Overrides::of(Some("top")), Overrides::default());
        assert_eq!(Overrides::of(Some("rc=many")), Overrides::default());
        assert_eq!(Overrides::of(None), Overrides::default());
    }
}
