//! The Binnacle program.
fn main() {}
