//! The document in the repository is the one this code makes.

#[test]
fn the_document_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/openapi/carrier.json");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let made = serde_json::to_string_pretty(&api::carrier::document()).unwrap() + "\n";
    assert!(written == made, "schema/openapi/carrier.json is stale: cargo run -p api --example openapi");
}
