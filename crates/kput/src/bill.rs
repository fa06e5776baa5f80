//! What the service bills for entries, in both modes of a stream.

/// Bytes of a payload unit (Kinesis pricing, provisioned mode).
const PAYLOAD_UNIT: u64 = 25 * 1024;

/// Entries counted as the service counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Payload and key bytes.
    pub bytes: u64,
    /// What on-demand streams bill: each entry rounded up to a KiB.
    pub kib: u64,
    /// What provisioned streams bill: payload units of 25 KiB, each entry rounded up.
    pub payload_units: u64,
}

impl Bill {
    /// That of one entry of so many bytes, payload and key.
    pub fn of(bytes: usize) -> Self {
        let mut bill = Self::default();
        bill.add(bytes);
        bill
    }

    /// Adds an entry of so many bytes, payload and key.
    pub fn add(&mut self, bytes: usize) {
        let bytes = bytes as u64;
        self.bytes += bytes;
        self.kib += bytes.div_ceil(1024);
        self.payload_units += bytes.div_ceil(PAYLOAD_UNIT);
    }
}

#[cfg(test)]
mod tests {
    use super::Bill;

    #[test]
    fn every_entry_is_rounded_up_on_its_own() {
        let mut bill = Bill::default();
        for bytes in [1, 1024, 1025, 25 * 1024 + 1] {
            bill.add(bytes);
        }
        assert_eq!(bill, Bill { bytes: 27_651, kib: 1 + 1 + 2 + 26, payload_units: 1 + 1 + 1 + 2 });
    }
}
