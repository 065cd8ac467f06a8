//! TLS against servers with good and bad certificates, on loopback.
#![expect(clippy::disallowed_methods, reason = "tests start their own servers")]

use crate::{
    http::{
        failure::{TLS_EXPIRED, TLS_NAME, TLS_PATH},
        *,
    },
    testing::{loopback, read_request},
};
use async_trait::async_trait;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};
use store::RandomIds;
use tokio::{io::AsyncWriteExt, net::TcpListener};

/// Everybody lives on loopback.
struct Loopback;

#[async_trait]
impl Resolver for Loopback {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// A server with a certificate for `name` that ended in `until`; its port and the certificate.
async fn server(name: &str, until: i32) -> (u16, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                read_request(&mut stream).await;
                stream.write_all(b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n").await.unwrap();
            }
        }
    });
    (port, certificate)
}

async fn code(name: &str, port: u16, trusted: Vec<CertificateDer<'static>>) -> u32 {
    let http = Http::new(HttpOptions {
        guard: loopback(),
        resolver: Arc::new(Loopback),
        extra_roots: trusted,
        connections: MAX_CONNECTIONS,
        ids: Arc::new(RandomIds::default()),
    });
    let (url, limit) = (format!("https://{name}:{port}/#rc=0"), MAX_DOCUMENT);
    let (parameters, headers) = (vec![], vec![]);
    let request = Request {
        method: Method::Get,
        url,
        parameters,
        auth_token: None,
        headers,
        limit,
        sounds: false,
        token: None,
        cookies: None,
        logins: None,
        account: None,
    };
    http.send(&request)
        .await
        .result
        .map_or_else(|failure| failure.code, |response| u32::from(response.status))
}

#[tokio::test]
async fn a_trusted_certificate_of_the_right_name_is_spoken_to() {
    let (port, certificate) = server("app.test", 2100).await;
    assert_eq!(code("app.test", port, vec![certificate]).await, 204);
}

#[tokio::test]
async fn every_defect_of_a_certificate_has_its_code() {
    let (port, certificate) = server("app.test", 2100).await;
    assert_eq!(code("app.test", port, vec![]).await, TLS_PATH);
    assert_eq!(code("other.test", port, vec![certificate]).await, TLS_NAME);
    let (port, certificate) = server("app.test", 2021).await;
    assert_eq!(code("app.test", port, vec![certificate]).await, TLS_EXPIRED);
}
