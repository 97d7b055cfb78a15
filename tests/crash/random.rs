//! Random numbers that a seed repeats.

use std::ops::Range;

/// SplitMix64: small, quick, and good enough to choose what happens next.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of a seed, for one of those who draw: each has numbers of its own, whatever the others do.
    pub(crate) fn new(seed: u64, who: &str) -> Self {
        let mut state = seed;
        for byte in who.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from `range`, which is not empty.
    pub(crate) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// The place of one of `count` things.
    pub(crate) fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.within(0..count as u64)).expect("no more than there are things")
    }

    /// Whether something happens that does so `percent` times of a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.place(things.len())]
    }

    /// `length` letters.
    pub(crate) fn word(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(*self.pick(b"abcdefghijklmnopqrstuvwxyz"))).collect()
    }
}

fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
