//! Several clients and the service that they work with, which comes and goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::{Client, Task};
use crate::deadlines;
use crate::home::Home;
use crate::layer::Layer;
use crate::random::Random;
use crate::report::Report;
use crate::service::Service;
use crate::wire::{Link, Stage};

/// The number of the service that is the last: nothing new is begun there.
pub(crate) const LAST: u64 = u64::MAX;

/// The service of a home, as its clients see it.
#[derive(Debug)]
pub(crate) struct Host<'a> {
    pub(crate) home: &'a Home,
    pub(crate) layer: Option<&'a Layer>,
    stage: watch::Sender<Stage>,
    number: u64,
    running: Option<Service>,
    /// How long each start took.
    pub(crate) starts: Vec<Duration>,
}

impl<'a> Host<'a> {
    pub(crate) fn new(home: &'a Home, layer: Option<&'a Layer>) -> Self {
        Self { home, layer, stage: watch::Sender::new(Stage::Down), number: 0, running: None, starts: Vec::new() }
    }

    /// A way to the service for one client.
    pub(crate) fn link(&self) -> Result<Link> {
        Link::new(self.stage.subscribe(), self.layer.and_then(Layer::trace).map(ToOwned::to_owned))
    }

    /// Starts a service, and tells the clients when it serves.
    pub(crate) fn serve(&mut self) -> Result<()> {
        self.number += 1;
        self.serve_as(self.number)
    }

    /// Starts the last service.
    pub(crate) fn serve_last(&mut self) -> Result<()> {
        self.serve_as(LAST)
    }

    fn serve_as(&mut self, number: u64) -> Result<()> {
        let mut service = Service::start(self.home, self.layer)?;
        let (url, took) = service.ready(self.home)?;
        self.starts.push(took);
        self.running = Some(service);
        self.stage.send_replace(Stage::Serving { number, url });
        Ok(())
    }

    /// Starts a service that may die before it serves. Whether it serves.
    pub(crate) fn try_to_serve(&mut self) -> Result<bool> {
        let mut service = Service::start(self.home, self.layer)?;
        let Some(url) = service.url()? else { return Ok(false) };
        self.number += 1;
        self.running = Some(service);
        self.stage.send_replace(Stage::Serving { number: self.number, url });
        Ok(true)
    }

    /// A service that is not announced, which may be killed while it starts.
    pub(crate) fn start_quietly(&self) -> Result<Service> {
        Service::start(self.home, self.layer)
    }

    /// Lets time go by. A service that ends meanwhile was not told to.
    pub(crate) fn wait(&mut self, time: Duration) -> Result<()> {
        match self.running.as_mut().context("nothing runs")?.wait(time)? {
            None => Ok(()),
            Some(status) => bail!("the service ended by itself ({status}); it said:\n{}", self.home.last_of_log()),
        }
    }

    /// Waits for a service to die that the layer kills; whether it did.
    pub(crate) fn wait_for_death(&mut self, patience: Duration) -> Result<bool> {
        Ok(self.running.as_mut().context("nothing runs")?.wait(patience)?.is_some())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.take().context("nothing runs")?.kill()?;
        self.stage.send_replace(Stage::Down);
        Ok(())
    }

    /// SIGTERM: another will be started.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.stop_and(Stage::Down)
    }

    /// The end: the service is told to stop, and does.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.stop_and(Stage::Over)
    }

    fn stop_and(&mut self, stage: Stage) -> Result<()> {
        let service = self.running.take().context("nothing runs")?;
        let status = service.stop()?;
        if !status.success() {
            bail!("the service did not stop cleanly ({status}); it said:\n{}", self.home.last_of_log());
        }
        self.stage.send_replace(stage);
        Ok(())
    }
}

/// The clients of a part.
#[derive(Debug)]
pub(crate) struct Crew {
    runtime: Runtime,
    working: Vec<JoinHandle<Result<Client>>>,
    deadlines: Option<JoinHandle<Result<u64>>>,
    pub(crate) report: Arc<Report>,
}

impl Crew {
    /// Lets some clients work.
    pub(crate) fn hire(host: &Host<'_>, count: u64, seed: u64, task: Task) -> Result<Self> {
        let runtime = Runtime::new()?;
        let report = Arc::new(Report::default());
        let mut working = Vec::new();
        for number in 0..count {
            let client = Client::new(format!("c{number}"), seed, host.link()?, task, Arc::clone(&report));
            working.push(runtime.spawn(client.run()));
        }
        Ok(Self { runtime, working, deadlines: None, report })
    }

    /// Lets one more look at sessions that end by themselves.
    pub(crate) fn watch_deadlines(&mut self, host: &Host<'_>, seed: u64) -> Result<()> {
        let watching = deadlines::watch(host.link()?, Random::new(seed, "deadlines"));
        self.deadlines = Some(self.runtime.spawn(watching));
        Ok(())
    }

    /// The first failure of a client, as soon as there is one.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(place) = self.working.iter().position(JoinHandle::is_finished) {
            let client = self.working.swap_remove(place);
            self.runtime.block_on(client).context("a client panicked")??;
            bail!("a client left its work");
        }
        if let Some(watching) = self.deadlines.take_if(|watching| watching.is_finished()) {
            self.runtime.block_on(watching).context("who watches deadlines panicked")??;
        }
        Ok(())
    }

    /// Waits until all have seen the last service.
    pub(crate) fn finish(self, patience: Duration) -> Result<(Vec<Client>, Arc<Report>)> {
        let until = Instant::now() + patience;
        let mut clients = Vec::new();
        for client in self.working {
            let left = until.saturating_duration_since(Instant::now());
            let done = self.runtime.block_on(async { tokio::time::timeout(left, client).await });
            clients.push(done.context("a client does not come to its end")?.context("a client panicked")??);
        }
        if let Some(watching) = self.deadlines {
            let ended = self.runtime.block_on(watching).context("who watches deadlines panicked")??;
            self.report.deadlines.add_many(ended);
        }
        Ok((clients, self.report))
    }
}
