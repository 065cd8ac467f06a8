//! From a URL's host to addresses, by ourselves: the guard must see every one before anything connects.

use async_trait::async_trait;
use std::{io, net::IpAddr};

/// Finds the addresses of a name. Handed in, so that tests can answer with what they like. How many look-ups there are at
/// once is for those who ask: one may hold a thread for as long as it takes.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of `name`, best first.
    ///
    /// # Errors
    /// When the name is unknown or nobody answers.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}
