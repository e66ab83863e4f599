//! A zip file of entries as they are, without compression, each at a multiple of 64 bytes: so that
//! PyTorch can map them into memory.

use std::io::{self, Write};

use flate2::Crc;

const ALIGNMENT: u64 = 64;

/// A zip file being written.
pub struct Zip<W> {
    out: W,
    at: u64,
    directory: Vec<u8>,
    entries: u16,
}

/// What an entry's header and the directory say alike: version 2.0, no flags, no compression, the
/// first day of 1980; then checksum and sizes.
fn description(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let size = within(bytes.len() as u64)?;
    let mut out = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    for field in [crc.sum(), size, size] {
        out.extend(field.to_le_bytes());
    }
    Ok(out)
}

fn within(size: u64) -> io::Result<u32> {
    let large = || io::Error::new(io::ErrorKind::FileTooLarge, "it would exceed 4 GiB");
    u32::try_from(size).map_err(|_| large())
}

impl<W: Write> Zip<W> {
    pub fn new(out: W) -> Self {
        Self {
            out,
            at: 0,
            directory: Vec::new(),
            entries: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// Those of the file, and a file beyond 4 GiB.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        const HEADER: u64 = 30;
        const FIELD: u64 = 4;
        let offset = within(self.at)?.to_le_bytes();
        let description = description(bytes)?;
        let name_len = (name.len() as u16).to_le_bytes();
        let unpadded = self.at + HEADER + name.len() as u64 + FIELD;
        let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;

        self.write(b"PK\x03\x04")?;
        self.write(&description)?;
        self.write(&name_len)?;
        self.write(&((FIELD + padding) as u16).to_le_bytes())?;
        self.write(name.as_bytes())?;
        // PyTorch's own kind of field for padding.
        self.write(b"FB")?;
        self.write(&(padding as u16).to_le_bytes())?;
        self.write(&b"Z".repeat(padding as usize))?;
        self.write(bytes)?;

        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(description);
        self.directory.extend(name_len);
        // No further fields, no comment, the first disk, no attributes.
        self.directory.extend([0; 12]);
        self.directory.extend(offset);
        self.directory.extend(name.as_bytes());
        self.entries += 1;
        Ok(())
    }

    /// Ends the file with its directory.
    pub fn finish(mut self) -> io::Result<()> {
        let (size, offset) = (within(self.directory.len() as u64)?, within(self.at)?);
        let entries = self.entries.to_le_bytes();
        let directory = std::mem::take(&mut self.directory);
        self.write(&directory)?;
        self.write(b"PK\x05\x06\0\0\0\0")?;
        self.write(&entries)?;
        self.write(&entries)?;
        self.write(&size.to_le_bytes())?;
        self.write(&offset.to_le_bytes())?;
        self.write(&[0, 0])?;
        self.out.flush()
    }
}
