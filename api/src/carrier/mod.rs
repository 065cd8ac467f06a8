//! The Carrier API: what a carrier's own programs and the dashboard do, described by OpenAPI.
//!
//! One file per noun. Each endpoint names who may call it by its first argument, translates in, asks, translates out.

mod accounts;
mod api_keys;
mod audit;
mod calls;
mod conditional;
mod limits;
mod lists;
mod names;
mod number_preview;
mod overview;
mod phone_numbers;
mod settings;
mod sources;
mod spec;
mod strict;
mod tag;
mod test_calls;
mod text;
mod timeline;
mod trunk_fields;
mod trunks;
mod users;
mod voice;
mod write;

pub(crate) use calls::{Call, named};
pub(crate) use conditional::conditional;
pub(crate) use names::Names;
pub use spec::document;
pub(crate) use spec::{ALLOWED_WITHOUT_KEY, routes_of};
pub(crate) use strict::{shaped, strict};
pub(crate) use timeline::TimelineEntry;

use crate::App;
use poem_openapi::OpenApiService;

/// Where it is mounted.
pub(crate) const PREFIX: &str = "/carrier/v1";

/// The API's version, as its document says.
const VERSION: &str = "1.0.0";

type Nouns = (
    overview::OverviewApi,
    settings::SettingsApi,
    accounts::AccountsApi,
    trunks::TrunksApi,
    phone_numbers::PhoneNumbersApi,
    test_calls::TestCallsApi,
    calls::CallsApi,
    timeline::TimelineApi,
    users::UsersApi,
    api_keys::ApiKeysApi,
    audit::AuditApi,
);

/// Every endpoint over this `App`; `None` makes the document only.
pub(crate) fn service(app: Option<&App>) -> OpenApiService<Nouns, ()> {
    let app = || write::Handle(app.cloned());
    let nouns = (
        overview::OverviewApi(app()),
        settings::SettingsApi(app()),
        accounts::AccountsApi(app()),
        trunks::TrunksApi(app()),
        phone_numbers::PhoneNumbersApi(app()),
        test_calls::TestCallsApi(app()),
        calls::CallsApi(app()),
        timeline::TimelineApi(app()),
        users::UsersApi(app()),
        api_keys::ApiKeysApi(app()),
        audit::AuditApi(app()),
    );
    OpenApiService::new(nouns, "Trunkline Carrier API", VERSION).server(PREFIX)
}
