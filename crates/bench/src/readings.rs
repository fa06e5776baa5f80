//! Sensor readings like the guide's, about 110 bytes each, always the same ones.

use std::io::{self, BufWriter, Write};

use anyhow::Result;

/// The reading at `index`.
pub(crate) fn reading(index: u64) -> String {
    let (minute, second) = (index / 60 % 60, index % 60);
    let sensor = index * 7919 % 1000;
    let tenths = index * 31 % 400;
    format!(
        r#"{{"timestamp":"2024-01-15T10:{minute:02}:{second:02}","sensor_id":"sensor_{sensor:03}","location":"Freezer A","temperature_celsius":-{}.{}}}"#,
        tenths / 10,
        tenths % 10
    )
}

/// Prints `records` readings.
pub(crate) fn print(records: u64) -> Result<()> {
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    for index in 0..records {
        output.write_all(reading(index).as_bytes())?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}
