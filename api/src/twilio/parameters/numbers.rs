//! The parameters of `Accounts` and `IncomingPhoneNumbers`.

use super::{Operation, PAGES, honoured, refused, warned};

const LIST: &str = "/Accounts/{AccountSid}/IncomingPhoneNumbers.json";
const ONE: &str = "/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "Accounts: list",
        method: "GET",
        path: "/Accounts.json",
        rows: &[honoured(&["FriendlyName", "Status"]).noting("an account sees itself"), PAGES],
    },
    Operation { name: "Accounts: fetch", method: "GET", path: "/Accounts/{Sid}.json", rows: &[] },
    Operation {
        name: "IncomingPhoneNumbers: list",
        method: "GET",
        path: LIST,
        rows: &[
            honoured(&["PhoneNumber"]).noting("any part of the number"),
            honoured(&["FriendlyName"]),
            honoured(&["Beta"]).noting("no number is new to the platform, so none is left out"),
            honoured(&["Origin"]).noting("twilio or hosted; every number is the carrier's own, so hosted"),
            PAGES,
        ],
    },
    Operation { name: "IncomingPhoneNumbers: fetch", method: "GET", path: ONE, rows: &[] },
    Operation {
        name: "IncomingPhoneNumbers: update",
        method: "POST",
        path: ONE,
        rows: &[
            honoured(&["FriendlyName"]).noting("1 to 64 characters"),
            honoured(&["VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod"]),
            honoured(&["StatusCallback", "StatusCallbackMethod"]),
            honoured(&["AccountSid"]).noting("the account's own; any other is refused (20001)"),
            refused(&[
                "SmsUrl",
                "SmsFallbackUrl",
                "SmsApplicationSid",
                "VoiceApplicationSid",
                "TrunkSid",
                "EmergencyAddressSid",
                "AddressSid",
                "IdentitySid",
                "BundleSid",
            ]),
            refused(&["VoiceCallerIdLookup"]).unless(&["false"]),
            refused(&["VoiceReceiveMode"]).unless(&["voice"]),
            refused(&["EmergencyStatus"]).unless(&["Inactive"]),
            warned(&["SmsMethod", "SmsFallbackMethod"]).noting("without an address they have nothing to do"),
            warned(&["ApiVersion"]).unless(&["2010-04-01"]),
        ],
    },
];
