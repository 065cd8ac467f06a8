//! Where sound goes when a peer names an address that is not its to name.

use super::{sound::wav, *};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_is_not_sent_to_an_address_inside_but_to_where_the_peers_comes_from() {
    let stage = Stage::set().await;
    let url = "https://app.example/tone.wav";
    stage.outside.serves_sound(url, wav(1000.0, Duration::from_secs(20)));
    stage.outside.serves(VOICE, &format!("<Play>{url}</Play>"));
    let inside = tokio::net::UdpSocket::bind((HERE, 0)).await.unwrap();
    let port = inside.local_addr().unwrap().port();
    stage.inside.store(port, Ordering::Relaxed);
    let mut caller = stage.caller().await;
    let own = format!("m=audio {} ", caller.rtp_addr().port());
    let offer = caller.sdp("sendrecv").replace(&own, &format!("m=audio {port} "));
    caller.dial_offering("1234", &offer).await;
    let answer = caller.next(&["200"]).await;
    caller.talk(answer, 440.0).await;
    caller.hears_tone(1000.0).await;
    let came = inside.try_recv(&mut [0; 8]);
    assert!(came.is_err(), "what is inside hears nothing: {came:?}");
    caller.hang_up().await;
    stage.strike().await;
}
