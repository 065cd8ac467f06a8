//! Why a port cannot be listened to, and what to do about it.

use std::{
    io::{Error, ErrorKind},
    net::SocketAddr,
};

/// The setting that names the address, why it cannot be had, and advice.
#[must_use]
pub fn not_listening(name: &str, address: SocketAddr, error: &Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!("{name} {address}: {error}; stop what uses it, or set {name}"),
        ErrorKind::AddrNotAvailable => format!(
            "{name} {address}: this machine has no address {}; set {name} to one of its own, or to 0.0.0.0 or [::] for all of them",
            address.ip()
        ),
        ErrorKind::PermissionDenied => format!(
            "{name} {address}: {error}; ports below 1024 take a privilege (CAP_NET_BIND_SERVICE): give it, or set {name}"
        ),
        _ => format!("{name} {address}: {error}; set {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_machine_is_said_to_be_none_of_ours() {
        let address: SocketAddr = "192.0.2.1:8080".parse().unwrap();
        let told = not_listening("http.listen", address, &ErrorKind::AddrNotAvailable.into());
        assert!(
            told.starts_with("http.listen 192.0.2.1:8080: this machine has no address 192.0.2.1; set"),
            "{told}"
        );
        let told = not_listening("http.listen", address, &ErrorKind::AddrInUse.into());
        assert!(told.contains("stop what uses it"), "{told}");
    }
}
