//! What the binary can be told to do; one file each.

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod progress;
pub mod repair;
pub mod replay;
pub mod route;
pub mod serve;
