//! One request on one connection, and its response within limits.

use super::{
    Inner, MAX_MEDIA, Response,
    failure::{Failure, PROTOCOL, RETRIEVAL},
    is_audio,
    overrides::Overrides,
    target::Target,
};
use bytes::{Bytes, BytesMut};
use domain::Sid;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Incoming, header::CONTENT_TYPE};
use tokio::time::timeout;

/// Most of a response header's value that is kept.
const MAX_HEADER_VALUE: usize = 8 * 1024;

/// What a response may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// Largest body, in bytes.
    pub bytes: usize,
    /// Whether it may be as large as a sound when it is audio.
    pub sounds: bool,
    /// The error code when it is larger.
    pub code: u32,
}

impl Inner {
    /// Sends the request and reads the response. An idle connection that turns out closed is replaced by a new one: the
    /// far end closed it before it answered anything, and the idempotency token tells if it read the request after all.
    pub(super) async fn exchange(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        overrides: &Overrides,
        (limit, account): (Limit, Option<&Sid>),
    ) -> Result<Response, Failure> {
        let request = match self.pool.take(target).await {
            None => request,
            Some(mut sender) => match timeout(overrides.read, sender.send_request(request.clone())).await {
                Err(_) => return Err(silent(target, overrides)),
                Ok(Ok(response)) => return self.read(target, sender, response, overrides, limit).await,
                Ok(Err(error)) if error.is_incomplete_message() || error.is_canceled() => request,
                Ok(Err(error)) => return Err(broken(target, &error)),
            },
        };
        let mut sender = self.connect(target, overrides, account).await?;
        let response = timeout(overrides.read, sender.send_request(request)).await;
        let response = response.map_err(|_| silent(target, overrides))?;
        let response = response.map_err(|error| broken(target, &error))?;
        self.read(target, sender, response, overrides, limit).await
    }

    async fn read(
        &self,
        target: &Target,
        sender: super::connect::Sender,
        response: hyper::Response<Incoming>,
        overrides: &Overrides,
        limit: Limit,
    ) -> Result<Response, Failure> {
        let (head, mut body) = response.into_parts();
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let sound = limit.sounds && content_type.is_some_and(is_audio);
        let most = if sound { MAX_MEDIA } else { limit.bytes };
        let too_large = || Failure::read(limit.code, format!("the response is larger than {most} bytes"));
        let mut bytes = BytesMut::new();
        while let Some(frame) =
            timeout(overrides.read, body.frame()).await.map_err(|_| silent(target, overrides))?
        {
            let frame = frame.map_err(|error| broken(target, &error))?;
            if let Some(data) = frame.data_ref() {
                if bytes.len() + data.len() > most {
                    return Err(too_large());
                }
                bytes.extend_from_slice(data);
            }
        }
        self.pool.put(target, sender);
        let headers = head.headers.iter().map(|(name, value)| {
            let value = value.as_bytes().get(..MAX_HEADER_VALUE).unwrap_or(value.as_bytes());
            (name.as_str().to_owned(), String::from_utf8_lossy(value).into_owned())
        });
        let (status, headers) = (head.status.as_u16(), headers.collect());
        Ok(Response { status, headers, body: bytes.freeze(), at: None })
    }
}

fn silent(target: &Target, overrides: &Overrides) -> Failure {
    Failure::read(RETRIEVAL, format!("{} sent nothing for {:?}", target.host_text(), overrides.read))
}

fn broken(target: &Target, error: &hyper::Error) -> Failure {
    let code = if error.is_parse() { PROTOCOL } else { RETRIEVAL };
    Failure::read(code, format!("the response of {} broke off: {error}", target.host_text()))
}
