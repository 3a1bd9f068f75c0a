use super::{Block, BlockReader, BlockWriter, IndexMemory, Origin};
use crate::error::Error;
use crate::gather::{Floats, Gathered, Histograms, SharedTimes};
use model::{Histogram, Labels, MatchOperator, Matcher, ReadBudget, TimeRange};
use runtime::metrics::Counter;
use std::path::Path;
use std::sync::Arc;
use storage::{SharedFiles, SimulatedFiles};

fn memory() -> Arc<IndexMemory> {
    Arc::new(IndexMemory::new(1 << 20, Counter::default()))
}

fn folder() -> &'static Path {
    Path::new("/blocks")
}

fn labels(i: u32) -> Labels {
    let id = format!("{i:04}");
    let half = format!("{:02}", i / 100);
    Labels::from_pairs([("__name__", "m"), ("id", &id), ("half", &half)])
}

/// A block of `count` series with 50 samples each; every tenth also holds a histogram.
fn write(files: &SharedFiles, count: u32) -> Block {
    let origin = Origin {
        id: 7,
        order: 7,
        ..Origin::default()
    };
    let mut writer = BlockWriter::begin(files, folder(), origin).expect("begin");
    for i in 0..count {
        let times: Vec<i64> = (0..50)
            .map(|step| step * 15_000 + i64::from(i % 3))
            .collect();
        let values: Vec<f64> = (0..50).map(|step| f64::from(step * i) / 10.0).collect();
        let histogram = Arc::new(Histogram {
            count: f64::from(i),
            ..Histogram::default()
        });
        let samples: Vec<_> = (i % 10 == 0)
            .then_some((1_000_000, histogram))
            .into_iter()
            .collect();
        let histograms = Histograms {
            starts: samples.iter().map(|_| 77).collect(),
            samples,
        };
        // Every fourth series knows since when it counts, from its tenth sample on.
        let since = (0..50).map(|step| if step < 10 { 0 } else { 5 });
        let starts = if i % 4 == 0 {
            since.collect()
        } else {
            Vec::new()
        };
        let floats = Floats {
            times,
            values,
            starts,
            summaries: None,
        };
        writer.add(&labels(i), &floats, &histograms).expect("add");
    }
    let meta = writer.finish().expect("finish").expect("not empty");
    assert_eq!((meta.start, meta.end), (0, 1_000_000));
    Block::open(files, folder(), meta, &memory()).expect("open")
}

fn read(reader: &BlockReader, series: u32) -> Result<model::Columns, Error> {
    let mut gathered = Gathered::default();
    let budget = ReadBudget::new(usize::MAX);
    reader.read(series, TimeRange::ALL, &budget, &mut gathered)?;
    let mut columns = model::Columns::default();
    gathered.finish(&mut SharedTimes::default(), &mut columns);
    Ok(columns)
}

#[test]
fn gives_back_what_was_written() {
    let files = SimulatedFiles::new(1).shared();
    let block = Arc::new(write(&files, 8000));
    let reader = BlockReader::new(&block).expect("reader");
    assert!(
        reader.index.pages.len() > 2,
        "values fill more than one page"
    );
    assert_eq!(
        reader.index.times.len(),
        4,
        "equal timestamp columns are stored once"
    );
    for i in [0, 1, 10, 999, 7999] {
        assert_eq!(reader.index.series.labels(i), labels(i));
        let columns = read(&reader, i).expect("read");
        assert_eq!(columns.len(), 50 + usize::from(i % 10 == 0));
        assert_eq!(
            columns.values[3].to_bits(),
            (f64::from(3 * i) / 10.0).to_bits()
        );
        assert_eq!(columns.histograms.len(), usize::from(i % 10 == 0));
        let starts = columns
            .starts
            .as_deref()
            .map(|starts| [9, 10, 49].map(|at| starts[at]));
        match (i % 4, i % 10) {
            (0, _) => assert_eq!(starts, Some([0, 5, 5])),
            (_, 0) => assert_eq!(starts, Some([0, 0, 0])),
            _ => assert_eq!(starts, None),
        }
        if i % 10 == 0 {
            assert_eq!(columns.starts.map(|starts| starts[50]), Some(77));
        }
    }
    let half = Matcher::new("half", MatchOperator::Regex, "0[12]").expect("valid");
    assert_eq!(reader.index.series.select(&[half]).len(), 200);
    let with_id = |id: &str| reader.index.series.select(&[Matcher::equal("id", id)]);
    assert_eq!(with_id("7999"), [7999]);
    assert!(with_id("nope").is_empty());
}

