//! Connections on real sockets, with short limits.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::*;
use crate::sandbox::Config;
use crate::sandbox::engine::Engine;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn server(limits: Limits) -> (Server, SocketAddr) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let engine = Engine::open(&Config { seed: Some(1), ..Config::default() }).unwrap();
    (Server::start_with(listener, Arc::new(std::sync::Mutex::new(engine)), limits).unwrap(), address)
}

fn connect(address: SocketAddr, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(first).unwrap();
    stream
}

/// Reads one answer; whether it was 200.
fn answered(stream: &mut TcpStream) -> bool {
    let mut answer = vec![0; 4096];
    match stream.read(&mut answer) {
        Ok(length) => answer[..length].starts_with(b"HTTP/1.1 200"),
        Err(_) => false,
    }
}

fn ask(stream: &mut TcpStream) -> bool {
    stream.write_all(GET).is_ok() && answered(stream)
}

/// Whether the server closes it, rather than answering or waiting.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn the_longest_idle_connection_makes_room_and_no_other() {
    let (_server, address) = server(Limits { connections: 4, ..Limits::default() });
    let mut open: Vec<TcpStream> = (0..4).map(|_| connect(address, b"")).collect();
    // The first one is the oldest, but the last to be used.
    for at in [1, 2, 3, 0] {
        assert!(ask(&mut open[at]), "{at}");
    }
    assert!(ask(&mut connect(address, b"")), "a new one is served");
    assert!(is_closed(&mut open[1]));
    for at in [0, 2, 3] {
        assert!(ask(&mut open[at]), "{at} was used later");
    }
}

#[test]
fn half_a_head_is_idle_and_a_request_in_progress_is_not() {
    let (_server, address) = server(Limits { connections: 4, ..Limits::default() });
    let mut working = connect(address, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
    let started = Instant::now();
    let mut lurkers: Vec<TcpStream> = (0..40).map(|_| connect(address, b"G")).collect();
    assert!(ask(&mut connect(address, b"")));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(is_closed(&mut lurkers[0]));
    working.write_all(b"cd").unwrap();
    let mut answer = [0; 12];
    working.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 4"), "the request was answered, if only with a refusal");
}

#[test]
fn a_head_that_takes_too_long_is_given_up_however_it_is_sent() {
    let (_server, address) = server(Limits { head: Duration::from_millis(200), ..Limits::default() });
    let mut idle = connect(address, b"");
    let mut half = connect(address, b"GET / HT");
    let mut slow = connect(address, b"G");
    let mut used = connect(address, GET);
    assert!(answered(&mut used));
    let trickled = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        slow.write_all(b"E").is_err()
    });
    assert!(trickled || is_closed(&mut slow), "each byte would win it another round");
    assert!(is_closed(&mut half));
    assert!(ask(&mut idle) && ask(&mut used), "one without half a head stays");
}

#[test]
fn a_stuck_client_is_dropped_to_make_room() {
    let limits = Limits { connections: 2, patience: Duration::from_millis(200), ..Limits::default() };
    let (_server, address) = server(limits);
    let body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nab";
    let mut stuck: Vec<TcpStream> = (0..2).map(|_| connect(address, body)).collect();
    assert!(ask(&mut connect(address, b"")));
    // Which of the two got there first is up to the scheduler.
    assert!(stuck.iter_mut().any(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        is_closed(stream)
    }));
}

/// It may be asked while its request is on the way.
#[test]
fn a_connection_asked_to_leave_gets_no_extra_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let engine = Engine::open(&Config { seed: Some(1), ..Config::default() }).unwrap();
    let crowd = Arc::new(Crowd::new(Limits { stall: Duration::from_millis(200), ..Limits::default() }));
    let seat = crowd.enter(Arc::new(std::sync::Mutex::new(engine)));
    let line = Arc::clone(seat.line());
    let ended = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let half = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab";
        let _client = connect(listener.local_addr().unwrap(), half);
        let (stream, peer) = listener.accept().await.unwrap();
        let (_stop, stopped) = watch::channel(());
        let ask = async {
            while line.may_leave() {
                yield_now().await;
            }
            line.ask_to_leave();
        };
        timeout(Duration::from_secs(15), async { tokio::join!(connection(stream, peer.ip(), seat, stopped), ask) })
            .await
    });
    assert!(ended.is_ok(), "it waits for the rest of the body");
}
