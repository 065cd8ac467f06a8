//! `phone_numbers`: one row per number in a carrier's inventory.

use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    needle::Needle,
    order::By,
    pieces::{Field, Text},
    reads::{Noun, present},
    record::{is, table},
};
use domain::{
    Number, Sid, Timestamp,
    name::{Name, folded},
    phone_number::{PhoneNumber, PhoneNumberEvent, VoiceConfiguration},
    route::NumberClaims,
};
use sea_query::{Cond, Expr, ExprTrait};
use serde::{Deserialize, Serialize};
use store::Fact;

/// How what a number with a name is sorted by begins.
const NAMED: &str = "0";
/// And without one: behind all that have one.
const UNNAMED: &str = "1";

/// A phone number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhoneNumberRow {
    /// Its identifier.
    pub sid: Sid,
    /// The carrier that has it.
    pub carrier: Sid,
    /// The account it is assigned to.
    pub account: Option<Sid>,
    /// The number: E.164 with plus, or a short code.
    pub number: Number,
    /// Whether it takes calls.
    pub enabled: bool,
    /// The digits it is found by, in each of its spellings, with blanks between.
    #[serde(skip_serializing)]
    pub digits: String,
    /// The account's name for it.
    pub name: Option<Name>,
    /// What it is sorted by where names are: `0` and its name as names are compared, or without one `1` and the number.
    #[serde(skip_serializing)]
    pub called: String,
    /// Where its calls are answered from.
    pub voice: VoiceConfiguration,
    /// Since when it is the carrier's, and which sources an operator moved to it.
    pub claims: NumberClaims,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many events it has had: what it is changed at.
    pub version: i64,
}

table!(PhoneNumberRow: "phone_numbers" v 4, key [sid],
    columns [sid, carrier, account, number, digits, enabled, name, called, voice, claims, created_at, updated_at, version],
    indexes [["carrier", "sid"], ["carrier", "account", "sid"], ["carrier", "enabled", "sid"],
        ["carrier", "number", "sid"], ["carrier", "called", "sid"], ["number"]]);

impl Biography for PhoneNumberRow {
    type Of = PhoneNumber;

    const SEARCHED: bool = true;

