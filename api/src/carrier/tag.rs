//! The groups of the document.

use poem_openapi::Tags;

#[derive(Tags)]
pub(super) enum Tag {
    /// Customers' accounts and their Twilio credentials.
    Accounts,
    /// Keys of this API.
    ApiKeys,
    /// Who changed what, when, from where.
    Audit,
    /// Calls, what happened to them, and the evidence.
    Calls,
    /// The carrier itself.
    Carrier,
    /// The inventory of phone numbers.
    PhoneNumbers,
    /// SIP trunks to and from the carrier's network.
    Trunks,
    /// People at the dashboard.
    Users,
}