/// One changed byte anywhere: the block does not open, or the read that meets it fails. Never a panic,
/// never other values.
#[test]
fn any_damage_is_noticed() {
    let disk = SimulatedFiles::new(1);
    let files = disk.shared();
    let block = write(&files, 40);
    let meta = block.meta.clone();
    let path = folder().join("00000007.block");
    let want: Vec<_> = {
        let reader = BlockReader::new(&Arc::new(block)).expect("reader");
        (0..40).map(|i| read(&reader, i).expect("read")).collect()
    };
    for offset in 0..usize::try_from(meta.bytes).expect("small") {
        disk.flip_byte(&path, offset).expect("flip");
        let noticed = match Block::open(&files, folder(), meta.clone(), &memory()) {
            Err(_) => true,
            Ok(block) => {
                let block = Arc::new(block);
                let reader = BlockReader::new(&block).expect("the index was checked");
                (0..40).any(|i| match read(&reader, i) {
                    Err(_) => block.is_damaged(),
                    Ok(columns) => {
                        assert_eq!(columns, want[usize::try_from(i).expect("small")]);
                        false
                    }
                })
            }
        };
        assert!(noticed, "byte {offset}");
        disk.flip_byte(&path, offset).expect("flip back");
    }
}

#[test]
fn indexes_are_kept_within_a_limit() {
    let check = |bytes_max: usize, want: (bool, u64)| {
        let files = SimulatedFiles::new(1).shared();
        let written = write(&files, 20);
        let refused = Counter::default();
        let memory = Arc::new(IndexMemory::new(bytes_max, refused.clone()));
        let block = Block::open(&files, folder(), written.meta.clone(), &memory).expect("open");
        for _ in 0..2 {
            assert_eq!(block.index().expect("an index").series.count(), 20);
        }
        assert_eq!((memory.bytes() > 0, refused.value()), want, "{bytes_max}");
        assert!(memory.bytes() <= bytes_max);
    };
    check(1 << 20, (true, 0));
    check(100, (false, 2));
}

#[test]
fn blocks_of_the_same_series_share_them() {
    let check = |counts: (u32, u32), want: bool| {
        let (files, other) = (
            SimulatedFiles::new(1).shared(),
            SimulatedFiles::new(2).shared(),
        );
        let memory = memory();
        let mut bytes = Vec::new();
        let blocks = [(&files, counts.0), (&other, counts.1)].map(|(files, count)| {
            let meta = write(files, count).meta;
            let block = Block::open(files, folder(), meta, &memory).expect("open");
            let before = memory.bytes();
            let index = block.index().expect("an index");
            assert_eq!(index.series.count(), count);
            bytes.push(memory.bytes() - before);
            (block, index)
        });
        let [(first, one), (second, another)] = blocks;
        let tables = [&one, &another].map(|index| index.series.table());
        assert_eq!(Arc::ptr_eq(tables[0], tables[1]), want, "{counts:?}");
        assert_eq!(bytes[1] < bytes[0] / 2, want, "{bytes:?}");
        // The account ends with the last index that has them.
        drop((first, one));
        assert!(memory.bytes() > bytes[0] / 2, "{counts:?}");
        drop((second, another));
        assert_eq!(memory.bytes(), 0);
    };
    check((20, 20), true);
    check((20, 23), true);
    check((20, 200), false);
}
