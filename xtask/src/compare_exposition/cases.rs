//! The bodies: upstream's files, and what becomes of them by chance.

use std::path::Path;

/// Bodies beyond this are served but not mutated.
const MUTATED_BYTES_MAX: usize = 6_000;

pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One body.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

/// Every exposition file of a folder in both formats.
pub(super) fn of_files(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let is_body = file.file_name().is_some_and(|name| name == "metrics")
            || file.extension().is_some_and(|end| end == "txt");
        if !is_body {
            continue;
        }
        let body = std::fs::read(&file)?;
        let name = file.strip_prefix(folder).unwrap_or(&file).display();
        for content_type in [OPENMETRICS, TEXT] {
            cases.push(Case {
                name: name.to_string(),
                content_type,
                body: body.clone(),
            });
        }
    }
    Ok(cases)
}

fn find(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Numbers that look random and come again from the same seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from((self.0 >> 11) % limit).unwrap_or_default()
    }
}

/// `count` bodies, each one of `cases` with one to three changes.
pub(super) fn mutations(cases: &[Case], count: usize, seed: u64) -> Vec<Case> {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let small: Vec<&Case> = cases
        .iter()
        .filter(|case| case.body.len() <= MUTATED_BYTES_MAX)
        .collect();
    let mut mutated = Vec::with_capacity(count);
    for number in 0..count {
        let Some(case) = small.get(chance.below(small.len())) else {
            break;
        };
        let mut body = case.body.clone();
        for _ in 0..=chance.below(3) {
            mutate(&mut body, &mut chance);
        }
        mutated.push(Case {
            name: format!("{} mutated {number}", case.name),
            content_type: case.content_type,
            body,
        });
    }
    mutated
}

/// Pieces that mean something in one of the formats.
const PIECES: [&[u8]; 24] = [
    b"\n",
    b" ",
    b"\t",
    b"#",
    b"# ",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b"=",
    b",",
    b"+Inf",
    b"NaN",
    b"-1",
    b"1e3",
    b"0x1p3",
    b"1_000",
    b"# EOF\n",
    b" # {a=\"b\"} 1",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"{}",
    b" 123.456",
];

fn mutate(body: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(body.len());
    match chance.below(7) {
        0 => {
            let bit = chance.below(8);
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        1 => body.truncate(at),
        2 => {
            let piece = PIECES.get(chance.below(PIECES.len())).copied();
            body.splice(at..at, piece.unwrap_or_default().iter().copied());
        }
        3 if !body.is_empty() => drop(body.remove(at)),
        _ => mutate_lines(body, chance),
    }
}

/// Doubles, drops or swaps whole lines.
fn mutate_lines(body: &mut Vec<u8>, chance: &mut Chance) {
    let mut lines: Vec<Vec<u8>> = body
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let (a, b) = (chance.below(lines.len()), chance.below(lines.len()));
    match chance.below(3) {
        0 => {
            let line = lines.get(a).cloned().unwrap_or_default();
            lines.insert(b, line);
        }
        1 => drop(lines.remove(a)),
        _ => lines.swap(a, b),
    }
    *body = lines.concat();
}
