//! The parameters of `Calls`.

use super::{Operation, PAGES, honoured, refused, warned};

const LIST: &str = "/Accounts/{AccountSid}/Calls.json";
const ONE: &str = "/Accounts/{AccountSid}/Calls/{Sid}.json";
const NO_RECORDING: &str = "nothing is recorded";
const NO_DETECTION: &str = "without MachineDetection it has nothing to do";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "Calls: create",
        method: "POST",
        path: LIST,
        rows: &[
            honoured(&["To", "From", "Url", "Twiml"]).noting("of Url and Twiml, Url counts"),
            honoured(&["Method", "FallbackUrl", "FallbackMethod"])
                .noting("go with Url; with Twiml alone a warning"),
            honoured(&["StatusCallback", "StatusCallbackMethod"]),
            honoured(&["StatusCallbackEvent"])
                .noting("repeated, or several in one value; a word that is no event is left out with a warning (21626)"),
            honoured(&["CallerId"])
                .noting("shown to the callee instead of From; a number of the account's as well, else 21210"),
            honoured(&["SendDigits"]).noting("at most 32 keys (21208)"),
            honoured(&["Timeout"]).noting("1 to 600 s, 60 by default"),
            honoured(&["TimeLimit"]).noting("1 to 86,400 s, 14,400 by default"),
            refused(&["ApplicationSid", "SipAuthUsername", "SipAuthPassword", "Byoc"]),
            refused(&["Record"]).unless(&["false"]),
            warned(&[
                "RecordingChannels",
                "RecordingStatusCallback",
                "RecordingStatusCallbackMethod",
                "RecordingStatusCallbackEvent",
                "RecordingTrack",
                "RecordingConfigurationId",
                "Trim",
            ])
            .noting(NO_RECORDING),
            refused(&["MachineDetection"]).unless(&["none"]),
            warned(&["AsyncAmd"]).unless(&["false"]).noting(NO_DETECTION),
            warned(&[
                "MachineDetectionTimeout",
                "MachineDetectionSpeechThreshold",
                "MachineDetectionSpeechEndThreshold",
                "MachineDetectionSilenceTimeout",
                "AsyncAmdStatusCallback",
                "AsyncAmdStatusCallbackMethod",
            ])
            .noting(NO_DETECTION),
            warned(&["CallReason", "CallToken", "ClientNotificationUrl", "Passports"]),
        ],
    },
    Operation {
        name: "Calls: list",
        method: "GET",
        path: LIST,
        rows: &[
            honoured(&["To", "From", "ParentCallSid", "Status"]),
            honoured(&["StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>"]).noting(
                "a day, or its midnight in UTC, is that day; < and > are at or before, and at or after, its beginning",
            ),
            PAGES,
        ],
    },
    Operation { name: "Calls: fetch", method: "GET", path: ONE, rows: &[] },
    Operation {
        name: "Calls: update",
        method: "POST",
        path: ONE,
        rows: &[
            honoured(&["Status"]).noting("completed or canceled; 404 (20404) when the call is over"),
            honoured(&["Url", "Twiml"]).noting(
                "400 (21220) when the call is over, or one that `<Dial>` placed and nobody answered yet: redirect its parent; \
                 with Status a warning; one that `<Dial>` connected leaves it, and its parent goes on behind the `<Dial>`",
            ),
            honoured(&["Method", "FallbackUrl", "FallbackMethod"])
                .noting("go with Url; alone refused (20001), with Twiml or Status a warning"),
            warned(&["StatusCallback", "StatusCallbackMethod", "TimeLimit"])
                .noting("what the call was placed with stays; with Url, Twiml or Status it is done all the same"),
        ],
    },
    Operation { name: "Calls: delete", method: "DELETE", path: ONE, rows: &[] },
];
