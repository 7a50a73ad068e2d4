//! A server, the database below it, and who asks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that is told to end, and waited for, when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// Waits until a program says a line that holds `word`; false when it ends without one. What it says after it is read too,
/// so that it can go on.
fn wait_for(child: &mut Child, word: &'static str) -> bool {
    let said = BufReader::new(child.stdout.take().unwrap());
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            if line.contains(word) {
                let _ = told.send(());
            }
        }
    });
    heard.recv().is_ok()
}

/// `vestibule start-dev`, ready.
pub(crate) struct Server {
    running: Running,
    address: String,
}

impl Server {
    /// On the files of `data`, and on `database` where one is named. What lies in the folder of imports is imported.
    pub(crate) fn start(binary: &Path, data: &Path, database: Option<&str>) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(binary);
        command.args([
            "start-dev",
            "--log-level=error",
            "--http-management-port=0",
            &format!("--http-port={port}"),
        ]);
        command.arg(format!("--data={}", data.display()));
        command.args(database.map(|url| format!("--db={url}")));
        if data.join("import").exists() {
            command.arg("--import-realm");
        }
        command.envs([("KC_BOOTSTRAP_ADMIN_USERNAME", "admin"), ("KC_BOOTSTRAP_ADMIN_PASSWORD", "admin")]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let ready = wait_for(&mut child, "started in");
        let running = Running(child);
        assert!(ready, "the server did not start");
        Self { running, address: format!("127.0.0.1:{port}") }
    }

    /// The administrator.
    pub(crate) fn sign_in(&self) -> Caller {
        let mut caller = Caller { address: self.address.clone(), stream: None, headers: String::new() };
        let form = "grant_type=password&client_id=admin-cli&username=admin&password=admin";
        let path = "/realms/master/protocol/openid-connect/token";
        let answer = caller.ask("POST", path, "application/x-www-form-urlencoded", form);
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let token = answer["access_token"].as_str().unwrap();
        caller.headers = format!("Authorization: Bearer {token}\r\n");
        caller
    }

    /// Its resident memory.
    pub(crate) fn megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.0.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|size| size.parse::<f64>().ok()).unwrap_or_default() / 1_024.0
    }
}

/// Postgres, as Debian's package configures one: every commit is on the disk.
pub(crate) struct Postgres {
    _running: Running,
    /// Its address.
    pub(crate) url: String,
}

impl Postgres {
    /// In a folder that it has for itself; none where it is not installed.
    pub(crate) fn start(data: &Path) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/vestibule-postgres/postgres.sh");
        // So that the script prepares no server of its own.
        std::fs::write(data.join("vestibule.toml"), "").unwrap();
        open_to_all(data);
        let made = Command::new(script).arg("init").arg(data).stderr(Stdio::null()).status().ok()?;
        if !made.success() {
            return None;
        }
        let mut run = Command::new(script);
        run.arg("run").arg(data).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = run.spawn().ok()?;
        let ready = wait_for(&mut child, "ready");
        let running = Running(child);
        let home = data.join("postgres");
        let url = format!("postgres://postgres@localhost:5432/postgres?host={}", home.display());
        ready.then_some(Self { _running: running, url })
    }
}

/// Postgres runs as another user where this is root.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Who asks, over one connection.
pub(crate) struct Caller {
    address: String,
    stream: Option<BufReader<TcpStream>>,
    headers: String,
}

impl Caller {
    /// What must be there.
    pub(crate) fn get(&mut self, path: &str) {
        self.ask("GET", path, "application/json", "");
    }

    /// What must be made.
    pub(crate) fn post(&mut self, path: &str, body: &str) {
        self.ask("POST", path, "application/json", body);
    }

    fn ask(&mut self, method: &str, path: &str, media: &str, body: &str) -> Vec<u8> {
        let Self { address, stream, headers } = self;
        let stream = stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(address.as_str()).unwrap();
            stream.set_nodelay(true).unwrap();
            BufReader::new(stream)
        });
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Type: {media}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).unwrap();
        let (mut status, mut length, mut closes) = (String::new(), 0, false);
        stream.read_line(&mut status).unwrap();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name {
                "content-length" => length = value.parse().unwrap(),
                "connection" => closes = value == "close",
                "transfer-encoding" => panic!("an answer in chunks"),
                _ => {}
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).unwrap();
        let answered = String::from_utf8_lossy(&answer);
        assert!(status.contains(" 20"), "{method} {path}: {status}{answered}");
        if closes {
            self.stream = None;
        }
        answer
    }
}
