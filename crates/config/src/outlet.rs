//! Standard output behind a thread of its own, so that a reader who pauses holds back neither signals nor connections.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::thread;

use tokio::io::Interest;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use crate::output::{OutError, Output};

type Written = Result<Vec<u8>, OutError>;

/// Hands pieces of output to the writer, one at a time.
pub struct Outlet {
    pieces: mpsc::Sender<Vec<u8>>,
    written: mpsc::Receiver<Written>,
    watched: Option<pipe::Sender>,
    is_idle: bool,
}

impl Outlet {
    /// Writes to the process's stdout, and notices when its reader leaves although there is nothing to write. Call inside a
    /// tokio runtime.
    pub fn stdout() -> Self {
        // A duplicate, which is only watched: it stays in the mode in which the writer uses it. A file has no reader who
        // could leave, and cannot be watched.
        let duplicate = io::stdout().as_fd().try_clone_to_owned();
        let watched = duplicate.and_then(pipe::Sender::from_owned_fd_unchecked).ok();
        Self { watched, ..Self::new(io::stdout()) }
    }

    /// Writes to `writer` until this is dropped.
    pub fn new<W: Write + Send + 'static>(writer: W) -> Self {
        let (pieces, mut incoming) = mpsc::channel::<Vec<u8>>(1);
        let (answer, written) = mpsc::channel(1);
        thread::spawn(move || {
            let mut output = Output::new(writer, false);
            while let Some(mut piece) = incoming.blocking_recv() {
                let result = output.bytes(&piece).and_then(|()| output.flush()).map(|()| {
                    piece.clear();
                    piece
                });
                if answer.blocking_send(result).is_err() {
                    return;
                }
            }
        });
        Self { pieces, written, watched: None, is_idle: true }
    }

    /// Waits until the reader of stdout leaves; for ever when that cannot be known.
    pub async fn left(&self) {
        match &self.watched {
            Some(stdout) => drop(stdout.ready(Interest::ERROR).await),
            None => std::future::pending().await,
        }
    }

    /// Whether no piece is on its way.
    pub fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// Hands a piece to the writer, which has to be idle. [`Outlet::done`] tells when it has left.
    pub fn hand(&mut self, piece: Vec<u8>) {
        self.is_idle = false;
        // A writer that has ended tells why when it is asked how it went.
        drop(self.pieces.try_send(piece));
    }

    /// Waits until the piece on its way has left the process and returns its memory, empty.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub async fn done(&mut self) -> Result<Vec<u8>, OutError> {
        let written = self.written.recv().await.unwrap_or(Err(OutError::Closed));
        self.is_idle = true;
        written
    }

    /// Writes `bytes` and leaves the buffer empty. When this returns, they have left the process.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub async fn write(&mut self, bytes: &mut Vec<u8>) -> Result<(), OutError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.hand(std::mem::take(bytes));
        *bytes = self.done().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::Outlet;
    use crate::output::OutError;
    use crate::output::tests::Broken;

    #[tokio::test]
    async fn the_buffer_comes_back_for_the_next_piece() {
        let mut outlet = Outlet::new(io::sink());
        let mut bytes = Vec::with_capacity(4096);
        bytes.push(1);
        outlet.write(&mut bytes).await.unwrap();
        assert!(bytes.is_empty());
        assert!(bytes.capacity() >= 4096);
    }

    #[tokio::test]
    async fn a_full_disk_is_told_apart_from_a_reader_who_left() {
        let failure = async |kind| Outlet::new(Broken(kind)).write(&mut vec![1]).await.unwrap_err();
        assert!(matches!(failure(io::ErrorKind::BrokenPipe).await, OutError::Closed));
        assert!(matches!(failure(io::ErrorKind::StorageFull).await, OutError::Failed(_)));
    }
}
