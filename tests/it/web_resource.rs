//! HTTP services as data resources: how they are configured, and what is told of them.

use std::fs;
use std::process::Command;

use rejoin::document::{DataResourceConfiguration, Located, OriginConfiguration};

use crate::context::Context;
use crate::scripted::{Script, ScriptedServer};

/// A data resource at a server of this machine, which is marked as a private one.
fn at(server: &ScriptedServer) -> DataResourceConfiguration {
    let mut configured = DataResourceConfiguration::at(server.url());
    configured.name = Some(Located::from("api".to_owned()));
    configured.web.origins.push(OriginConfiguration { uri: Located::from(server.url()), is_private: true });
    configured
}

#[tokio::test]
async fn nothing_is_sent_to_find_out_whether_a_service_is_well() {
    let server = ScriptedServer::start(Script::of([])).await;
    let context =
        Context::with(|builder, resource| builder.resource(resource.configured_data_resource(at(&server)))).await;
    let told = reqwest::get(context.url()).await.unwrap().text().await.unwrap();
    assert!(told.contains("<dataResource name=\"api\">"), "{told}");
    assert!(told.contains("<productName>HTTP</productName><productVersion>1.1, 2</productVersion>"), "{told}");
    let ready = context.url().replace("services/data", "health/ready");
    assert_eq!(reqwest::get(ready).await.unwrap().status(), 200);
    assert_eq!(server.count(), 0);
}

/// What `rejoin check` says of a resource document, line by line, without the file.
fn checked(content: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resource.xml");
    let namespace = "xmlns='http://ogsadai.org.uk/namespaces/2005/10/config'";
    let document =
        format!("<dataServiceResourceConfiguration {namespace}>\n{content}</dataServiceResourceConfiguration>");
    fs::write(&file, document).unwrap();
    fs::write(folder.path().join("wrong.pull"), "a=b\nc=\\u00\n").unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_rejoin")).arg("check").arg(&file).output().unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    let before = format!("{}:", file.display());
    said.lines().map(|line| line.strip_prefix(&before).unwrap_or(line).to_owned()).collect()
}

#[track_caller]
fn are(lines: &[String], expected: &[(&str, &str)]) {
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (place, words)) in lines.iter().zip(expected) {
        assert!(line.starts_with(&format!("{place}: ")) && line.contains(words), "{line}\n{place}: {words}");
    }
}

#[test]
fn check_tells_everything_that_is_wrong_with_a_service_where_it_stands() {
    let lines = checked(
        "<dataResource uri='http://127.0.0.1:8090/'>\n\
         <origin uri='https://b.example'/>\n\
         <origin uri='https://b.example:443/'/>\n\
         <origin uri='http://0.0.0.0' private='true'/>\n\
         <credentials origin='https://c.example'><bearer tokenEnv='T'/></credentials>\n\
         <credentials origin='https://b.example'>\n\
         <clientCredentials tokenUri='https://d.example/t' client='c' passwordEnv='P'/></credentials>\n\
         </dataResource>",
    );
    are(
        &lines,
        &[
            ("4:9", "listed twice"),
            ("5:9", "nobody is at this address"),
            ("2:15", "private=\"true\""),
            ("6:1", "`https://c.example` is not reachable"),
            ("7:1", "the token end-point: `https://d.example` is not reachable"),
        ],
    );
    are(
        &checked(
            "<dataResource uri='https://a.example/'>\n<origin uri='https://b.example/x'/>\n<origin uri='ftp://c'/></dataResource>",
        ),
        &[("3:9", "leave out what follows"), ("4:9", "`http` or `https`")],
    );
    are(
        &checked("<dataResource uri='https://a.example/'>\n<properties location='wrong.pull'/></dataResource>"),
        &[("2:15", "wrong.pull:2: behind `\\u` four hexadecimal digits")],
    );
}

#[test]
fn check_tells_databases_from_services() {
    are(
        &checked("<dataResource uri='sqlite:a.db'>\n<origin uri='https://b.example'/></dataResource>"),
        &[("3:9", "`origin` is for HTTP services")],
    );
    are(
        &checked(
            "<dataResource uri='file:inbox/' user='u'>\n<pool size='1'/><origin uri='https://b.example'/><folder/></dataResource>",
        ),
        &[
            ("2:33", "a folder has neither users"),
            ("3:1", "a folder has neither users"),
            ("3:25", "is for HTTP services"),
        ],
    );
    are(
        &checked("<dataResource uri='sqlite:a.db'>\n<folder write='true'/></dataResource>"),
        &[("3:1", "`folder` is for folders")],
    );
    are(&checked("<dataResource uri='file://host/inbox'/>"), &[("2:15", "it names a host")]);
    are(
        &checked("<dataResource uri='https://a.example/' user='u'>\n<pool size='1'/><tls mode='off'/></dataResource>"),
        &[("2:40", "takes `credentials`"), ("3:1", "takes `connections`"), ("3:17", "leave the mode out")],
    );
}
