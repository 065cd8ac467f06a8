//! A wire to a server that can be cut, and mended again.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The wire; connections through it are carried by threads that end with them.
pub struct Wire {
    near: SocketAddr,
    cut: Arc<AtomicBool>,
    carried: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    /// One to the server at this address.
    pub fn to(far: String) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = listener.local_addr().unwrap();
        let (cut, carried) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let wire = Wire { near, cut: Arc::clone(&cut), carried: Arc::clone(&carried) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&far) else { continue };
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                for (from, to) in [(&client, &server), (&server, &client)] {
                    carried.lock().unwrap().push(from.try_clone().unwrap());
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || carry(from, to));
                }
            }
        });
        wire
    }

    /// The address of a database through this wire.
    pub fn through(&self, url: &str) -> String {
        url.replace(far(url), &self.near.to_string())
    }

    /// Cuts every connection, and refuses new ones, for so long.
    pub fn cut_for(&self, time: Duration) {
        self.cut.store(true, Ordering::SeqCst);
        for connection in self.carried.lock().unwrap().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
        std::thread::sleep(time);
        self.cut.store(false, Ordering::SeqCst);
    }
}

/// Host and port of a database's address.
pub fn far(url: &str) -> &str {
    let host = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    host.split_once('/').map_or(host, |(host, _)| host)
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both));
}
