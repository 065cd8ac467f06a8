//! The parameters of lists that are empty until what they list exists: whatever they are filtered by, nothing is right.

use super::{Operation, PAGES, Row, honoured};

const CREATED: Row = honoured(&["DateCreated", "DateCreated<", "DateCreated>"]);
const LOGGED: Row = honoured(&["Log", "MessageDate", "MessageDate<", "MessageDate>"]);
const AVAILABLE: &[Row] = &[
    honoured(&["AreaCode", "Contains", "SmsEnabled", "MmsEnabled", "VoiceEnabled", "FaxEnabled", "Beta"]),
    honoured(&["ExcludeAllAddressRequired", "ExcludeLocalAddressRequired", "ExcludeForeignAddressRequired"]),
    honoured(&["NearNumber", "NearLatLong", "Distance"]),
    honoured(&["InPostalCode", "InRegion", "InRateCenter", "InLata", "InLocality"]),
    PAGES,
];

/// A list that is empty.
pub(in crate::twilio) struct Empty {
    pub operation: Operation,
    /// What its rows would be under.
    pub key: &'static str,
}

const fn list(name: &'static str, path: &'static str, key: &'static str, rows: &'static [Row]) -> Empty {
    Empty { operation: Operation { name, method: "GET", path, rows }, key }
}

pub(in crate::twilio) const EMPTY: &[Empty] = &[
    list(
        "SMS ShortCodes: list",
        "/Accounts/{AccountSid}/SMS/ShortCodes.json",
        "short_codes",
        &[honoured(&["FriendlyName", "ShortCode"]), PAGES],
    ),
    list(
        "Recordings: list",
        "/Accounts/{AccountSid}/Recordings.json",
        "recordings",
        &[CREATED, honoured(&["CallSid", "ConferenceSid", "IncludeSoftDeleted"]), PAGES],
    ),
    list(
        "Notifications: list",
        "/Accounts/{AccountSid}/Notifications.json",
        "notifications",
        &[LOGGED, PAGES],
    ),
    list(
        "OutgoingCallerIds: list",
        "/Accounts/{AccountSid}/OutgoingCallerIds.json",
        "outgoing_caller_ids",
        &[honoured(&["PhoneNumber", "FriendlyName"]), PAGES],
    ),
    list(
        "Conferences: list",
        "/Accounts/{AccountSid}/Conferences.json",
        "conferences",
        &[
            CREATED,
            honoured(&["DateUpdated", "DateUpdated<", "DateUpdated>", "FriendlyName", "Status"]),
            PAGES,
        ],
    ),
    list("Queues: list", "/Accounts/{AccountSid}/Queues.json", "queues", &[PAGES]),
    list(
        "Applications: list",
        "/Accounts/{AccountSid}/Applications.json",
        "applications",
        &[honoured(&["FriendlyName"]), PAGES],
    ),
    list(
        "Messages: list",
        "/Accounts/{AccountSid}/Messages.json",
        "messages",
        &[honoured(&["To", "From", "DateSent", "DateSent<", "DateSent>"]), PAGES],
    ),
    list(
        "Addresses: list",
        "/Accounts/{AccountSid}/Addresses.json",
        "addresses",
        &[honoured(&["CustomerName", "FriendlyName", "EmergencyEnabled", "IsoCountry"]), PAGES],
    ),
    list("Keys: list", "/Accounts/{AccountSid}/Keys.json", "keys", &[PAGES]),
    list("SigningKeys: list", "/Accounts/{AccountSid}/SigningKeys.json", "signing_keys", &[PAGES]),
    list("Transcriptions: list", "/Accounts/{AccountSid}/Transcriptions.json", "transcriptions", &[PAGES]),
    list("ConnectApps: list", "/Accounts/{AccountSid}/ConnectApps.json", "connect_apps", &[PAGES]),
    list(
        "AuthorizedConnectApps: list",
        "/Accounts/{AccountSid}/AuthorizedConnectApps.json",
        "authorized_connect_apps",
        &[PAGES],
    ),
    list(
        "AvailablePhoneNumbers: list",
        "/Accounts/{AccountSid}/AvailablePhoneNumbers.json",
        "countries",
        &[PAGES],
    ),
    list(
        "AvailablePhoneNumbers Local: list",
        "/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Local.json",
        "available_phone_numbers",
        AVAILABLE,
    ),
    list(
        "AvailablePhoneNumbers Mobile: list",
        "/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Mobile.json",
        "available_phone_numbers",
        AVAILABLE,
    ),
    list(
        "AvailablePhoneNumbers TollFree: list",
        "/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/TollFree.json",
        "available_phone_numbers",
        AVAILABLE,
    ),
    list(
        "Calls Recordings: list",
        "/Accounts/{AccountSid}/Calls/{CallSid}/Recordings.json",
        "recordings",
        &[CREATED, PAGES],
    ),
    list(
        "Calls Notifications: list",
        "/Accounts/{AccountSid}/Calls/{CallSid}/Notifications.json",
        "notifications",
        &[LOGGED, PAGES],
    ),
    list("Calls Events: list", "/Accounts/{AccountSid}/Calls/{CallSid}/Events.json", "events", &[PAGES]),
];
