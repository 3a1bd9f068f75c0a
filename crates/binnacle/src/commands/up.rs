//! `binnacle up`: everything runs until a signal ends it.

use crate::cli::Up;
use crate::flags::{self, Flags};
use crate::listen;
use crate::print;
use crate::setup::{self, Options, Setup};
use crate::wiring::{self, Ground, Wired};
use anyhow::Context as _;
use api::{Limits, Replay};
use runtime::{Registry, Shutdown, SystemClock};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Threads that serve sockets and run scrape loops; stores and languages have their own.
const SOCKET_THREADS: usize = 2;

/// Starts, runs and ends. Exit status 1 where the configuration is wrong.
pub(crate) fn run(mut up: Up) -> anyhow::Result<ExitCode> {
    crate::logging::start(&up.prometheus.log_level)?;
    up.paths.extend(up.prometheus.config_file.take());
    let options = Options {
        data: Some(&up.data),
        ..Options::default()
    };
    let (setup, mistakes) = setup::read(&up.paths, options);
    if !mistakes.is_empty() {
        for mistake in mistakes {
            print::note(&mistake);
        }
        return Ok(ExitCode::from(1));
    }
    log_setup(&setup);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(SOCKET_THREADS)
        .thread_name("sockets")
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(serve(&up, setup));
    // Scrapes and requests that do not end by themselves are not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

fn log_setup(setup: &Setup) {
    for (path, kind, status) in &setup.listing {
        tracing::info!("{}: {}: {status}", path.display(), kind.name());
    }
    for note in &setup.notes {
        tracing::info!("{note}");
    }
}

async fn serve(up: &Up, setup: Setup) -> anyhow::Result<ExitCode> {
    let clock = SystemClock::shared();
    let state = crate::state::open(&up.data)?;
    let registry = Registry::new();
    let replay = Replay::default();
    let doors = listen::open(up, &setup, &state, (&clock, &replay)).await?;
    let limits = Limits {
        connections: up.web.connections_max,
        read_timeout: flags::duration("--web.read-timeout", &up.web.read_timeout)?,
    };
    let shutdown = Shutdown::new();
    let (listeners, graphite, places) = doors.into_listeners();
    let server = {
        let (shutdown, registry) = (shutdown.clone(), registry.clone());
        async move { api::serve(listeners, &limits, &registry, &shutdown).await }
    };
    let wire = {
        let (up, clock, shutdown) = (
            Arc::new(Flags::of(up)?),
            Arc::clone(&clock),
            shutdown.clone(),
        );
        let handle = tokio::runtime::Handle::current();
        // Reading the write-ahead log back may take seconds.
        tokio::task::spawn_blocking(move || {
            let ground = Ground {
                flags: up,
                clock,
                registry,
                state,
                shutdown,
                sockets: handle,
                replay,
                stand_ins: wiring::stand_ins::Switch::new(),
            };
            wiring::start(ground, setup)
        })
    };
    let work = async {
        let wired = wire
            .await
            .context("starting")?
            .inspect_err(|_| shutdown.trigger())?;
        places.fill(&wired.services);
        tracing::info!("ready: http://{}", up.listen);
        let lines = api::graphite::serve(graphite, &wired.services, &shutdown);
        let (signalled, ()) = tokio::join!(wait_for_signals(&wired, &shutdown), lines);
        signalled?;
        tokio::task::spawn_blocking(move || wired.end())
            .await
            .context("ending")
    };
    let ((), worked) = tokio::join!(server, work);
    worked?;
    Ok(ExitCode::SUCCESS)
}

/// SIGHUP reads the configuration again; SIGTERM, SIGINT and `/-/quit` end.
async fn wait_for_signals(wired: &Wired, shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let quit = Arc::new(tokio::sync::Notify::new());
    let raised = Arc::clone(&quit);
    // `notify_one` is remembered, so a request to end before we wait is not lost.
    shutdown.on_trigger(move || raised.notify_one());
    loop {
        tokio::select! {
            () = quit.notified() => break,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                let reload = Arc::clone(&wired.services.reload);
                // The result is logged by the reload itself.
                let _logged = tokio::task::spawn_blocking(move || reload()).await;
            }
        }
    }
    tracing::info!("ending");
    let services = &wired.services;
    services
        .notifications
        .add(api::ENDING, services.clock.now());
    services.notifications.close();
    shutdown.trigger();
    Ok(())
}
