//! Eventual consistency: a change is stored at once and takes effect a little later.

use std::time::{Duration, SystemTime};

/// A value whose latest state everybody may read, and whose effect lags behind.
#[derive(Debug, Clone)]
pub(crate) struct Delayed<T> {
    latest: T,
    effective_from: SystemTime,
    earlier: Vec<(SystemTime, T)>,
}

impl<T> Delayed<T> {
    /// A value that takes effect `delay` after `now`. Before that there is none.
    pub(crate) fn new(value: T, now: SystemTime, delay: Duration) -> Self {
        Self { latest: value, effective_from: now + delay, earlier: Vec::new() }
    }

    /// Replaces the value. Until `delay` has passed, what was in effect stays in effect.
    pub(crate) fn set(&mut self, value: T, now: SystemTime, delay: Duration) {
        let replaced = std::mem::replace(&mut self.latest, value);
        self.earlier.push((self.effective_from, replaced));
        self.effective_from = now + delay;
        // What an effective successor has replaced can never matter again.
        if let Some(in_effect) = self.earlier.iter().rposition(|(from, _)| *from <= now) {
            self.earlier.drain(..in_effect);
        }
    }

    /// What was written last.
    pub(crate) fn latest(&self) -> &T {
        &self.latest
    }

    /// What counts for a decision that is made now.
    pub(crate) fn in_effect(&self, now: SystemTime) -> Option<&T> {
        if self.effective_from <= now {
            return Some(&self.latest);
        }
        self.earlier.iter().rev().find(|(from, _)| *from <= now).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(10);

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn a_change_counts_only_after_the_delay() {
        let mut value = Delayed::new('a', at(0), DELAY);
        assert_eq!(value.in_effect(at(9)), None);
        assert_eq!(value.in_effect(at(10)), Some(&'a'));
        value.set('b', at(20), DELAY);
        assert_eq!(value.latest(), &'b');
        assert_eq!(value.in_effect(at(29)), Some(&'a'));
        assert_eq!(value.in_effect(at(30)), Some(&'b'));
    }

    #[test]
    fn quick_changes_take_effect_one_after_the_other() {
        let mut value = Delayed::new('a', at(0), DELAY);
        value.set('b', at(12), DELAY);
        value.set('c', at(14), DELAY);
        let seen: Vec<_> = [11, 21, 22, 23, 24].map(|second| value.in_effect(at(second)).copied()).into();
        assert_eq!(seen, [Some('a'), Some('a'), Some('b'), Some('b'), Some('c')]);
    }
}
