# The commands of the README. Everything real is in `cargo xtask`; this file only names it.

.PHONY: run build test conformance ui

# Builds the page if its sources changed, the release program, and starts it.
run: build
	$(or $(CARGO_TARGET_DIR),target)/release/binnacle up $(ARGS)

# The complete release program, page included, at target/release/binnacle.
build:
	cargo xtask build

# Every test: Rust, the page's unit tests, and the page in a browser where Chromium is found.
test:
	cargo xtask test

# Upstream's test data, from the folder that CONFORMANCE names.
conformance:
	cargo xtask conformance
