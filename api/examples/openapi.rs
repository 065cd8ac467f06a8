//! Writes the Carrier API's document to `schema/openapi/carrier.json`: `cargo run -p api --example openapi`.

fn main() -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(&api::carrier::document())?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/openapi");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("carrier.json"), text + "\n")
}
