//! The HTTP surface as its clients see it: whole requests against the whole router, over real stores.

#![expect(clippy::disallowed_methods, reason = "tests start their own tasks and look at the real time")]

mod world;

mod accounts;
mod calls;
mod errors;
mod live;
mod people;
mod phone_numbers;
mod routed;
mod sign_in;
mod spec;
mod tenants;
mod trunks;
mod two_factor;
mod walls;
