//! `rejoin demo`: the sample database, served, with nothing to configure.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;

use super::style::Style;
use super::{sample, serve, tour};
use crate::document::{CONFIGURATION_NAMESPACE, Element};
use crate::service::{BoundServer, ConfiguredResource, Server};

pub(super) async fn run(listen: &str, is_tour: bool) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("a temporary folder can't be made")?;
    let path = folder.path().join("sample.db");
    tokio::task::spawn_blocking(move || sample::create(&path)).await??;
    let resource = ConfiguredResource::new("demo", folder.path())
        .documentation("Customers and their orders, generated")
        .data_resource("sqlite:sample.db");
    let builder = |listen: &str| {
        let server = Server::builder().resource(resource.clone()).listen(listen);
        if is_loopback(listen) { server.authentication(everybody_is_an_operator(), "") } else { server }
    };
    if is_tour {
        let server = builder("127.0.0.1:0").build()?.start().await?;
        let toured = tour::run(&format!("{}/services/demo", server.url()), Style::of_stdout()).await;
        server.shutdown().await;
        return toured.map(|()| ExitCode::SUCCESS);
    }
    serve::log_to_stderr();
    let server = match builder(listen).build()?.bind().await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
            builder(&format!("{host}:0")).build()?.bind().await?
        }
        bound => bound.with_context(|| format!("{listen} can't be listened on"))?,
    };
    serve::until_told(server, welcome).await
}

/// Whoever reaches a demo on a loopback address is on this machine, and may see all of its sessions: `rejoin sessions` is there
/// to be tried out.
fn everybody_is_an_operator() -> Element {
    Element::new("authentication", Some(CONFIGURATION_NAMESPACE))
        .with_attribute("impl", "none")
        .with_attribute("role", "operator")
}

fn is_loopback(listen: &str) -> bool {
    listen.starts_with("localhost:") || listen.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}

/// Where the demo is, and three commands that work when they are pasted into another terminal, in this order.
fn welcome(server: &BoundServer) {
    let style = Style::of_stdout();
    let url = format!("{}/services/demo", server.url());
    let post = "curl -s -H 'Content-Type: application/xml'";
    let document = |content: &str| {
        format!("'<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\">{content}</perform>'")
    };
    let query = "<sqlQueryStatement name=\"find\"><sqlParameter position=\"1\">Oban</sqlParameter>\
                 <expression>SELECT * FROM customer WHERE town = ? LIMIT 5</expression><resultStream name=\"rows\"/>\
                 </sqlQueryStatement><sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/>\
                 <includeHeader value=\"true\"/></sqlResultsToCSV>";
    let count = "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"visits\"/><output name=\"visits\"/>\
                 </sessionAttributeManagement>";
    say!("{url}\n\n{}", style.heading("Paste these into another terminal:"));
    say!("\n{}", style.note("# rows as CSV"));
    say!("{post} '{url}?return=csv' -d {}", document(query));
    say!("\n{}", style.note("# a session: its id comes in a header"));
    say!(
        "SESSION=$({post} -o /dev/null -D - '{url}' -d {} | tr -d '\\r' | sed -n 's/^rejoin-session: //p'); echo \"$SESSION\"",
        document("<session/>")
    );
    say!("\n{}", style.note("# a visit in that session: again, and the count rises"));
    say!("{post} '{url}?return=visits' -H \"Rejoin-Session: $SESSION\" -d {}; echo", document(count));
    say!("\n{}", style.note("Ctrl-C ends it. `rejoin demo --tour` walks through all of it."));
}
