//! From a URL's host to addresses, by ourselves: the guard must see every one before anything connects.

use async_trait::async_trait;
use std::{
    io,
    net::{IpAddr, ToSocketAddrs},
    sync::Arc,
};
use tokio::sync::Semaphore;

/// Finds the addresses of a name. Handed in, so that tests can answer with what they like.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of `name`, best first.
    ///
    /// # Errors
    /// When the name is unknown or nobody answers.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Most names looked up at once. A look-up holds a thread for as long as the system takes, whoever still waits for it.
const MAX_LOOK_UPS: usize = 256;

/// The operating system's resolver.
pub struct SystemResolver {
    permits: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver { permits: Arc::new(Semaphore::new(MAX_LOOK_UPS)) }
    }
}

impl SystemResolver {
    /// Runs a look-up on a thread of its own, which keeps its permit to the end.
    async fn look_up<T: Send + 'static>(
        &self,
        look_up: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
        let held = move || {
            let found = look_up();
            drop(permit);
            found
        };
        tokio::task::spawn_blocking(held).await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let name = name.to_owned();
        let found = self.look_up(move || (name.as_str(), 0).to_socket_addrs()).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    #[tokio::test]
    async fn a_look_up_nobody_waits_for_still_counts() {
        let resolver = SystemResolver::default();
        let (done, hanging) = mpsc::channel::<()>();
        let look_up = resolver.look_up(move || hanging.recv().map_err(io::Error::other));
        assert!(tokio::time::timeout(Duration::from_millis(50), look_up).await.is_err());
        assert_eq!(resolver.permits.available_permits(), MAX_LOOK_UPS - 1);
        done.send(()).unwrap();
        let all = u32::try_from(MAX_LOOK_UPS).unwrap();
        drop(resolver.permits.acquire_many(all).await.unwrap());
        assert!(resolver.resolve("localhost").await.unwrap().iter().all(IpAddr::is_loopback));
    }
}