    fn texts(&self) -> Vec<Text> {
        let text = |field, text: &str| Text { carrier: self.carrier.clone(), field, text: text.to_owned() };
        let name = self.called.strip_prefix(NAMED).map(|name| text(Field::Name, name));
        std::iter::once(text(Field::Digits, &self.digits)).chain(name).collect()
    }

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<PhoneNumberRow>, fact: &Fact, event: PhoneNumberEvent) -> Turn<PhoneNumberRow> {
        use PhoneNumberEvent as E;
        let row = match (row, event) {
            (None, E::Created { number, enabled, account, .. }) => {
                let carrier = fact.tenant.carrier.clone();
                let row = PhoneNumberRow::created(
                    fact.stream.clone(),
                    carrier,
                    number,
                    (enabled, account),
                    fact.at,
                );
                let claims = NumberClaims { since: fact.position, granted: Vec::new() };
                PhoneNumberRow { claims, ..row }
            }
            (Some(row), E::Enabled {}) => PhoneNumberRow { enabled: true, ..row },
            (Some(row), E::Disabled {}) => PhoneNumberRow { enabled: false, ..row },
            (Some(row), E::Assigned { account }) => PhoneNumberRow { account: Some(account), ..row },
            (Some(row), E::Unassigned {}) => {
                PhoneNumberRow { account: None, voice: VoiceConfiguration::default(), ..row.called(None) }
            }
            (Some(row), E::VoiceConfigured(voice)) => PhoneNumberRow { voice, ..row },
            (Some(row), E::Renamed { name }) => row.called(Some(name)),
            (Some(row), E::Unnamed {}) => row.called(None),
            (Some(row), E::RouteGranted { source }) => {
                let claims = row.claims.clone().with(source, fact.position);
                PhoneNumberRow { claims, ..row }
            }
            // What the other one was given counts more than any claim of this one.
            (Some(row), E::RouteLost { .. }) => row,
            (Some(_), E::Released {}) => return Ok(None),
            (None, _) | (Some(_), E::Created { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(PhoneNumberRow { updated_at: fact.at, version: fact.sequence, ..row }))
    }
}

impl PhoneNumberRow {
    /// A number that was just added.
    #[must_use]
    pub fn created(
        sid: Sid,
        carrier: Sid,
        number: Number,
        (enabled, account): (bool, Option<Sid>),
        at: Timestamp,
    ) -> PhoneNumberRow {
        let spellings = match &number {
            Number::E164(number) => number.spellings(),
            Number::ShortCode(digits) => vec![digits.to_string()],
        };
        let row = PhoneNumberRow {
            sid,
            carrier,
            account,
            number,
            digits: spellings.join(" "),
            enabled,
            name: None,
            called: String::new(),
            voice: VoiceConfiguration::default(),
            claims: NumberClaims::default(),
            created_at: at,
            updated_at: at,
            version: 1,
        };
        row.called(None)
    }

    /// With this name, or without one.
    pub(crate) fn called(self, name: Option<Name>) -> PhoneNumberRow {
        let called =
            name.as_ref().map_or_else(|| format!("{UNNAMED}{}", self.number), |name| named(name.as_str()));
        PhoneNumberRow { name, called, ..self }
    }
}

fn named(name: &str) -> String {
    format!("{NAMED}{}", folded(name))
}

/// Which phone numbers; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneNumberFilter {
    /// Exactly this number.
    pub number: Option<Number>,
    /// Digits it contains, in international or national form; anything but digits is ignored. Fewer than three are what
    /// it begins with.
    pub contains: Option<String>,
    /// Part of the account's name for it, in any case.
    pub name: Option<String>,
    /// Exactly this name, or without a name exactly this number.
    pub called: Option<(String, String)>,
    /// Assigned to this account.
    pub account: Option<Sid>,
    /// Assigned to any account, or to none.
    pub assigned: Option<bool>,
    /// Takes calls, or does not.
    pub enabled: Option<bool>,
}

impl Noun for PhoneNumberRow {
    type Filter = PhoneNumberFilter;

    fn served(filter: &PhoneNumberFilter) -> Cond {
        Cond::all()
            .add_option(filter.number.as_ref().map(|number| is("number", number.to_string())))
            .add_option(filter.called.as_ref().map(called))
            .add_option(filter.account.as_ref().map(|account| is("account", account.as_str())))
            .add_option(filter.assigned.filter(|wanted| !wanted).map(|wanted| present("account", wanted)))
            .add_option(filter.enabled.map(|enabled| is("enabled", enabled)))
    }

    fn rest(filter: &PhoneNumberFilter) -> Cond {
        Cond::all()
            .add_option(filter.called.as_ref().map(called_exactly))
            .add_option(filter.assigned.filter(|wanted| *wanted).map(|wanted| present("account", wanted)))
    }

    fn needles(filter: &PhoneNumberFilter) -> Vec<Needle> {
        let digits = filter.contains.as_deref().and_then(|text| Needle::digits("digits", text));
        let name = filter.name.as_deref().and_then(|text| Needle::name("called", NAMED, text));
        digits.into_iter().chain(name).collect()
    }

    fn ordered(by: By) -> Option<&'static str> {
        match by {
            By::Created => None,
            By::Number => Some("number"),
            By::Name => Some("called"),
        }
    }

    fn place(&self, by: By) -> String {
        match by {
            By::Created => String::new(),
            By::Number => self.number.to_string(),
            By::Name => self.called.clone(),
        }
    }
}

/// In any case, for an index to find it.
fn called((name, number): &(String, String)) -> Expr {
    let named = named(name);
    // One text is an exact place in the index, with its rows in order; two are not.
    if !number.bytes().all(|byte| byte == b'+' || byte.is_ascii_digit()) {
        return is("called", named);
    }
    Expr::col("called").is_in([named, format!("{UNNAMED}{number}")])
}

fn called_exactly((name, number): &(String, String)) -> Expr {
    is("name", name.as_str()).or(present("name", false).and(is("number", number.as_str())))
}
