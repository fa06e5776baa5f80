//! A Kinesis in memory behind the SDK's HTTP seam, with the shards, answers and troubles that a test scripts.

mod kinesis;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use aws_sdk_kinesis::Client;
use clap::Parser;
use config::aws::Aws;
use config::env::Env;
use config::names::StreamRef;
use config::settings::Settings;
use config::{Fault, Notes, Outcome, World};
use kpeek::{Args, Outlet};

pub(crate) use kinesis::{Kinesis, Model, Operation, Trouble};

/// Bytes that a thread may append to while a test looks at them.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a run ended and what it wrote.
pub(crate) struct Ran {
    pub(crate) ended: Result<Outcome, Fault>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The payloads that were shown, in order.
    pub(crate) fn payloads(&self) -> Vec<String> {
        self.stdout.lines().map(str::to_owned).collect()
    }
}

/// Runs `kpeek s ARGS…` against `kinesis`.
pub(crate) async fn kpeek(kinesis: &Kinesis, args: &[&str]) -> Ran {
    let (stdout, stderr) = (Shared::default(), Shared::default());
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", stderr.clone()),
        stdin_is_terminal: true,
        interrupt: config::interrupt::Interrupt::never(),
    };
    let ended = kpeek_in(&world, kinesis, args, stdout.clone()).await;
    Ran { ended, stdout: stdout.text(), stderr: stderr.text() }
}

/// The same in a world and to an output of the test's choice.
pub(crate) async fn kpeek_in<W: Write + Send + 'static>(
    world: &World,
    kinesis: &Kinesis,
    args: &[&str],
    output: W,
) -> Result<Outcome, Fault> {
    let args = Args::try_parse_from(["kpeek"].iter().chain(args)).unwrap_or_else(|error| panic!("{error}"));
    let sdk = kinesis.sdk_config();
    let client = Client::new(&sdk);
    let aws = Aws::for_tests(sdk, "eu-central-1".parse().unwrap());
    let stream: StreamRef = "s".parse().unwrap();
    kpeek::run(&args, &stream, &client, &aws, world, Outlet::new(output)).await
}
