//! Values over time in bounded memory: bins that grow wider as the time they span grows longer.

use std::collections::BTreeMap;

/// The narrowest bin.
const FIRST_BIN_MS: i64 = 1000;

/// Bins that are kept at most; at the next one all become twice as wide.
const BINS: usize = 4096;

/// What a bin holds; two neighbours can be joined.
pub(crate) trait Join {
    /// Takes in what the neighbour holds.
    fn join(&mut self, other: Self);
}

impl Join for u64 {
    fn join(&mut self, other: Self) {
        *self += other;
    }
}

/// Bins by time.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<T> {
    bin_ms: i64,
    bins: BTreeMap<i64, T>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { bin_ms: FIRST_BIN_MS, bins: BTreeMap::new() }
    }
}

impl<T: Join + Clone> Timeline<T> {
    /// Adds a value at a time, in milliseconds since 1970.
    pub(crate) fn add(&mut self, millis: i64, value: T) {
        self.add_bin(millis.div_euclid(self.bin_ms), value);
        while self.bins.len() > BINS {
            self.widen();
        }
    }

    fn add_bin(&mut self, index: i64, value: T) {
        match self.bins.get_mut(&index) {
            Some(bin) => bin.join(value),
            None => {
                self.bins.insert(index, value);
            }
        }
    }

    fn widen(&mut self) {
        self.bin_ms *= 2;
        for (index, value) in std::mem::take(&mut self.bins) {
            self.add_bin(index.div_euclid(2), value);
        }
    }

    /// The times that are spanned, from the start of the first bin to the end of the last.
    pub(crate) fn span_ms(&self) -> Option<(i64, i64)> {
        let ((first, _), (last, _)) = (self.bins.first_key_value()?, self.bins.last_key_value()?);
        Some((first * self.bin_ms, (last + 1) * self.bin_ms))
    }

    /// How wide a bin is now.
    pub(crate) fn bin_ms(&self) -> i64 {
        self.bin_ms
    }

    /// What the bins that are not empty hold, in the order of time.
    pub(crate) fn bins(&self) -> impl Iterator<Item = &T> {
        self.bins.values()
    }

    /// The same in at most `count` bins of equal width, each with the time it begins at; empty ones hold none.
    pub(crate) fn in_bins(&self, count: usize) -> Vec<(i64, Option<T>)> {
        let Some((first, last)) = self.bins.first_key_value().zip(self.bins.last_key_value()) else {
            return Vec::new();
        };
        let (first, last) = (*first.0, *last.0);
        let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        // Only whole bins are joined, or neighbours would span unequal times.
        let joined = (last - first) / count + 1;
        let begin = |bin: i64| (first + bin * joined) * self.bin_ms;
        let mut bins: Vec<(i64, Option<T>)> =
            (0..=(last - first) / joined).map(|bin| (begin(bin), None)).collect();
        for (index, value) in &self.bins {
            let bin = usize::try_from((index - first) / joined).unwrap_or_default();
            match bins.get_mut(bin) {
                Some((_, Some(bin))) => bin.join(value.clone()),
                Some((_, empty)) => *empty = Some(value.clone()),
                None => {}
            }
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::{BINS, Timeline};

    #[test]
    fn bins_are_of_equal_width_and_hold_everything() {
        let mut timeline = Timeline::default();
        for second in 0..100 {
            timeline.add(second * 1000 + 500, 1_u64);
        }
        assert_eq!(timeline.span_ms(), Some((0, 100_000)));
        let bins = timeline.in_bins(10);
        assert_eq!(bins.len(), 10);
        assert!(bins.iter().all(|(_, count)| *count == Some(10)), "{bins:?}");
        assert_eq!(bins[1].0, 10_000);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let mut timeline = Timeline::default();
        timeline.add(0, 1_u64);
        timeline.add(9999, 2);
        let bins = timeline.in_bins(5);
        let counts: Vec<_> = bins.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [Some(1), None, None, None, Some(2)]);
        assert_eq!(timeline.in_bins(3).len(), 3);
    }

    #[test]
    fn memory_is_bounded_however_long_the_time() {
        let mut timeline = Timeline::default();
        for minute in 0..600_000 {
            timeline.add(minute * 60_000, 1_u64);
        }
        assert!(timeline.bins.len() <= BINS);
        let all: u64 = timeline.in_bins(40).iter().filter_map(|(_, count)| *count).sum();
        assert_eq!(all, 600_000);
    }

    #[test]
    fn nothing_has_no_bins() {
        assert!(Timeline::<u64>::default().in_bins(10).is_empty());
    }
}
