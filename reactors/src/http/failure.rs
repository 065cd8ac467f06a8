//! Why a request got no usable response, by Twilio's error codes.

use std::io;

/// The URL is not one that can be requested.
pub const BAD_URL: u32 = 11100;
/// The application answered with an error, or not in time.
pub const RETRIEVAL: u32 = 11200;
/// No connection.
pub const CONNECTION: u32 = 11205;
/// What came is not HTTP.
pub const PROTOCOL: u32 = 11206;
/// The host has no address, or one we do not call.
pub const BAD_HOST: u32 = 11210;
/// Too many redirects.
pub const REDIRECTS: u32 = 11215;
/// TLS could not be agreed on.
pub const TLS: u32 = 11220;
/// The certificate is another host's.
pub const TLS_NAME: u32 = 11235;
/// The certificate has expired, or is not valid yet.
pub const TLS_EXPIRED: u32 = 11236;
/// The certificate leads to no authority we know.
pub const TLS_PATH: u32 = 11237;
/// The far end broke the TLS protocol.
pub const TLS_FATAL: u32 = 11251;
/// The response is larger than allowed.
pub const TOO_LARGE: u32 = 11750;

/// Why a request got no usable response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// Twilio's error code, for example 11200.
    pub code: u32,
    /// What happened, for a person; never holds credentials.
    pub message: String,
    /// At which stage, which decides about retries.
    pub stage: Stage,
}

/// How far a request had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It must not be sent at all; trying again changes nothing.
    Refused,
    /// No connection came about; nothing was sent.
    Connect,
    /// The connection was there; the response was not, or not whole.
    Read,
}

impl Failure {
    pub(crate) fn refused(code: u32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), stage: Stage::Refused }
    }

    pub(crate) fn connect(code: u32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), stage: Stage::Connect }
    }

    pub(crate) fn read(code: u32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), stage: Stage::Read }
    }

    /// As it counts behind a redirect: the first host has been asked, and is not asked again because it named a host that
    /// there is not, or that we do not call.
    pub(crate) fn elsewhere(self) -> Failure {
        let stage = if self.code == BAD_HOST { Stage::Refused } else { self.stage };
        Failure { stage, ..self }
    }

    /// The auth token could not be had, and nothing leaves unsigned.
    pub(crate) fn unsigned(error: &store::StoreError) -> Failure {
        tracing::error!(%error, "a request could not be signed");
        Failure::refused(RETRIEVAL, "the request could not be signed: the vault did not answer")
    }

    /// What went wrong in a TLS handshake.
    pub(crate) fn handshake(host: &str, error: &io::Error) -> Failure {
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let code = cause.map_or(TLS, tls_code);
        Failure::connect(code, format!("TLS handshake with {host} failed: {error}"))
    }
}

fn tls_code(error: &rustls::Error) -> u32 {
    use rustls::{CertificateError as C, Error as E};
    match error {
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => TLS_NAME,
        E::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => TLS_EXPIRED,
        E::InvalidCertificate(_) => TLS_PATH,
        E::InvalidMessage(_) | E::PeerMisbehaved(_) | E::InappropriateMessage { .. } => TLS_FATAL,
        _ => TLS,
    }
}
