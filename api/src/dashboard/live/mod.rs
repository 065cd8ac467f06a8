//! `/dashboard/live`: what changes, told to open pages over a WebSocket.
//!
//! `message.rs` has the words, `watch.rs` knows which calls a page looks at, `talk.rs` owns the socket, `pages.rs` counts
//! them.

mod message;
mod pages;
mod talk;
mod watch;

use super::answer::complete;
use crate::{App, auth::same_origin_socket};
pub(super) use pages::Pages;
use poem::{
    FromRequest, IntoResponse, Request, RequestBody, Response, handler, web::Data, web::websocket::WebSocket,
};

/// Checks who asks before it looks at the protocol, so that strangers learn nothing.
#[handler]
pub(super) async fn live(
    request: &Request,
    Data(app): Data<&App>,
    Data(pages): Data<&Pages>,
) -> poem::Result<Response> {
    let who = complete(app, request).await?;
    same_origin_socket(request, &app.config.public_url)?;
    let socket = WebSocket::from_request(request, &mut RequestBody::default()).await?;
    let place = pages.open(&who.session.user, &who.session.carrier)?;
    let app = app.clone();
    let talk = move |socket| async move {
        let _place = place;
        talk::talk(app, who, socket).await;
    };
    Ok(socket.config(talk::limits()).on_upgrade(talk).into_response())
}
