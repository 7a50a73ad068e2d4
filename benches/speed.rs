//! What Vestibule costs, as figures: `cargo bench --bench speed`. Nothing here passes or fails.
//!
//! The server runs on one core and the load comes from another (by `taskset`, where the machine has it), so a rate is
//! what one core carries. The limit is measured in the same run, on the server's core: what `aws-lc-rs` alone signs.
//! Machines differ and are shared: read the ratios.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::TestServer;

const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";
const CONNECTIONS: usize = 16;
const SPAN: Duration = Duration::from_secs(3);
const REPEATS: usize = 3;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments = std::env::args().collect::<Vec<_>>();
    let words = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match words.as_slice() {
        [_, "--sign", algorithm] => return sign(algorithm),
        [_, "--load", address, request] => return load(address, request),
        _ => {}
    }
    size();
    fixture()?;
    let folder = tempfile::tempdir()?;
    starts(folder.path())?;
    rates(folder.path())
}

/// Bytes of the program.
fn size() {
    let bytes = std::fs::metadata(binary()).map(|data| data.len()).unwrap_or_default();
    println!("{:<46}{:>10.1} MB   (at most 20)", "binary, stripped", bytes as f64 / 1e6);
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_vestibule")
}

/// How soon a Rust test has a server.
fn fixture() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let times = (0..11).map(|_| {
        runtime.block_on(async {
            let begun = Instant::now();
            let server = TestServer::start().await?;
            let took = begun.elapsed();
            drop(server);
            Ok::<_, Box<dyn std::error::Error>>(took)
        })
    });
    let times = times.collect::<Result<Vec<_>, _>>()?;
    println!(
        "{:<46}{:>10.1} ms   (at most 25)",
        "vestibule::testing, ready (median of 11)",
        milliseconds(median(times))
    );
    Ok(())
}

/// From the start of the process to the ready line, and to the first answer of discovery.
fn starts(folder: &Path) -> Outcome<()> {
    let mut first = Vec::new();
    let mut again = Vec::new();
    let mut memory = 0.0;
    for round in 0..5 {
        let data = folder.join(format!("start-{round}"));
        let begun = Instant::now();
        let server = Server::start(&data)?;
        server.get("/realms/main/.well-known/openid-configuration")?;
        first.push(begun.elapsed());
        drop(server);
        let begun = Instant::now();
        let server = Server::start(&data)?;
        server.get("/realms/main/.well-known/openid-configuration")?;
        again.push(begun.elapsed());
        if round == 4 {
            std::thread::sleep(Duration::from_secs(2));
            memory = server.resident_megabytes();
        }
    }
    println!(
        "{:<46}{:>10.1} ms   (at most 150)",
        "first start to first answer (median of 5)",
        milliseconds(median(first))
    );
    println!(
        "{:<46}{:>10.1} ms   (at most 50)",
        "start with a database (median of 5)",
        milliseconds(median(again))
    );
    println!("{:<46}{memory:>10.1} MB   (at most 20)", "resident memory, idle");
    Ok(())
}

fn rates(folder: &Path) -> Outcome<()> {
    let server = Server::start(&folder.join("rates"))?;
    let basic = STANDARD.encode("service:service-secret");
    let form = "grant_type=client_credentials";
    let token = format!(
        "POST /realms/main/protocol/openid-connect/token HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        server.host,
        form.len()
    );
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.host);
    println!("\none core for the server, {CONNECTIONS} connections, medians of {REPEATS} runs of {SPAN:?}");
    let limit = repeated(|| child(SERVER_CORE, &["--sign", "RS256"]))?;
    println!("{:<46}{limit:>10.0} /s", "aws-lc-rs alone, RSA-2048 signatures");
    let rate = repeated(|| child(LOAD_CORE, &["--load", &server.host, &token]))?;
    println!(
        "{:<46}{rate:>10.0} /s   {:.0} % of the limit (at least 80)",
        "client_credentials, RS256",
        100.0 * rate / limit
    );
    for (name, path) in [
        ("discovery", "/realms/main/.well-known/openid-configuration"),
        ("key set", "/realms/main/protocol/openid-connect/certs"),
    ] {
        let rate = repeated(|| child(LOAD_CORE, &["--load", &server.host, &get(path)]))?;
        println!("{name:<46}{rate:>10.0} /s");
    }
    println!("{:<46}{:>10.1} MB", "resident memory, after the load", server.resident_megabytes());
    Ok(())
}

