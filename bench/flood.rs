//! A flood of wrong passwords, and what is left for everybody else meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::load::{Job, Order};
use crate::measure::drive;
use crate::operations::named;
use crate::peer::Peer;
use crate::process::{LOAD_CORE, Process, child, prepare};
use crate::report::Flood;
use crate::{Options, Outcome};

/// Wrong passwords under way at once, from fifty addresses.
const GUESSERS: usize = 200;
/// Connections of everybody else.
const CONNECTIONS: usize = 16;

/// Service tokens, the key set and a sign-in, without a flood and in the middle of one.
pub(crate) fn measure(options: &Options, folder: &Path) -> Outcome<Flood> {
    let data = folder.join("flood");
    let peer = Peer::own(&data, options)?;
    prepare(&peer, &data)?;
    let (server, _) = Process::start(&peer)?;
    let (tokens, keys) = (named("client_credentials RS256", &peer)?, named("key set", &peer)?);
    let calm = drive(&peer, &tokens, CONNECTIONS, options.seconds)?;
    let calm_mb = server.megabytes();
    let order = Order {
        peer: peer.clone(),
        job: Job::Wrong,
        connections: GUESSERS,
        seconds: 3.0 * options.seconds + 6.0,
    };
    let order = serde_json::to_string(&order)?;
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| child(LOAD_CORE, &["--load", &order]).map_err(|error| error.to_string()));
        std::thread::sleep(Duration::from_secs(1));
        let busy = drive(&peer, &tokens, CONNECTIONS, options.seconds)?;
        let key_set = drive(&peer, &keys, 1, options.seconds)?;
        let begun = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signed_in = runtime.block_on(async { Browser::new(&peer).flow().await });
        let good_user_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        if let Err(why) = &signed_in {
            println!("a good user did not get in during the flood: {why}");
        }
        let flood_mb = server.peak_megabytes();
        let guesses: crate::load::Measured =
            serde_json::from_str(&flood.join().map_err(|_| "the flood broke off")??)?;
        Ok(Flood {
            guesses: guesses.rate,
            tokens_calm: calm.rate,
            tokens: busy.rate,
            key_set_p99_ms: key_set.p99_ms,
            good_user_ms: signed_in.is_ok().then_some(good_user_ms),
            calm_mb,
            flood_mb,
        })
    })
}
