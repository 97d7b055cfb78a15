/// How long the longest text is that is put together here: a time stamp of a far year, with all its parts.
const ROOM: usize = 64;

/// Two decimal digits for each number below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        // Both are below ten.
        #[allow(clippy::cast_possible_truncation)]
        let digits = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        pairs[number] = digits;
        number += 1;
    }
    pairs
};

/// A short ASCII text on the stack: put together byte by byte, appended in one piece.
pub(crate) struct Ascii {
    bytes: [u8; ROOM],
    length: usize,
}

impl Ascii {
    /// An empty text.
    #[inline]
    pub(crate) fn new() -> Self {
        Self { bytes: [0; ROOM], length: 0 }
    }

    /// Appends one ASCII character; beyond the room there is, none.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii() && self.length < ROOM);
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    /// Appends a number below a hundred in two digits.
    #[inline]
    pub(crate) fn push_pair(&mut self, number: u32) {
        let [tens, ones] = PAIRS[number as usize % 100];
        self.push(tens);
        self.push(ones);
    }

    /// Appends ASCII characters.
    #[inline]
    pub(crate) fn push_all(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.push(byte));
    }

    /// Appends a fraction of so many digits, with its point and without the zeros at its end; nothing if it is zero.
    #[inline]
    pub(crate) fn push_fraction(&mut self, mut fraction: u32, mut digits: u32) {
        if fraction == 0 {
            return;
        }
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        self.push(b'.');
        let mut place = 10_u32.pow(digits - 1);
        while place > 0 {
            // One digit.
            #[allow(clippy::cast_possible_truncation)]
            self.push(b'0' + (fraction / place % 10) as u8);
            place /= 10;
        }
    }

    /// The text.
    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        // It is ASCII, and so there is no other case.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}
