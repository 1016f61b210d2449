//! A connection: one request, one answer, the next request.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::{Answer, Head, head};
use super::{Address, LoadError};

/// Bytes that are read at once; most answers fit.
const READ_BYTES: usize = 4096;

/// A connection that is kept open from request to request.
#[derive(Debug)]
pub struct Connection {
    address: Address,
    stream: TcpStream,
    buffer: Vec<u8>,
    spent: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`LoadError::Connect`] if nobody takes the connection.
    pub async fn open(address: &Address) -> Result<Self, LoadError> {
        let stream = connect(address).await?;
        Ok(Self { address: address.clone(), stream, buffer: vec![0; READ_BYTES], spent: false })
    }

    /// Sends a request and waits for the whole answer. After a failure, or when the server closed, the next exchange
    /// opens the connection anew.
    ///
    /// # Errors
    /// If there is no answer or it cannot be read.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, LoadError> {
        if self.spent {
            self.stream = connect(&self.address).await?;
        }
        // Until the answer is whole nothing more can be asked here, also if this future is dropped half-way.
        self.spent = true;
        self.stream.write_all(request).await?;
        let head = self.read().await?;
        self.spent = head.closes;
        Ok(Answer { status: head.status, body: &self.buffer[head.body..head.end], closes: head.closes })
    }

    async fn read(&mut self) -> Result<Head, LoadError> {
        let mut filled = 0;
        let mut found = None;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            match self.stream.read(&mut self.buffer[filled..]).await? {
                0 => return Err(LoadError::Closed),
                read => filled += read,
            }
            if found.is_none() {
                found = head(&self.buffer[..filled])?;
            }
            match found {
                Some(head) if filled == head.end => return Ok(head),
                Some(head) if filled > head.end => {
                    return Err(LoadError::Unreadable("it goes on after its end"));
                }
                _ => {}
            }
        }
    }
}

async fn connect(address: &Address) -> Result<TcpStream, LoadError> {
    let socket = address.socket();
    let refuse = |source| LoadError::Connect { address: socket, source };
    let stream = TcpStream::connect(socket).await.map_err(refuse)?;
    stream.set_nodelay(true).map_err(refuse)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Answers each connection with one of these texts per request, piece by piece, and then closes it.
    async fn server(answers: Vec<Vec<String>>) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                for pieces in &answers {
                    let mut request = [0; 4];
                    if stream.read_exact(&mut request).await.is_err() {
                        break;
                    }
                    for piece in pieces {
                        stream.write_all(piece.as_bytes()).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
        Address::resolve(&format!("http://127.0.0.1:{port}")).await.unwrap()
    }

    #[tokio::test]
    async fn one_connection_serves_many_exchanges_however_the_answers_are_cut() {
        let pieces = ["HTTP/1.1 201 Created\r\ncontent-le", "ngth: 3\r\n\r\na", "bc"];
        let refusal = "HTTP/1.1 409 Conflict\r\ncontent-length: 19\r\n\r\n{\"code\":\"sold_out\"}";
        let address = server(vec![pieces.map(str::to_owned).to_vec(), vec![refusal.to_owned()]]).await;
        let mut connection = Connection::open(&address).await.unwrap();
        let answer = connection.exchange(b"ping").await.unwrap();
        assert_eq!((answer.status, answer.body), (201, &b"abc"[..]));
        let answer = connection.exchange(b"ping").await.unwrap();
        assert_eq!((answer.status, answer.code()), (409, Some("sold_out")));
    }

    #[tokio::test]
    async fn a_long_answer_makes_the_buffer_grow() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n".to_owned();
        let address = server(vec![vec![head, "x".repeat(10_000)]]).await;
        let mut connection = Connection::open(&address).await.unwrap();
        assert_eq!(connection.exchange(b"ping").await.unwrap().body.len(), 10_000);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_opened_anew() {
        let address = server(vec![vec![
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        ]])
        .await;
        let mut connection = Connection::open(&address).await.unwrap();
        for _ in 0..3 {
            assert!(connection.exchange(b"ping").await.unwrap().closes);
        }
    }

    #[tokio::test]
    async fn a_server_that_closes_without_an_answer_is_a_failure() {
        let address = server(vec![vec!["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab".to_owned()]]).await;
        let mut connection = Connection::open(&address).await.unwrap();
        assert!(matches!(connection.exchange(b"ping").await, Err(LoadError::Closed)));
        assert!(matches!(connection.exchange(b"ping").await, Err(LoadError::Closed)), "and is tried again");
    }
}
