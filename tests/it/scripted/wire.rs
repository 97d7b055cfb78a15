//! HTTP/1.1 as bytes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{Answer, Delivery};
use super::{Desk, Recorded};

/// The longest line of a head, and how many it may have.
const LINE: u64 = 64 * 1024;
const LINES: usize = 256;

/// The longest body of a request.
const BODY: usize = 16 * 1024 * 1024;

/// Serves whoever comes. What is under way is broken off with it.
pub(super) async fn listen(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&desk)));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers one request after the other, until one of both sides has enough.
async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = read_request(&mut stream, &desk).await {
        let is_head = request.method == "HEAD";
        let answer = desk.script.lock().answer(&request);
        desk.requests.lock().push(request);
        desk.news.notify_waiters();
        match deliver(&mut stream, answer, is_head).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                desk.abandoned.fetch_add(1, Ordering::SeqCst);
                desk.news.notify_waiters();
                return;
            }
        }
    }
}

/// The next request; `None` when the client has left.
async fn read_request(stream: &mut BufReader<TcpStream>, desk: &Desk) -> io::Result<Option<Recorded>> {
    let first = read_line(stream).await?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = Vec::new();
    while headers.len() < LINES {
        let line = read_line(stream).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let moment = desk.clock.now();
    let mut request = Recorded { method: method.into(), target: target.into(), headers, body: Vec::new(), moment };
    if let Some(expectation) = request.header("expect") {
        assert_eq!(expectation, "100-continue");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    request.body = match request.header("content-length") {
        Some(length) => read_bytes(stream, length.parse().unwrap()).await?,
        None if request.header("transfer-encoding").is_some() => read_chunks(stream).await?,
        None => Vec::new(),
    };
    Ok(Some(request))
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(LINE).read_until(b'\n', &mut line).await?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

async fn read_bytes(stream: &mut BufReader<TcpStream>, length: usize) -> io::Result<Vec<u8>> {
    assert!(length <= BODY, "a body of {length} bytes");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&read_line(stream).await?, 16).unwrap();
        let chunk = read_bytes(stream, length).await?;
        assert_eq!(read_line(stream).await?, "", "a line behind a chunk");
        if chunk.is_empty() {
            return Ok(body);
        }
        body.extend(chunk);
        assert!(body.len() <= BODY, "a body of more than {BODY} bytes");
    }
}

/// Sends an answer. Answers whether the connection is good for another.
async fn deliver(stream: &mut BufReader<TcpStream>, answer: Answer, is_head: bool) -> io::Result<bool> {
    let has_body = !is_head && !matches!(answer.status, 100..=199 | 204 | 304);
    if matches!(answer.delivery, Delivery::Reset) {
        return reset(stream);
    }
    if matches!(answer.delivery, Delivery::Never) {
        return wait_until_gone(stream).await;
    }
    match answer.delivery {
        Delivery::Raw => {
            stream.write_all(&answer.body).await?;
            stream.shutdown().await?;
            return Ok(false);
        }
        Delivery::RawEndless => loop {
            stream.write_all(&answer.body).await?;
        },
        Delivery::OneByte => {
            stream.write_all(b"H").await?;
            return wait_until_gone(stream).await;
        }
        _ => {}
    }
    stream.write_all(head(&answer, has_body).as_bytes()).await?;
    if !has_body {
        return Ok(true);
    }
    match answer.delivery {
        Delivery::ResetAfter(bytes) => {
            stream.write_all(&answer.body[..bytes.min(answer.body.len())]).await?;
            stream.flush().await?;
            // A reset takes what was not read yet with it.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            return reset(stream);
        }
        Delivery::Drip(bytes, pause) => {
            for piece in answer.body.chunks(bytes) {
                tokio::time::sleep(pause).await;
                stream.write_all(piece).await?;
            }
        }
        Delivery::Times(times) => {
            for _ in 0..times {
                stream.write_all(&answer.body).await?;
            }
        }
        Delivery::Endless => loop {
            stream.write_all(format!("{:x}\r\n", answer.body.len()).as_bytes()).await?;
            stream.write_all(&answer.body).await?;
            stream.write_all(b"\r\n").await?;
        },
        Delivery::Silent => return wait_until_gone(stream).await,
        Delivery::Whole
        | Delivery::Reset
        | Delivery::Never
        | Delivery::Raw
        | Delivery::RawEndless
        | Delivery::OneByte => stream.write_all(&answer.body).await?,
    }
    stream.flush().await?;
    Ok(true)
}

fn head(answer: &Answer, has_body: bool) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let is_given = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if matches!(answer.delivery, Delivery::Endless) {
        head += "transfer-encoding: chunked\r\n";
    } else if has_body && !is_given {
        let times = if let Delivery::Times(times) = answer.delivery { times } else { 1 };
        head.extend(["content-length: ", &(answer.body.len() * times).to_string(), "\r\n"]);
    }
    head + "\r\n"
}

/// Breaks the connection off as a process that was killed would.
fn reset(stream: &BufReader<TcpStream>) -> io::Result<bool> {
    stream.get_ref().set_zero_linger()?;
    Ok(false)
}

/// The client leaves at some time, or says more than it may.
async fn wait_until_gone(stream: &mut BufReader<TcpStream>) -> io::Result<bool> {
    let read = stream.read(&mut [0]).await?;
    Err(io::Error::other(format!("{read} bytes came instead of an answer")))
}
