//! CRC-32C (Castagnoli), the checksum of all of Prometheus' files.
//!
//! Eight tables, so that eight bytes are folded in at once: reading a block checks every byte of it.
//! Source: RFC 3720, appendix B.4 (polynomial and test vectors).

const TABLES: [[u32; 256]; 8] = tables();

/// The checksum of some bytes.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let [a, b, c, d, e, f, g, h] = *word;
        let low = crc ^ u32::from_le_bytes([a, b, c, d]);
        let [a, b, c, d] = low.to_le_bytes();
        let folded = [a, b, c, d, e, f, g, h];
        crc = TABLES
            .iter()
            .zip(folded.iter().rev())
            .fold(0, |crc, (table, byte)| crc ^ entry(table, *byte));
    }
    for byte in rest {
        let [low, ..] = crc.to_le_bytes();
        crc = (crc >> 8) ^ entry(&TABLES[0], low ^ byte);
    }
    !crc
}

fn entry(table: &[u32; 256], byte: u8) -> u32 {
    table[usize::from(byte)]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "const evaluation: the index is below 256"
)]
const fn tables() -> [[u32; 256]; 8] {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut tables = [[0; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        tables[0][i] = crc;
        i += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut i = 0;
        while i < 256 {
            let before = tables[table - 1][i];
            tables[table][i] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            i += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn agrees_with_rfc_3720() {
        let check = |bytes: &[u8], want| assert_eq!(crc32c(bytes), want);
        check(b"", 0);
        check(b"123456789", 0xe306_9283);
        check(&[0; 32], 0x8a91_36aa);
        check(&[0xff; 32], 0x62a8_ab43);
        let ascending: Vec<u8> = (0..32).collect();
        check(&ascending, 0x46dd_794e);
        check(&ascending[..29], crc32c(&ascending[..29]));
    }
}
