//! Names of silences: UUIDs of RFC 9562, version 4 (random) and version 8 (made from something).

use sha2::{Digest as _, Sha256};

/// A random one. Fails where the operating system gives no random bytes.
pub(crate) fn random() -> Result<String, String> {
    Ok(text(runtime::random::secret_bytes()?, 4))
}

/// The one that belongs to a text, always the same.
pub(crate) fn of(name: &str) -> String {
    let digest = Sha256::digest(name);
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(digest.iter()) {
        *byte = *of;
    }
    text(bytes, 8)
}

fn text(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{of, random, text};

    #[test]
    fn has_version_and_variant() {
        let check = |byte: u8, version: u8, want: &str| {
            assert_eq!(text([byte; 16], version), want);
        };
        check(0x00, 4, "00000000-0000-4000-8000-000000000000");
        check(0xff, 8, "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        assert_ne!(random(), random());
    }
}
