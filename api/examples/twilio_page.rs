//! Writes the page about Twilio's API to `api/TWILIO.md`: `cargo run -p api --example twilio_page`.

fn main() -> std::io::Result<()> {
    std::fs::write(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("TWILIO.md"), api::twilio_page())
}
