//! Base64 with the alphabet for URLs and padding.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = ALPHABET
                .get(bits >> (18 - 6 * position) & 63)
                .copied()
                .unwrap_or(b'A');
            out.push(if position <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

/// Decodes; line ends are skipped, and the error names the byte where the data is wrong, as Go's does.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let wrong = |at: usize| format!("illegal base64 data at input byte {at}");
    let digits: Vec<(usize, u8)> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    for (chunk_index, chunk) in digits.chunks(4).enumerate() {
        let mut bits = 0_u32;
        let mut count = 0;
        for (at, byte) in chunk {
            let Some(digit) = ALPHABET.iter().position(|letter| letter == byte) else {
                let last = (chunk_index + 1) * 4 >= digits.len();
                let padding = chunk.iter().skip(count).all(|(_, byte)| *byte == b'=');
                if *byte == b'=' && count >= 2 && padding && last && chunk.len() == 4 {
                    break;
                }
                return Err(wrong(*at));
            };
            bits = bits << 6 | u32::try_from(digit).unwrap_or(0);
            count += 1;
        }
        if chunk.len() < 4 {
            return Err(wrong(text.len() - chunk.len()));
        }
        bits <<= 6 * (4 - count);
        let bytes = bits.to_be_bytes();
        out.extend(bytes.iter().skip(1).take(count - 1));
    }
    Ok(out)
}
