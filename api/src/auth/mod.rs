//! Who is asking: a Carrier API key or a signed-in user, and what their role lets them do.

mod api_key;
mod caller;
mod csrf;
mod devices;
mod failures;
mod growing;
mod limits;
mod password;
mod principal;
mod proxies;
mod remembered;
pub(crate) mod second_factor;
mod session;
mod throttle;
pub mod totp;

pub use api_key::ApiKeys;
pub(crate) use caller::{SignedIn, authenticated, signed_in};
pub(crate) use csrf::{same_origin, same_origin_socket};
pub(crate) use devices::{Device, device, remember};
pub(crate) use failures::{Failed, Failures};
pub(crate) use growing::{Growing, Growth};
pub(crate) use limits::Limits;
pub(crate) use password::LONGEST as LONGEST_PASSWORD;
pub use password::{Cost, Passwords, weakness};
pub use principal::{Owner, Principal, Reader, Writer};
pub(crate) use proxies::behind_proxies;
pub(crate) use remembered::Remembered;
pub(crate) use second_factor::{FreshCode, prove, take_second_factor};
pub(crate) use session::set_cookie;
pub use session::{Level, Session, Sessions};
pub(crate) use throttle::{Rate, Throttle, by_address};
