//! The media plane as its peers see it: real sockets on loopback, a phone or two, and an attacker.

mod attacker;
mod bridge;
mod digits;
mod hostile;
mod lifecycle;
mod phone;
mod play;
mod reports;