/// Median of a few runs.
fn repeated(run: impl Fn() -> Outcome<f64>) -> Outcome<f64> {
    let mut rates = (0..REPEATS).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    rates.sort_by(f64::total_cmp);
    rates.get(REPEATS / 2).copied().ok_or_else(|| "no run".into())
}

/// Runs this program anew on one core, and reads the rate that it prints.
fn child(core: &str, arguments: &[&str]) -> Outcome<f64> {
    let output = on_core(core, &std::env::current_exe()?.display().to_string()).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn on_core(core: &str, program: &str) -> Command {
    let pinned = Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if pinned.is_ok_and(|status| status.success()) {
        let mut command = Command::new("taskset");
        command.args(["-c", core, program]);
        command
    } else {
        Command::new(program)
    }
}

/// Signs for a while and prints signatures per second.
fn sign(algorithm: &str) -> Outcome<()> {
    let key = SigningKey::generate(algorithm.parse::<Algorithm>()?)?;
    let claims = serde_json::json!({ "iss": "x".repeat(40), "sub": "y".repeat(36), "pad": "z".repeat(300) });
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < SPAN {
        std::hint::black_box(key.sign("JWT", &claims)?);
        count += 1;
    }
    println!("{}", f64::from(count) / begun.elapsed().as_secs_f64());
    Ok(())
}

/// Sends one request again and again over a few connections and prints good answers per second.
fn load(host: &str, request: &str) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (host, request) = (host.to_owned(), request.to_owned());
    let rate = runtime.block_on(async move {
        let begun = Instant::now();
        let mut connections = tokio::task::JoinSet::new();
        for _ in 0..CONNECTIONS {
            connections.spawn(drive(host.clone(), request.clone(), begun));
        }
        let mut answers = 0_u32;
        while let Some(done) = connections.join_next().await {
            answers += done.map_err(|error| error.to_string())??;
        }
        Ok::<_, String>(f64::from(answers) / begun.elapsed().as_secs_f64())
    })?;
    println!("{rate}");
    Ok(())
}

async fn drive(host: String, request: String, begun: Instant) -> Result<u32, String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = tokio::net::TcpStream::connect(&host).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let mut answers = 0;
    let mut buffer = Vec::with_capacity(16 * 1024);
    while begun.elapsed() < SPAN {
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        buffer.clear();
        while !is_whole(&buffer)? {
            if stream.read_buf(&mut buffer).await.map_err(failed)? == 0 {
                return Err("the server closed the connection".to_owned());
            }
        }
        answers += 1;
    }
    Ok(answers)
}

/// Whether the answer, which must be a 200, has arrived whole.
fn is_whole(buffer: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(buffer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(false) };
    if !head.starts_with("HTTP/1.1 200") {
        return Err(text.into_owned());
    }
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|n| n.parse().ok());
    Ok(length.is_some_and(|length: usize| body.len() >= length))
}

/// A running program on its core.
struct Server {
    process: Child,
    host: String,
    pid: u64,
}

impl Server {
    fn start(data: &Path) -> Outcome<Self> {
        let mut process = on_core(SERVER_CORE, binary())
            .args(["dev", "--port", "0", "--output", "json", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let out = process.stdout.take().ok_or("no standard output")?;
        BufReader::new(out).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line)?;
        let host = ready
            .get("url")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim_start_matches("http://")
            .to_owned();
        Ok(Self { process, host, pid: ready.get("pid").and_then(Value::as_u64).unwrap_or_default() })
    }

    fn get(&self, path: &str) -> Outcome<String> {
        let mut stream = TcpStream::connect(&self.host)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn resident_megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kilobytes = line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
        kilobytes.unwrap_or_default() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
