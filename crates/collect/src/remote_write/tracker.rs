//! Which records of the queue are dealt with: those whose every row was sent or given up, and all before them.

use std::collections::VecDeque;
use storage::wal::Position;

/// A record under way.
#[derive(Debug)]
struct UnderWay {
    number: u64,
    end: Position,
    rows_left: usize,
}

/// Records under way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    records: VecDeque<UnderWay>,
    next: u64,
}

impl Tracker {
    /// Begins a record that counts as one row until `done` is told so; answers its number.
    pub(super) fn begin(&mut self, end: Position) -> u64 {
        let number = self.next;
        self.next += 1;
        self.records.push_back(UnderWay {
            number,
            end,
            rows_left: 1,
        });
        number
    }

    /// Adds a row to a record.
    pub(super) fn add(&mut self, number: u64) {
        if let Some(record) = self.record(number) {
            record.rows_left += 1;
        }
    }

    /// Takes rows off a record; answers up to where everything is dealt with, if that has moved.
    pub(super) fn done(&mut self, number: u64, rows: usize) -> Option<Position> {
        if let Some(record) = self.record(number) {
            record.rows_left = record.rows_left.saturating_sub(rows);
        }
        let mut through = None;
        while let Some(first) = self.records.front()
            && first.rows_left == 0
        {
            through = Some(first.end);
            self.records.pop_front();
        }
        through
    }

    fn record(&mut self, number: u64) -> Option<&mut UnderWay> {
        let first = self.records.front()?.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        self.records.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::Tracker;
    use storage::wal::Position;

    #[test]
    fn moves_on_when_the_oldest_is_done() {
        let at = |offset| Position { segment: 1, offset };
        let mut tracker = Tracker::default();
        let first = tracker.begin(at(10));
        tracker.add(first);
        assert_eq!(tracker.done(first, 1), None);
        let second = tracker.begin(at(20));
        assert_eq!(tracker.done(second, 1), None);
        assert_eq!(tracker.done(first, 1), Some(at(20)));
        let third = tracker.begin(at(30));
        assert_eq!(tracker.done(third, 1), Some(at(30)));
        assert_eq!(tracker.done(7, 1), None);
    }
}
