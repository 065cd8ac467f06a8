//! What stands in front of every endpoint.
