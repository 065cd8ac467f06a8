//! `phone_numbers`: one row per number in a carrier's inventory.

use crate::{
    biography::{Biography, Nonsense, Turn},
    reads::{Noun, contains, digits_begin, digits_contain, present},
    record::{is, table},
};
use domain::{
    Number, Sid, Timestamp,
    name::Name,
    phone_number::{PhoneNumber, PhoneNumberEvent, VoiceConfiguration},
    route::NumberClaims,
};
use sea_query::{Cond, Expr, ExprTrait};
use serde::{Deserialize, Serialize};
use store::Fact;

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
    /// The account's name for it.
    pub name: Option<Name>,
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

table!(PhoneNumberRow: "phone_numbers" v 2, key [sid],
    columns [sid, carrier, account, number, enabled, name, voice, claims, created_at, updated_at, version],
    indexes [["carrier", "sid"], ["account", "sid"], ["carrier", "number"], ["number"]]);

impl Biography for PhoneNumberRow {
    type Of = PhoneNumber;

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
                PhoneNumberRow { account: None, name: None, voice: VoiceConfiguration::default(), ..row }
            }
            (Some(row), E::VoiceConfigured(voice)) => PhoneNumberRow { voice, ..row },
            (Some(row), E::Renamed { name }) => PhoneNumberRow { name: Some(name), ..row },
            (Some(row), E::Unnamed {}) => PhoneNumberRow { name: None, ..row },
            (Some(row), E::RouteGranted { source }) => {
                let claims = row.claims.clone().with(source, fact.position);
                PhoneNumberRow { claims, ..row }
            }
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
        PhoneNumberRow {
            sid,
            carrier,
            account,
            number,
            enabled,
            name: None,
            voice: VoiceConfiguration::default(),
            claims: NumberClaims::default(),
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }
}

/// Which phone numbers; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneNumberFilter {
    /// Exactly this number.
    pub number: Option<Number>,
    /// Digits it contains; anything but digits is ignored.
    pub contains: Option<String>,
    /// Digits it begins with; anything but digits is ignored.
    pub prefix: Option<String>,
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

    fn condition(filter: &PhoneNumberFilter) -> Cond {
        Cond::all()
            .add_option(filter.number.as_ref().map(|number| is("number", number.to_string())))
            .add_option(filter.contains.as_deref().map(|text| digits_contain("number", text)))
            .add_option(filter.prefix.as_deref().map(|text| digits_begin("number", text)))
            .add_option(filter.name.as_deref().map(|text| contains("name", text)))
            .add_option(filter.called.as_ref().map(called))
            .add_option(filter.account.as_ref().map(|account| is("account", account.as_str())))
            .add_option(filter.assigned.map(|wanted| present("account", wanted)))
            .add_option(filter.enabled.map(|enabled| is("enabled", enabled)))
    }
}

fn called((name, number): &(String, String)) -> Expr {
    is("name", name.as_str()).or(present("name", false).and(is("number", number.as_str())))
}
