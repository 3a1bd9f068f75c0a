use super::{DiskQueue, Dropped, Options, QueueReader, QueueRecord};
use crate::files::SimulatedFiles;
use proptest::prelude::*;
use std::path::PathBuf;

fn options(disk: &SimulatedFiles, bytes_max: u64) -> Options {
    Options {
        folder: PathBuf::from("/queue"),
        bytes_max,
        segment_bytes: 200,
        files: disk.shared(),
    }
}

fn open(disk: &SimulatedFiles) -> (DiskQueue, QueueReader) {
    DiskQueue::open(options(disk, 1 << 20)).expect("opened")
}

fn push(queue: &DiskQueue, text: &str) -> Dropped {
    let content = |_| (text.as_bytes().to_vec(), 3);
    queue.push(content).expect("pushed")
}

/// Reads everything that is there and was not acknowledged.
fn read_all(queue: &DiskQueue, reader: &mut QueueReader) -> Vec<QueueRecord> {
    let next = || queue.read(reader).expect("read");
    std::iter::from_fn(next)
        .filter(|record| !record.is_acknowledged)
        .collect()
}

fn texts(records: &[QueueRecord]) -> Vec<String> {
    let text = |record: &QueueRecord| String::from_utf8_lossy(&record.content).into_owned();
    records.iter().map(text).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("record {n:020}")).collect()
}

#[test]
fn what_was_not_acknowledged_is_read_again_after_a_restart() {
    let disk = SimulatedFiles::new(1);
    let (queue, mut reader) = open(&disk);
    for text in numbers(0..30) {
        push(&queue, &text);
    }
    let read = read_all(&queue, &mut reader);
    assert_eq!(texts(&read), numbers(0..30));
    assert_eq!(queue.read(&mut reader).expect("read"), None);
    queue.acknowledge(read[12].end).expect("acknowledged");
    drop(queue);
    disk.restart_process();
    let (queue, mut reader) = open(&disk);
    push(&queue, "new");
    let mut want = numbers(13..30);
    want.push("new".to_owned());
    let read = read_all(&queue, &mut reader);
    assert_eq!(texts(&read), want);
    queue
        .acknowledge(read.last().expect("some").end)
        .expect("acknowledged");
    drop(queue);
    let (queue, mut reader) = open(&disk);
    assert!(read_all(&queue, &mut reader).is_empty());
    assert!(queue.size_bytes() < 100, "{}", queue.size_bytes());
}

#[test]
fn the_first_of_a_segment_is_said_on_both_sides() {
    let disk = SimulatedFiles::new(1);
    let (queue, mut reader) = open(&disk);
    let mut said = Vec::new();
    for _ in 0..20 {
        let content = |first| {
            said.push(first);
            (vec![b'x'; 50], 1)
        };
        queue.push(content).expect("pushed");
    }
    let read = read_all(&queue, &mut reader);
    let seen: Vec<bool> = read.iter().map(|record| record.begins_segment).collect();
    assert_eq!(seen, said);
    assert!(said.iter().filter(|first| **first).count() > 3);
}

#[test]
fn the_oldest_go_when_there_is_no_room() {
    let disk = SimulatedFiles::new(1);
    let (queue, mut reader) = DiskQueue::open(options(&disk, 1000)).expect("opened");
    let mut dropped = Dropped::default();
    for text in numbers(0..100) {
        let more = push(&queue, &text);
        dropped.records += more.records;
        dropped.weight += more.weight;
        assert!(queue.size_bytes() <= 1000, "{}", queue.size_bytes());
    }
    let read = read_all(&queue, &mut reader);
    let kept = u32::try_from(read.len()).expect("few");
    assert_eq!(texts(&read), numbers(100 - kept..100));
    assert_eq!(dropped.records, u64::from(100 - kept));
    assert_eq!(dropped.weight, dropped.records * 3);
}

#[test]
fn a_full_disk_costs_what_did_not_fit_and_no_more() {
    let disk = SimulatedFiles::new(3);
    let (queue, mut reader) = open(&disk);
    push(&queue, "before");
    disk.set_space(disk.used_bytes() + 5);
    let content = |_| (b"does not fit".to_vec(), 1);
    assert!(queue.push(content).is_err());
    disk.set_space(1 << 20);
    push(&queue, "after");
    assert_eq!(texts(&read_all(&queue, &mut reader)), ["before", "after"]);
}

proptest! {
    /// Pushes, reads, acknowledgements and restarts in any order: after each restart exactly what was not acknowledged
    /// is read, in order.
    #[test]
    fn stories(seed: u64, steps in prop::collection::vec(0..10_u8, 1..120)) {
        let disk = SimulatedFiles::new(seed);
        let (mut queue, mut reader) = open(&disk);
        let (mut pushed, mut acknowledged, mut read) = (Vec::<String>::new(), 0, Vec::new());
        for step in steps {
            match step {
                0..=5 => {
                    let text = format!("record {:020}", pushed.len());
                    push(&queue, &text);
                    pushed.push(text);
                }
                6 | 7 => read.extend(read_all(&queue, &mut reader)),
                8 => {
                    if let Some(record) = read.get(read.len() / 2) {
                        queue.acknowledge(record.end).expect("acknowledged");
                        acknowledged += read.len() / 2 + 1;
                        read.drain(..=read.len() / 2);
                    }
                }
                _ => {
                    drop(queue);
                    disk.restart_process();
                    (queue, reader) = open(&disk);
                    read.clear();
                }
            }
        }
        read.extend(read_all(&queue, &mut reader));
        prop_assert_eq!(texts(&read), &pushed[acknowledged..]);
    }

    /// A loss of power may cost the newest records and the newest marks, never order or sense.
    #[test]
    fn after_a_loss_of_power_a_run_of_records_is_left(seed: u64, count in 1..60_u32, marked in 0..60_usize) {
        let disk = SimulatedFiles::new(seed);
        let (queue, mut reader) = open(&disk);
        for text in numbers(0..count) {
            push(&queue, &text);
        }
        let read = read_all(&queue, &mut reader);
        if let Some(record) = read.get(marked) {
            queue.acknowledge(record.end).expect("acknowledged");
        }
        drop(queue);
        disk.restart_machine();
        let (queue, mut reader) = open(&disk);
        let read = texts(&read_all(&queue, &mut reader));
        prop_assert!(read.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(read.iter().all(|text| numbers(0..count).contains(text)));
    }

    #[test]
    fn garbage_in_the_files_is_left_out(seed: u64, place: prop::sample::Index, count in 1..30_u32) {
        use crate::files::Files as _;
        let disk = SimulatedFiles::new(seed);
        let (queue, _) = open(&disk);
        for text in numbers(0..count) {
            push(&queue, &text);
        }
        drop(queue);
        let names = disk.list(&PathBuf::from("/queue")).expect("listed");
        let name = place.get(&names);
        let path = PathBuf::from("/queue").join(name);
        let length = crate::files::read_whole(&disk, &path).expect("read").len();
        disk.flip_byte(&path, place.index(length)).expect("flipped");
        let (queue, mut reader) = open(&disk);
        let read = texts(&read_all(&queue, &mut reader));
        prop_assert!(read.iter().all(|text| numbers(0..count).contains(text)));
    }
}
