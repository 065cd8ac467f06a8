//! Who is asking: a Carrier API key or a signed-in user, and what their role lets them do.

mod principal;
mod password;

pub use password::{Cost, Passwords};
pub use principal::{Owner, Principal, Reader, Writer};
