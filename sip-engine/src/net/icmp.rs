//! ICMP errors as the kernel reports them: which of our datagrams did not arrive (`IP_RECVERR` in ip(7); RFC 3261 section
//! 18.4). Elsewhere than on Linux nothing is reported, and timers find out.

use bytes::Bytes;
use std::net::SocketAddr;

/// A datagram of ours that did not arrive.
#[derive(Debug, Clone)]
pub(super) struct Undelivered {
    /// Where it was sent.
    pub peer: SocketAddr,
    /// As much of its beginning as the network gave back.
    pub start: Bytes,
}

#[cfg(target_os = "linux")]
pub(super) use linux::{ask_for, drain};

#[cfg(target_os = "linux")]
mod linux {
    use super::Undelivered;
    use bytes::Bytes;
    use nix::{
        errno::Errno,
        libc::{self, sock_extended_err},
        sys::socket::{
            ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
            sockopt::{Ipv4RecvErr, Ipv6RecvErr},
        },
    };
    use std::{
        io::{self, IoSliceMut},
        net::{IpAddr, SocketAddr},
        os::fd::{AsFd, AsRawFd},
    };
    use tokio::{io::Interest, net::UdpSocket};

    /// As much of a datagram as a router gives back at most, bytes (RFC 1812 section 4.3.2.3).
    const QUOTED: usize = 576;

    /// From now on the kernel keeps the errors of this socket.
    pub(in crate::net) fn ask_for(socket: &impl AsFd, addr: SocketAddr) -> io::Result<()> {
        match addr.ip() {
            IpAddr::V4(_) => setsockopt(socket, Ipv4RecvErr, &true)?,
            IpAddr::V6(_) => setsockopt(socket, Ipv6RecvErr, &true)?,
        }
        Ok(())
    }

    /// The errors that wait, and no readiness for more until there are more.
    pub(in crate::net) fn drain(socket: &UdpSocket) -> Vec<Undelivered> {
        let mut found = Vec::new();
        // Whatever else goes wrong means no more than that nothing waits.
        let next = || next(socket).map_err(|_| io::Error::from(io::ErrorKind::WouldBlock));
        while let Ok(one) = socket.try_io(Interest::ERROR, next) {
            found.extend(one);
        }
        found
    }

    /// The next error; `None` for one that says nothing of a peer.
    fn next(socket: &UdpSocket) -> Result<Option<Undelivered>, Errno> {
        let mut quoted = [0; QUOTED];
        let mut space = nix::cmsg_space!([u8; 128]);
        let mut iov = [IoSliceMut::new(&mut quoted)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut iov, Some(&mut space), flags)?;
        let peer = message.address.as_ref().and_then(address);
        let says_so = message.cmsgs()?.any(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                is_unreachable(&error)
            }
            _ => false,
        });
        let start = message.iovs().next().map(Bytes::copy_from_slice).unwrap_or_default();
        Ok(peer.filter(|_| says_so).map(|peer| Undelivered { peer, start }))
    }

    /// Destination unreachable but for a fragment too large, and parameter problem (RFC 792, RFC 4443); what our own
    /// machine could not send counts alike.
    fn is_unreachable(error: &sock_extended_err) -> bool {
        const FRAGMENTATION_NEEDED: u8 = 4;
        match (error.ee_origin, error.ee_type) {
            (libc::SO_EE_ORIGIN_ICMP, 3) => error.ee_code != FRAGMENTATION_NEEDED,
            (libc::SO_EE_ORIGIN_ICMP, 12) | (libc::SO_EE_ORIGIN_ICMP6, 1 | 4) => true,
            (libc::SO_EE_ORIGIN_LOCAL, _) => i32::try_from(error.ee_errno)
                .is_ok_and(|errno| [libc::EHOSTUNREACH, libc::ENETUNREACH].contains(&errno)),
            _ => false,
        }
    }

    fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = storage.as_sockaddr_in().map(|v4| SocketAddr::from((v4.ip(), v4.port())));
        v4.or_else(|| storage.as_sockaddr_in6().map(|v6| SocketAddr::from((v6.ip(), v6.port()))))
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn ask_for(_: &socket2::Socket, _: SocketAddr) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn drain(_: &tokio::net::UdpSocket) -> Vec<Undelivered> {
    Vec::new()
}
