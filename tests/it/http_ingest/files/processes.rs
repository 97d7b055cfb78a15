//! What only shows of a process of its own: its memory, and a disk with little room.

use std::fs;
use std::process::Command;

use reqwest::Client;

use super::super::element;
use super::{FILE, file};
use crate::command::Serving;
use crate::context::{Reply, perform};
use crate::reload::{Folder, resource};
use crate::scripted::{Script, ScriptedServer};

/// A service over a scripted one and a folder, started by a command of the shell (`$0` is the program, `$1` the configuration).
async fn serve(script: Script, shell: &str) -> (ScriptedServer, Folder, Serving) {
    let server = ScriptedServer::start(script).await;
    let (folder, url) = (Folder::new(""), server.url());
    folder.write(
        "resource.xml",
        &resource(&format!(
            "<dataResource uri=\"{url}/\"><origin uri=\"{url}\" private=\"true\"/></dataResource>\
             <dataResource name=\"inbox\" uri=\"file:inbox/\"><folder write=\"true\" create=\"true\"/></dataResource>"
        )),
    );
    let mut command = Command::new("sh");
    command.args(["-c", shell, env!("CARGO_BIN_EXE_rejoin")]).arg(folder.path());
    let serving = Serving::start(&mut command);
    (server, folder, serving)
}

async fn download(serving: &Serving) -> Reply {
    let document = perform(&element(&FILE, "").replace("<records name=\"rows\"/><decisions name=\"log\"/>", ""));
    let request =
        Client::new().post(format!("{}/services/data", serving.url)).header("content-type", "application/xml");
    Reply::of(request.body(document).send().await.unwrap()).await
}

#[tokio::test]
async fn a_file_of_any_size_takes_little_memory() {
    let piece: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let script = Script::of([file(piece.clone()).times(256)]);
    let (_server, folder, serving) = serve(script, "exec \"$0\" serve --config \"$1\"").await;
    download(&serving).await.is_completed();
    let written = fs::read(folder.path().join("data/inbox/a.bin")).unwrap();
    assert!(written.len() == 256 << 20 && written.chunks(piece.len()).all(|other| other == piece));
    let memory = serving.memory();
    assert!(memory < 128 << 20, "256 MiB took {memory} bytes");
}

#[tokio::test]
async fn a_folder_without_room_is_told() {
    let script = Script::of([file(vec![b'x'; 1 << 20]).times(8)]);
    // A file may have 2 MiB at the most; who writes more is told, and not killed.
    let shell = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" serve --config \"$1\"";
    let (_server, folder, serving) = serve(script, shell).await;
    download(&serving).await.says("HttpIngestFile").says("it would be larger than a file may be there");
    let inbox = folder.path().join("data/inbox");
    let left: Vec<_> = fs::read_dir(inbox.join(".rejoin-parts")).unwrap().collect();
    assert!(left.is_empty() && !inbox.join("a.bin").exists(), "{left:?}");
}
