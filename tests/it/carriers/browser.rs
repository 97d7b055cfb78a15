//! What of a browser matters here: a cookie jar, and what it says of the page that sends a request.

use std::collections::BTreeMap;

use reqwest::RequestBuilder;

use crate::context::{Context, Reply, perform};

/// A browser that shows a page of the service itself.
pub(super) struct Browser<'a> {
    context: &'a Context,
    jar: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(super) fn at(context: &'a Context) -> Self {
        Self { context, jar: BTreeMap::new() }
    }

    /// The names of the cookies in its jar.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.jar.keys().map(String::as_str)
    }

    /// The value of a cookie, which no script of a page would see.
    pub(super) fn cookie(&self, name: &str) -> &str {
        self.jar.get(name).map_or("", String::as_str)
    }

    pub(super) fn set_cookie(&mut self, name: &str, value: &str) {
        self.jar.insert(name.into(), value.into());
    }

    /// Posts a perform document of that content, as a script of the page would.
    pub(super) async fn post(&mut self, resource: &str, content: &str) -> Reply {
        let request = self.request(resource, content);
        self.send(request).await
    }

    /// The same, to be changed before it is sent.
    pub(super) fn request(&self, resource: &str, content: &str) -> RequestBuilder {
        let own = self.context.server.url();
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.context.client.post(format!("{own}/services/{resource}")).body(perform(content));
        let request = request.header("content-type", "application/xml").header("origin", own);
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    /// Sends a request and keeps or drops the cookies of the answer.
    pub(super) async fn send(&mut self, request: RequestBuilder) -> Reply {
        let reply = Reply::of(request.send().await.unwrap()).await;
        for line in reply.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.into(), value.into());
            }
        }
        reply
    }
}
