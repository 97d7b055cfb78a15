//! Answers of many gigabytes: what the service takes of time and memory when it hands one on, refuses one, and reads one whole whose
//! last line is wrong.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use tokio::net::TcpListener;

use super::command::Service;

const MIB: usize = 1 << 20;

/// What the service is asked to do with an answer.
struct Case {
    name: &'static str,
    path: &'static str,
    properties: &'static str,
    output: &'static str,
    /// What its failure says; `None` if it is to succeed.
    says: Option<&'static str>,
}

const CASES: [Case; 3] = [
    Case {
        name: "a file, handed on",
        path: "file",
        properties: "<property key=\"rejoin.format\">file</property>",
        output: "responses",
        says: None,
    },
    Case {
        name: "a page, refused at its limit",
        path: "page",
        properties: "",
        output: "json",
        says: Some("page 1 is longer than"),
    },
    Case {
        name: "a page of a gigabyte, wrong at its end",
        path: "wrong",
        properties: "<property key=\"rejoin.page.bytes\">2000000000</property>",
        output: "json",
        says: Some("is no JSON"),
    },
];

/// Prints what each costs; `gigabytes`: of the first two.
pub(crate) async fn measure(gigabytes: u32) -> Result<()> {
    let mebibytes = gigabytes as usize * 1024;
    // 128 bytes each.
    let record = format!("{{\"id\":1234567,\"name\":\"{}\"}},\n", "x".repeat(102));
    let piece = Bytes::from(record.repeat(MIB / record.len()));
    let records = move || piece.clone();
    let again = records.clone();
    let router =
        Router::new()
            .route(
                "/file",
                get(move || async move {
                    answer("application/octet-stream", "", Bytes::from(vec![b'x'; MIB]), mebibytes, "")
                }),
            )
            .route("/page", get(move || async move { answer("application/json", "[", records(), mebibytes, "{}]") }))
            .route("/wrong", get(move || async move { answer("application/json", "[", again(), 1024, "{\"id\":}]") }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let api = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir()?;
    let resource = format!("<dataResource uri=\"{api}/\"><origin uri=\"{api}\" private=\"true\"/></dataResource>");
    println!("answers of {gigabytes} GiB");
    for case in &CASES {
        let service = Service::start(folder.path(), &[("api", resource.clone())], "")?;
        let idle = service.begin_peak()?;
        let begun = Instant::now();
        let bytes = perform(&service, case).await?;
        let (time, peak) = (begun.elapsed().as_secs_f64(), service.peak()?);
        ensure!(case.says.is_some() || bytes == mebibytes * MIB, "{}: {bytes} bytes came", case.name);
        println!("{:<40} {time:>6.1} s  {:>6} MiB at the most ({} idle)", case.name, peak / 1024, idle / 1024);
    }
    Ok(())
}

fn answer(
    media_type: &'static str,
    begin: &'static str,
    piece: Bytes,
    pieces: usize,
    end: &'static str,
) -> impl IntoResponse {
    let (begin, end) = (Bytes::from_static(begin.as_bytes()), Bytes::from_static(end.as_bytes()));
    let all = std::iter::once(begin).chain(std::iter::repeat_n(piece, pieces)).chain(std::iter::once(end));
    let body = Body::from_stream(stream::iter(all.map(Ok::<_, std::convert::Infallible>)));
    ([(CONTENT_TYPE, media_type)], body)
}

/// How many bytes came. Checks how it ended.
async fn perform(service: &Service, case: &Case) -> Result<usize> {
    let document = format!(
        "<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\"><httpIngest name=\"pull\">\
         <property key=\"ms.source.uri\">{}</property>{}<{} name=\"out\"/></httpIngest></perform>",
        case.path, case.properties, case.output
    );
    let url = format!("{}?return=out", service.url("api"));
    let request = reqwest::Client::new().post(url).header("content-type", "application/xml").body(document);
    let mut answer = request.send().await?;
    if let Some(words) = case.says {
        let text = answer.text().await?;
        ensure!(text.contains(words), "{}: {text}", case.name);
        return Ok(0);
    }
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    let mut bytes = 0;
    while let Some(piece) = answer.chunk().await.context("it broke off")? {
        bytes += piece.len();
    }
    Ok(bytes)
}
