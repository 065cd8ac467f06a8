//! An account's limits as the API writes them.

use super::text::Text;
use crate::fields::Fields;
use domain::{
    country::Country,
    limits::{InvalidLimits, Limits},
};
use poem_openapi::Object;

/// How much an account may place calls, and where to. Emergency calls are outside of it.
#[derive(Clone, Debug, Object)]
pub(super) struct AccountLimits {
    /// Calls placed in any one second, by the API and by `<Dial>`. Further calls of the API wait in the queue.
    calls_per_second: i32,
    /// Calls placed that are not over. Further calls of the API wait in the queue.
    calls_at_once: i32,
    /// Calls dialled from one caller to one callee that are not over.
    same_pair_at_once: i32,
    /// ISO codes of the countries it may call beside the carrier's own.
    countries: Vec<String>,
    /// Whether it may call satellites, premium rate numbers and their like.
    high_risk: bool,
}

/// What to change in an account's limits; absent fields stay as they are.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub(super) struct AccountLimitsUpdate {
    /// Calls placed in any one second, 1 to 1,000.
    calls_per_second: Option<i32>,
    /// Calls placed that are not over, 1 to 100,000.
    calls_at_once: Option<i32>,
    /// Calls dialled from one caller to one callee that are not over, 1 to 100,000.
    same_pair_at_once: Option<i32>,
    /// ISO codes of the countries it may call beside the carrier's own; the whole list.
    countries: Option<Vec<Text>>,
    /// Whether it may call satellites, premium rate numbers and their like.
    high_risk: Option<bool>,
}

impl From<Limits> for AccountLimits {
    fn from(limits: Limits) -> AccountLimits {
        AccountLimits {
            calls_per_second: shown(limits.calls_per_second),
            calls_at_once: shown(limits.calls_at_once),
            same_pair_at_once: shown(limits.same_pair_at_once),
            countries: limits.countries.iter().map(|country| country.code().to_owned()).collect(),
            high_risk: limits.high_risk,
        }
    }
}

impl AccountLimitsUpdate {
    /// The limits that come of it; `None` when something is wrong, which is noted.
    pub(super) fn apply(self, before: &Limits, fields: &mut Fields) -> Option<Limits> {
        let read = |(index, text): (usize, &Text)| fields.read(&format!("limits.countries.{index}"), text);
        let countries: Option<Option<Vec<Country>>> = match &self.countries {
            Some(codes) => codes.iter().enumerate().map(read).collect::<Option<Vec<_>>>().map(Some),
            None => Some(None),
        };
        let limits = Limits {
            calls_per_second: self.calls_per_second.map_or(before.calls_per_second, count),
            calls_at_once: self.calls_at_once.map_or(before.calls_at_once, count),
            same_pair_at_once: self.same_pair_at_once.map_or(before.same_pair_at_once, count),
            countries: countries?.unwrap_or_else(|| before.countries.clone()),
            high_risk: self.high_risk.unwrap_or(before.high_risk),
        };
        limits.checked().map_err(|wrong| fields.wrong(field_of(&wrong), wrong)).ok()
    }
}

/// A number that is asked for; below none it is none, which is refused.
fn count(asked: i32) -> u32 {
    u32::try_from(asked).unwrap_or(0)
}

fn shown(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn field_of(wrong: &InvalidLimits) -> &'static str {
    match wrong {
        InvalidLimits::PerSecond => "limits.calls_per_second",
        InvalidLimits::AtOnce => "limits.calls_at_once",
        InvalidLimits::SamePair => "limits.same_pair_at_once",
        InvalidLimits::Countries => "limits.countries",
    }
}
