//! A server of HTTP/1.1 as small as pretended gateways need: one request for each connection, a thread for each, on a
//! machine's own address. Not for anything that strangers reach.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What a head or a body may have.
const BYTES_MAX: u64 = 64 * 1024;
/// How long a client may keep its request to itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, with its query as it came.
    pub path: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What came with it.
    pub body: Vec<u8>,
}

impl Request {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// A status and an object of JSON.
    Json(u16, Vec<u8>),
    /// Nothing: the connection is cut.
    Cut,
}

impl Response {
    /// A status and an object of JSON.
    pub fn of(status: u16, body: &Value) -> Self {
        Response::Json(status, body.to_string().into_bytes())
    }
}

/// What answers requests.
pub type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// A server, until it is dropped.
pub struct Server {
    address: SocketAddr,
    has_ended: Arc<AtomicBool>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts to listen.
    ///
    /// # Errors
    /// The address is taken, or none of ours.
    pub fn start(listen: SocketAddr, handler: Handler) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let handler = Arc::clone(&handler);
                // Who is cut off tries again.
                let _ = stream.map(|stream| thread::spawn(move || serve(&stream, &handler)));
            }
        })?;
        Ok(Server { address, has_ended })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, handler: &Handler) {
    // A connection that breaks is of no more interest.
    let _: io::Result<()> = (|| {
        stream.set_read_timeout(Some(PATIENCE))?;
        let response = match read(stream)? {
            Some(request) => handler(&request),
            None => Response::Json(400, b"{}".to_vec()),
        };
        write(stream, &response)?;
        stream.shutdown(Shutdown::Both)
    })();
}

fn read(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream.take(2 * BYTES_MAX));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut request = Request { method, path, ..Request::default() };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None if line.trim_end().is_empty() => break,
            None => return Ok(None),
        }
    }
    let length = request.header("content-length").map_or(Some(0), |text| text.parse::<u64>().ok());
    let Some(length) = length.filter(|length| *length <= BYTES_MAX) else { return Ok(None) };
    reader.take(length).read_to_end(&mut request.body)?;
    Ok((request.body.len() as u64 == length).then_some(request))
}

fn write(mut stream: &TcpStream, response: &Response) -> io::Result<()> {
    let Response::Json(status, body) = response else { return Ok(()) };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    stream.flush()
}
