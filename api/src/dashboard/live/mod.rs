//! `/dashboard/live`: what changes, told to open pages over a WebSocket.
//!
//! `view.rs` turns changes into messages, `watch.rs` knows which calls a page looks at, `talk.rs` owns the socket.

mod message;
mod talk;
mod watch;

use super::answer::complete;
use crate::{App, auth::same_origin_socket};
use poem::{
    FromRequest, IntoResponse, Request, RequestBody, Response, handler, web::Data, web::websocket::WebSocket,
};

/// Checks who asks before it looks at the protocol, so that strangers learn nothing.
#[handler]
pub(super) async fn live(request: &Request, Data(app): Data<&App>) -> poem::Result<Response> {
    let who = complete(app, request).await?;
    same_origin_socket(request)?;
    let socket = WebSocket::from_request(request, &mut RequestBody::default()).await?;
    let app = app.clone();
    Ok(socket.on_upgrade(move |socket| talk::talk(app, who, socket)).into_response())
}
