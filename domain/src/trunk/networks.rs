//! Which networks a trunk may name, for signalling and for media.

use super::TrunkError;
use ipnet::IpNet;

/// Most networks in one list.
pub const MAX_NETWORKS: usize = 64;

/// One of a trunk's lists of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkList {
    /// Where its INVITEs come from; at least one.
    Sources,
    /// Where the RTP of its calls to us may come from.
    InboundMedia,
    /// Where the RTP of our calls to it may come from.
    OutboundMedia,
}

/// What is wrong with a list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// Sources that are none, or too many of them.
    #[error("give 1 to {MAX_NETWORKS} source addresses")]
    SourceCount,
    /// Too many media networks.
    #[error("give at most {MAX_NETWORKS} networks")]
    TooMany,
    /// The same one twice.
    #[error("{0} is given twice")]
    Repeated(IpNet),
    /// So wide that strangers are in it.
    #[error("{0} is too wide: at most /8 for IPv4 and /32 for IPv6")]
    TooWide(IpNet),
}

impl NetworkList {
    /// The networks without host bits, or what is wrong with this list.
    pub(super) fn checked(self, given: &[IpNet]) -> Result<Vec<IpNet>, TrunkError> {
        let wrong = |fault| TrunkError::Networks(self, fault);
        match self {
            NetworkList::Sources if !(1..=MAX_NETWORKS).contains(&given.len()) => {
                Err(wrong(NetworkFault::SourceCount))
            }
            _ if given.len() > MAX_NETWORKS => Err(wrong(NetworkFault::TooMany)),
            _ => distinct(given).map_err(wrong),
        }
    }
}

fn distinct(given: &[IpNet]) -> Result<Vec<IpNet>, NetworkFault> {
    let mut seen: Vec<IpNet> = Vec::new();
    for network in given.iter().map(IpNet::trunc) {
        let narrowest = if network.addr().is_ipv4() { 8 } else { 32 };
        if network.prefix_len() < narrowest {
            return Err(NetworkFault::TooWide(network));
        }
        if seen.contains(&network) {
            return Err(NetworkFault::Repeated(network));
        }
        seen.push(network);
    }
    Ok(seen)
}
